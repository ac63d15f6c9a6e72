"""Files keep every byte; what cannot be read or written is told in a sentence and nothing is lost."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.document import files
from app.document.files import (
    BinaryFileError,
    DiskFullError,
    FileError,
    FolderGoneError,
    NotFoundError,
    PermissionDeniedError,
    ReadOnlyError,
    TooLargeError,
    UndecodableError,
    UnencodableError,
    detect_eol,
    encode,
    has_changed,
    read_file,
    write_atomically,
)


@pytest.mark.parametrize(
    ("text", "eol", "mixed"),
    [
        ("one line", "\n", False),
        ("a\nb\n", "\n", False),
        ("a\r\nb\r\n", "\r\n", False),
        ("a\rb\r", "\r", False),
        ("a\r\nb\r\nc\n", "\r\n", True),
        ("a\n\rb\n", "\n", True),
    ],
)
def test_the_commonest_line_end_is_found(text, eol, mixed):
    assert detect_eol(text) == (eol, mixed)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no end",
        b"a\r\nb\nc\rd\r\r\n",
        "\ufeffmit BOM ü\r\n".encode(),
        "ä\n".encode("cp1252"),
        "ä\n".encode("utf-16"),
    ],
)
def test_reading_and_writing_a_file_gives_the_same_bytes(tmp_path, data):
    path = tmp_path / "file.txt"
    path.write_bytes(data)
    content = read_file(path)
    write_atomically(path, encode(content.text, content.encoding, bom=content.bom))
    assert path.read_bytes() == data


@given(st.text(alphabet="aü日😀\r\n\t ", max_size=40))
def test_line_ends_of_any_mixture_come_back_byte_for_byte(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("eol") / "file.txt"
    path.write_bytes(text.encode())
    assert read_file(path).text == text


def test_a_binary_file_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    with pytest.raises(BinaryFileError, match=r"“image\.png” is not a text file"):
        read_file(path)


def test_an_encoding_that_does_not_fit_is_refused_in_a_sentence(tmp_path):
    path = tmp_path / "old.txt"
    path.write_bytes(b"caf\xe9")
    with pytest.raises(UndecodableError, match="not valid UTF-8"):
        read_file(path, "utf-8")


def test_a_missing_file_a_folder_and_a_pipe_are_refused(tmp_path):
    with pytest.raises(NotFoundError, match="does not exist"):
        read_file(tmp_path / "none.txt")
    with pytest.raises(FileError, match="is a folder"):
        read_file(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(FileError, match="not an ordinary file"):
            read_file(tmp_path / "pipe")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "large.txt"
    path.write_bytes(b"12345")
    monkeypatch.setattr(files, "MAX_BYTES", 4)
    with pytest.raises(TooLargeError, match="larger than"):
        read_file(path)


def test_a_full_disk_leaves_the_old_file_whole_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "thesis.txt"
    path.write_bytes(b"three years of work")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match="disk is full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"three years of work"
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.EROFS, ReadOnlyError),
        (errno.EACCES, PermissionDeniedError),
        (errno.ENOENT, FolderGoneError),
        (errno.EIO, FileError),
    ],
)
def test_every_failure_of_the_disk_has_its_sentence(tmp_path, monkeypatch, code, error):
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")

    def failing(_self: Path, _target: Path) -> Path:
        raise OSError(code, "no luck")

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(error) as caught:
        write_atomically(path, b"new")
    assert str(caught.value).endswith(".")
    monkeypatch.undo()
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("file.txt", b"old")]


def test_a_write_protected_file_is_not_replaced_even_by_root(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(ReadOnlyError, match="write-protected"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_folder_that_is_gone_is_told(tmp_path):
    with pytest.raises(FolderGoneError, match="does not exist any more"):
        write_atomically(tmp_path / "gone" / "file.txt", b"new")


def test_a_folder_is_not_written_over(tmp_path):
    with pytest.raises(FileError, match="is a folder"):
        write_atomically(tmp_path, b"new")


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links are of POSIX")
def test_mode_and_symbolic_link_are_kept(tmp_path):
    target, link = tmp_path / "script.sh", tmp_path / "link.sh"
    target.write_bytes(b"old")
    target.chmod(0o750)
    link.symlink_to(target)
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o750


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")
def test_a_new_file_gets_the_mode_the_user_gives_new_files(tmp_path):
    old = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new.txt", b"new")
    finally:
        os.umask(old)
    assert (tmp_path / "new.txt").stat().st_mode & 0o777 == 0o640


def test_a_touched_file_has_not_changed_but_a_written_one_has(tmp_path):
    path = tmp_path / "file.txt"
    path.write_bytes(b"old")
    stamp = read_file(path).stamp
    assert stamp is not None
    os.utime(path, (1, 1))
    assert not has_changed(path, stamp)
    path.write_bytes(b"new")
    assert has_changed(path, stamp)
    path.unlink()
    assert not has_changed(path, stamp)


def test_a_character_the_encoding_lacks_is_told_with_its_line():
    with pytest.raises(UnencodableError, match=r"“日” in line 2 does not exist in Windows-1252.*UTF-8"):
        encode("one\n日", "cp1252")
