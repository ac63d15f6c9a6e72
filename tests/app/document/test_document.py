"""A document saves what it is given where it belongs, and never over someone else's work."""

from __future__ import annotations

import pytest

from app.document.document import Document
from app.document.files import BinaryFileError, ChangedOnDiskError, ReadOnlyError, UnencodableError


@pytest.fixture
def document(qapp):
    return Document()


def test_a_new_document_has_a_name_and_no_path(document):
    assert (document.title, document.path, document.is_modified, document.revision) == ("Untitled", None, False, 0)
    assert Document(number=3).title == "Untitled 3"


def test_loading_takes_over_what_the_file_is(document, tmp_path):
    path = tmp_path / "x.py"
    path.write_bytes("\ufeffä = 1\r\n".encode())
    assert document.load(path) == "ä = 1\r\n"
    assert (document.encoding_label, document.eol_label, document.language) == ("UTF-8 with BOM", "CRLF", "python")
    assert (document.title, document.path) == ("x.py", path)


def test_mixed_line_ends_are_named(document, tmp_path):
    (tmp_path / "x.txt").write_bytes(b"a\r\nb\nc\r\n")
    document.load(tmp_path / "x.txt")
    assert document.eol_label == "CRLF (mixed)"


def test_a_file_that_cannot_be_read_leaves_the_document_as_it_was(document, tmp_path):
    (tmp_path / "x.txt").write_bytes("ü".encode("cp1252"))
    (tmp_path / "x.bin").write_bytes(b"a\0b")
    document.load(tmp_path / "x.txt")
    with pytest.raises(BinaryFileError):
        document.load(tmp_path / "x.bin")
    assert (document.title, document.encoding) == ("x.txt", "cp1252")


def test_saving_ends_the_modified_state_and_keeps_encoding_and_bom(document, tmp_path, qtbot):
    path = tmp_path / "x.txt"
    path.write_bytes("ä".encode("utf-16"))
    document.load(path)
    document.set_modified(True)
    with qtbot.waitSignal(document.modified_changed) as signal:
        document.save("äö")
    assert signal.args == [False]
    assert path.read_bytes() == b"\xff\xfe" + "äö".encode("utf-16-le")


def test_saving_under_another_name_takes_that_name_and_its_language(document, tmp_path, qtbot):
    with qtbot.waitSignal(document.path_changed):
        document.save("x = 1", tmp_path / "x.py")
    assert (document.title, document.language) == ("x.py", "python")


def test_a_file_changed_on_disk_is_written_only_by_force(document, tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("mine")
    document.load(path)
    path.write_text("theirs")
    assert document.changed_on_disk
    with pytest.raises(ChangedOnDiskError, match="changed by another program"):
        document.save("mine, edited")
    assert path.read_text() == "theirs"
    document.save("mine, edited", force=True)
    assert path.read_text() == "mine, edited"
    assert not document.changed_on_disk
    document.save("once more")  # its own writing is no change by another


def test_a_file_that_was_deleted_is_written_again(document, tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("mine")
    document.load(path)
    path.unlink()
    assert document.is_gone
    document.save("mine")
    assert path.read_text() == "mine"


def test_a_text_without_its_file_counts_as_modified_until_the_file_is_there_again(document, tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("mine")
    document.load(path)
    assert not document.notice_loss()
    path.unlink()
    told: list[bool] = []
    document.modified_changed.connect(told.append)
    assert document.notice_loss()
    assert not document.notice_loss()  # no news any more
    document.set_modified(False)  # an undo back to what the file was
    assert (document.is_modified, told) == (True, [True])
    document.save("mine")
    assert (document.is_modified, told) == (False, [True, False])
    path.unlink()
    assert document.notice_loss()
    path.write_text("mine")
    assert not document.notice_loss()
    assert not document.is_modified


def test_a_failed_save_changes_nothing(document, tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes("ä".encode("cp1252"))
    document.load(path)
    document.set_modified(True)
    with pytest.raises(UnencodableError):
        document.save("日")
    path.chmod(0o444)
    with pytest.raises(ReadOnlyError):
        document.save("ö", path)
    assert document.is_modified
    assert document.is_read_only
    assert path.read_bytes() == "ä".encode("cp1252")


def test_choosing_utf8_makes_the_save_possible(document, tmp_path, qtbot):
    path = tmp_path / "x.txt"
    path.write_bytes("ä".encode("cp1252"))
    document.load(path)
    with qtbot.waitSignal(document.properties_changed):
        document.set_encoding("utf-8")
    document.save("日")
    assert path.read_text(encoding="utf-8") == "日"


def test_a_path_that_does_not_exist_yet_can_be_begun(document, tmp_path):
    document.begin(tmp_path / "new.md")
    assert (document.title, document.language, document.is_gone) == ("new.md", "markdown", False)
    document.save("# New")
    assert (tmp_path / "new.md").read_text() == "# New"


def test_saving_an_unnamed_document_needs_a_path(document):
    with pytest.raises(ValueError, match="needs one"):
        document.save("text")


def test_every_change_is_a_new_revision(document, qtbot):
    with qtbot.waitSignal(document.changed):
        document.bump()
    assert document.revision == 1


def test_a_language_can_be_chosen_by_hand(document, qtbot):
    with qtbot.waitSignal(document.properties_changed):
        document.set_language("yaml")
    assert document.language == "yaml"
