"""Counts the code points of a text that changes, without reading all of it again. Pure.

Scintilla's own line index (UTF-32) is not used: it goes wrong when an edit splits or joins CR and LF, and it counts
the bytes of noncharacters like U+FFFE singly (both seen by tests/app/infill/test_random_use.py).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from itertools import accumulate

_CONTINUATION = bytes(range(0x80, 0xC0))
BLOCK = 8192


class OffsetIndex:
    """Code points per block of bytes, kept up with every edit. Counts add up wherever the blocks are cut, because a
    code point is counted at its first byte."""

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        """Args: read: gives the text's bytes in [start, end) as they are now."""
        self._read = read
        self._bytes = [0]
        self._points = [0]
        self._starts: list[int] | None = None
        self._offsets: list[int] | None = None

    @property
    def length(self) -> int:
        """Code points in all."""
        return sum(self._points)

    def load(self, data: bytes) -> None:
        """Begins anew with a whole text."""
        self._bytes, self._points = _counted(data)
        self._forget()

    def inserted(self, pos: int, data: bytes) -> None:
        """Takes over an insertion that was made."""
        block = self._block_of(pos)
        self._bytes[block] += len(data)
        self._points[block] += _count(data)
        self._forget()
        if self._bytes[block] > 4 * BLOCK:
            start = sum(self._bytes[:block])
            sizes, points = _counted(self._read(start, start + self._bytes[block]))
            self._bytes[block : block + 1] = sizes
            self._points[block : block + 1] = points

    def deleted(self, pos: int, data: bytes) -> None:
        """Takes over a deletion that was made, of these bytes."""
        block = self._block_of(pos)
        room = sum(self._bytes[: block + 1]) - pos
        while data:
            self._bytes[block] -= min(room, len(data))
            self._points[block] -= _count(data[:room])
            data = data[room:]
            block += 1
            room = self._bytes[block] if data else 0
        self._forget()

    def offset(self, pos: int) -> int:
        """Code points that begin before byte `pos`."""
        starts, offsets = self._sums()
        block = self._block_of(pos)
        return offsets[block] + _count(self._read(starts[block], pos))

    def pos(self, offset: int) -> int:
        """The byte at which code point `offset` begins; the end of the text for one behind it."""
        starts, offsets = self._sums()
        if offset <= 0:
            return 0
        if offset >= offsets[-1]:
            return starts[-1]
        block = bisect_right(offsets, offset) - 1
        data = self._read(starts[block], starts[block + 1])
        if len(data) == self._points[block]:
            return starts[block] + offset - offsets[block]
        body = data.lstrip(_CONTINUATION)  # the end of a character that began in the block before
        before = body.decode("utf-8", "ignore")[: offset - offsets[block]]
        return starts[block] + len(data) - len(body) + len(before.encode("utf-8"))

    def _block_of(self, pos: int) -> int:
        starts, _ = self._sums()
        return min(bisect_right(starts, pos) - 1, len(self._bytes) - 1)

    def _sums(self) -> tuple[list[int], list[int]]:
        if self._starts is None or self._offsets is None:
            self._starts = list(accumulate(self._bytes, initial=0))
            self._offsets = list(accumulate(self._points, initial=0))
        return self._starts, self._offsets

    def _forget(self) -> None:
        self._starts = self._offsets = None


def _counted(data: bytes) -> tuple[list[int], list[int]]:
    """Sizes and code points of the blocks of a text."""
    blocks = [data[start : start + BLOCK] for start in range(0, len(data), BLOCK)] or [b""]
    sizes = [len(block) for block in blocks]
    return sizes, list(sizes) if data.isascii() else [_count(block) for block in blocks]


def _count(data: bytes) -> int:
    return len(data) if data.isascii() else len(data.translate(None, _CONTINUATION))
