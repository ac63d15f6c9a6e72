"""Files as bytes and as text: which encoding, which line ends, and how a file is replaced without ever being broken.

Nothing is normalized: what is read and written again unchanged is the same, byte for byte, or the file is refused.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from app.document.encodings import detect, encoding_label
from app.paths import replace_file

MAX_BYTES = 2**31 - 1 - 2**20  # Scintilla counts positions in 32 bits here


class FileError(Exception):
    """A file could not be read or written. str() is one sentence for the user."""


class NotFoundError(FileError):
    """There is no such file."""


class FolderGoneError(FileError):
    """The folder that the file should go into does not exist."""


class PermissionDeniedError(FileError):
    """The system does not allow it."""


class ReadOnlyError(PermissionDeniedError):
    """The file is write-protected."""


class DiskFullError(FileError):
    """No room on the disk; the old file is whole."""


class ChangedOnDiskError(FileError):
    """Someone else has written the file since it was read."""


class BinaryFileError(FileError):
    """The file is no text."""


class TooLargeError(FileError):
    """The file is larger than the editor can hold."""


class UndecodableError(FileError):
    """The bytes are no text in the encoding that was asked for."""


class UnencodableError(FileError):
    """The text holds a character that the file's encoding does not have."""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What a file was when it was read or written: tells whether someone else has changed it since."""

    mtime_ns: int
    size: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class FileContent:
    """A text file as it was read. `eol` is the commonest line end; the text holds the line ends as they were."""

    text: str
    encoding: str
    bom: bool
    eol: str
    mixed_eol: bool
    stamp: FileStamp | None = None


def read_file(path: Path, encoding: str | None = None) -> FileContent:
    """Reads a text file, in `encoding` or in the one it is found to be in. Raises FileError."""
    data, mtime_ns = _read_bytes(path)
    stamp = FileStamp(mtime_ns, len(data), _digest(data))
    decoded = detect(data, encoding)
    if decoded is None and encoding is not None:
        raise UndecodableError(f"“{path.name}” is not valid {encoding_label(encoding)}, so it was not opened that way.")
    if decoded is None:
        raise BinaryFileError(f"“{path.name}” is not a text file, so it was not opened.")
    eol, mixed = detect_eol(decoded.text)
    return FileContent(decoded.text, decoded.encoding, decoded.bom, eol, mixed, stamp)


def detect_eol(text: str, default: str = "\n") -> tuple[str, bool]:
    """The commonest line end of a text, and whether it has more than one kind."""
    both = text.count("\r\n")
    counts = {"\n": text.count("\n") - both, "\r\n": both, "\r": text.count("\r") - both}
    kinds = sum(1 for count in counts.values() if count)
    return (max(counts, key=lambda eol: counts[eol]) if kinds else default), kinds > 1


def encode(text: str, encoding: str, *, bom: bool = False) -> bytes:
    """The bytes of a text. Raises UnencodableError for a character that the encoding does not have."""
    try:
        return ("\ufeff" + text if bom else text).encode(encoding)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise UnencodableError(
            f"“{text[error.start]}” in line {line} does not exist in {encoding_label(encoding)}; "
            "nothing was saved. Save the file as UTF-8 to keep it."
        ) from error


def write_atomically(path: Path, data: bytes) -> FileStamp:
    """Replaces the file at `path` by `data`, or leaves it as it was and raises FileError."""
    _refuse_protected(path)
    try:
        replace_file(path, data)
        return FileStamp(path.stat().st_mtime_ns, len(data), _digest(data))
    except OSError as error:
        raise _write_error(path, error) from error


def has_changed(path: Path, stamp: FileStamp) -> bool:
    """Whether the file holds something else than when `stamp` was taken. A file that is gone has not changed."""
    try:
        now = path.stat()
        if now.st_mtime_ns == stamp.mtime_ns and now.st_size == stamp.size:
            return False
        return now.st_size != stamp.size or _digest(path.read_bytes()) != stamp.digest
    except OSError:
        return False


def is_read_only(path: Path) -> bool:
    """Whether the file exists and is protected from writing (even where the user, as root, could)."""
    try:
        return not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK)
    except OSError:
        return False


def _read_bytes(path: Path) -> tuple[bytes, int]:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise FileError(f"“{path.name or path}” is a folder, not a file.")
        if not stat.S_ISREG(found.st_mode):
            raise FileError(f"“{path.name}” is not an ordinary file, so it was not opened.")
        if found.st_size > MAX_BYTES:
            raise TooLargeError(f"“{path.name}” is larger than 2 GB, more than Redraft can hold.")
        return path.read_bytes(), found.st_mtime_ns
    except FileNotFoundError as error:
        raise NotFoundError(f"“{path}” does not exist.") from error
    except PermissionError as error:
        raise PermissionDeniedError(f"You may not read “{path}”.") from error
    except OSError as error:
        raise FileError(f"“{path}” could not be read: {error.strerror or error}.") from error


def _refuse_protected(path: Path) -> None:
    if path.is_dir():
        raise FileError(f"“{path.name or path}” is a folder; choose a file name.")
    if not Path(os.path.realpath(path)).parent.is_dir():
        raise FolderGoneError(f"The folder “{path.parent}” does not exist any more; save the file in another place.")
    if is_read_only(path):
        raise ReadOnlyError(f"“{path.name}” is write-protected; save it under another name.")


def _write_error(path: Path, error: OSError) -> FileError:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return DiskFullError(f"The disk is full; “{path.name}” was not saved, and the file on disk is as it was.")
    if error.errno == errno.EROFS:
        return ReadOnlyError(f"“{path.name}” is on a read-only disk; save it in another place.")
    if isinstance(error, PermissionError):
        return PermissionDeniedError(f"You may not write in “{path.parent}”; save the file in another place.")
    if isinstance(error, FileNotFoundError):
        return FolderGoneError(f"The folder “{path.parent}” does not exist any more; save the file in another place.")
    return FileError(f"“{path.name}” was not saved: {error.strerror or error}. The file on disk is as it was.")


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
