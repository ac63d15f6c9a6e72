"""Files as the command line reads and writes them."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.cli import textfile
from engine.cli.textfile import TextFileError
from engine.types import TextSpan

LINES = st.text(st.sampled_from("aé😀\r\n \t"), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=60).filter(
        lambda data: b"\0" not in data and not data.startswith((b"\xff\xfe", b"\xfe\xff"))
    )
)
def test_every_file_without_zero_bytes_is_written_back_byte_for_byte(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    file = textfile.read(path)
    textfile.write(file, file.text)
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
     (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")],
)  # fmt: skip
def test_a_byte_order_mark_is_no_part_of_the_text_and_is_kept(tmp_path, mark, encoding):
    path = tmp_path / "file"
    path.write_bytes(mark + "naïve 😀\n".encode(encoding))
    file = textfile.read(path)
    assert file.text == "naïve 😀\n"
    textfile.write(file, "x" + file.text)
    assert path.read_bytes() == mark + "xnaïve 😀\n".encode(encoding)


@given(text=LINES)
def test_lines_together_with_their_ends_make_up_the_text(text):
    count = len(textfile._line_starts(text))
    spans = [textfile.line_span(text, line, line) for line in range(1, count + 1)]
    assert [text[span.start : span.end] for span in spans] == text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


@given(text=LINES, eol=st.sampled_from(["\n", "\r\n", "\r"]))
def test_with_line_ends_uses_one_line_end_and_changes_nothing_else(text, eol):
    turned = textfile.with_line_ends(text, eol)
    assert turned.replace(eol, "\n") == text.replace("\r\n", "\n").replace("\r", "\n")


def test_the_commonest_line_end_is_the_files():
    assert textfile.TextFile(Path("a"), "a\r\nb\r\nc\n", "utf-8", b"").eol == "\r\n"
    assert textfile.TextFile(Path("a"), "abc", "utf-8", b"").eol == "\n"
    assert textfile.TextFile(Path("a"), "a\rb", "utf-8", b"").eol == "\r"


def test_replacing_spans_leaves_everything_else():
    assert textfile.replaced("0123456789", [TextSpan(1, 3), TextSpan(5, 5)], ["ab", "X"]) == "0ab34X56789"


def test_a_changed_file_is_not_overwritten(tmp_path):
    path = tmp_path / "file"
    path.write_text("one", encoding="utf-8")
    file = textfile.read(path)
    path.write_text("two", encoding="utf-8")
    with pytest.raises(TextFileError, match="changed by another program"):
        textfile.write(file, "three")
    assert path.read_text(encoding="utf-8") == "two"


def test_the_mode_and_a_symlink_are_kept_and_nothing_is_left_behind(tmp_path):
    target, link = tmp_path / "target.sh", tmp_path / "link.sh"
    target.write_text("one", encoding="utf-8")
    target.chmod(0o750)
    link.symlink_to(target)
    textfile.write(textfile.read(link), "two")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "two"
    assert target.stat().st_mode & 0o777 == 0o750
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.sh", "target.sh"]


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("one", encoding="utf-8")

    def no_room(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.cli.textfile.os.fsync", no_room)
    with pytest.raises(TextFileError, match="was not changed: No space left on device"):
        textfile.write(textfile.read(path), "two")
    assert path.read_text(encoding="utf-8") == "one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_read_only_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("one", encoding="utf-8")
    monkeypatch.setattr("engine.cli.textfile.os.access", lambda path, mode: False)
    with pytest.raises(TextFileError, match="may not be written to"):
        textfile.write(textfile.read(path), "two")
    assert path.read_text(encoding="utf-8") == "one"


def test_a_write_protected_file_is_not_replaced_even_by_root(tmp_path):
    path = tmp_path / "file"
    path.write_text("one", encoding="utf-8")
    path.chmod(0o444)
    with pytest.raises(TextFileError, match="may not be written to"):
        textfile.write(textfile.read(path), "two")
    assert path.read_text(encoding="utf-8") == "one"


def test_text_that_the_files_encoding_lacks_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"caf\xe9")
    file = textfile.read(path)
    assert (file.text, file.encoding) == ("café", "latin-1")
    with pytest.raises(TextFileError, match="which has no “😀”"):
        textfile.write(file, "😀")
    assert path.read_bytes() == b"caf\xe9"
