"""A text file as the command line sees it: exact code points; what is not replaced is written back as it was."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.types import TextSpan

LARGEST_BYTES = 256 * 1024 * 1024

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_LINE_END = re.compile(r"\r\n|\r|\n")


class TextFileError(EngineError):
    """A file cannot be read, addressed or written; `str(error)` is one sentence."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A decoded file. `text` has no byte order mark and its own line ends; offsets are code points of it."""

    path: Path
    text: str
    encoding: str
    mark: bytes

    @property
    def eol(self) -> str:
        """The commonest line end of the text, "\\n" where there is none."""
        ends = _LINE_END.findall(self.text)
        return max(("\n", "\r\n", "\r"), key=ends.count) if ends else "\n"


def read(path: Path) -> TextFile:
    """Reads a text file: Unicode by its byte order mark, else UTF-8, else Latin-1 (where every byte is a character).

    Raises:
        TextFileError: the file is missing, unreadable, binary or very large.
    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise TextFileError(f"{path} is larger than {LARGEST_BYTES >> 20} MB; nothing was done.")
        data = path.read_bytes()
    except OSError as error:
        raise TextFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", "utf-8"))
    body = data[len(mark) :]
    if encoding == "utf-8" and b"\0" in body:
        raise TextFileError(f"{path} is a binary file, not text; nothing was done.")
    try:
        return TextFile(path, body.decode(encoding), encoding, mark)
    except UnicodeDecodeError as error:
        if mark:
            raise TextFileError(f"{path} begins as {encoding} but is not valid {encoding} further on.") from error
        return TextFile(path, body.decode("latin-1"), "latin-1", b"")


def line_span(text: str, first: int, last: int) -> TextSpan:
    """Lines first to last, counted from 1, without the last one's line end.

    Raises:
        TextFileError: there are no such lines.
    """
    starts = _line_starts(text)
    if not 1 <= first <= last <= len(starts):
        raise TextFileError(f"There are no lines {first}-{last}: the file has lines 1-{len(starts)}.")
    return TextSpan(starts[first - 1], _line_stop(text, starts, last))


def caret(text: str, line: int, column: int) -> TextSpan:
    """The empty span at a line and column, both counted from 1 in code points.

    Raises:
        TextFileError: there is no such place.
    """
    starts = _line_starts(text)
    if not 1 <= line <= len(starts):
        raise TextFileError(f"There is no line {line}: the file has lines 1-{len(starts)}.")
    start, stop = starts[line - 1], _line_stop(text, starts, line)
    if not 1 <= column <= stop - start + 1:
        raise TextFileError(f"There is no column {column} in line {line}: it has columns 1-{stop - start + 1}.")
    return TextSpan(start + column - 1, start + column - 1)


def with_line_ends(text: str, eol: str) -> str:
    """The text with every line end turned into `eol`."""
    return _LINE_END.sub(eol, text)


def replaced(text: str, spans: Sequence[TextSpan], texts: Sequence[str]) -> str:
    """The text with each span replaced by its new text; spans are ascending and disjoint."""
    pieces, position = [], 0
    for span, new in zip(spans, texts, strict=True):
        pieces += [text[position : span.start], new]
        position = span.end
    return "".join([*pieces, text[position:]])


def write(file: TextFile, text: str) -> None:
    """Replaces the file by `text` in one step, in its own encoding: another file in the same folder takes its place.

    Raises:
        TextFileError: the file was changed meanwhile, or cannot be encoded or written; it is then as it was before.
    """
    try:
        data = file.mark + text.encode(file.encoding)
    except UnicodeEncodeError as error:
        sign = error.object[error.start]
        raise TextFileError(f"{file.path} is {file.encoding}, which has no “{sign}”; it was not changed.") from error
    if read(file.path) != file:
        raise TextFileError(f"{file.path} was changed by another program meanwhile; it was left as it is now.")
    target = file.path.resolve()
    try:
        _replace(target, data)
    except OSError as error:
        raise TextFileError(f"{file.path} was not changed: {error.strerror or error}.") from error


def _replace(target: Path, data: bytes) -> None:
    old = target.stat()
    if not old.st_mode & 0o222 or not os.access(target, os.W_OK):  # root could, but did not mean to
        raise PermissionError(None, "it may not be written to")
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if hasattr(os, "chown"):
            with contextlib.suppress(OSError):
                os.chown(temporary, old.st_uid, old.st_gid)
        temporary.chmod(old.st_mode & 0o7777)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in _LINE_END.finditer(text))]


def _line_stop(text: str, starts: Sequence[int], line: int) -> int:
    if line == len(starts):
        return len(text)
    start, following = starts[line - 1], starts[line]
    return start + len(text[start:following].rstrip("\r\n"))
