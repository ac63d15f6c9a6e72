"""Positions in a text: byte (`pos`, what Scintilla counts), code point (`offset`, what Python counts), UTF-16 unit.

A `pos` inside a character, or out of range, is taken to be at the nearest character border before it.
"""

from __future__ import annotations

from bisect import bisect_right

_CONTINUATION = bytes(range(0x80, 0xC0))
_STRIDE = 4096


def floor_pos(data: bytes, pos: int) -> int:
    """The start of the character that `pos` is in."""
    pos = max(0, min(pos, len(data)))
    while 0 < pos < len(data) and 0x80 <= data[pos] < 0xC0:
        pos -= 1
    return pos


def ceil_pos(data: bytes, pos: int) -> int:
    """The end of the character that `pos` is inside of; `pos` itself at a border."""
    pos = max(0, min(pos, len(data)))
    while pos < len(data) and 0x80 <= data[pos] < 0xC0:
        pos += 1
    return pos


def offset_of_pos(data: bytes, pos: int) -> int:
    """How many code points stand before byte `pos` of the UTF-8 text `data`."""
    return _count(data[: floor_pos(data, pos)])


def pos_of_offset(data: bytes, offset: int) -> int:
    """The byte at which code point `offset` of the UTF-8 text `data` begins."""
    return PositionIndex(data).pos(offset)


def pos_in_text(text: str, offset: int) -> int:
    """The same for a text that is at hand as a string."""
    return len(text[: max(0, offset)].encode("utf-8"))


def utf16_of_offset(text: str, offset: int) -> int:
    """UTF-16 units before code point `offset`: what Qt's own text classes and accessibility count."""
    return len(text[: max(0, offset)].encode("utf-16-le")) // 2


def offset_of_utf16(text: str, unit: int) -> int:
    """Code points before UTF-16 unit `unit`; a unit inside a surrogate pair counts as the pair's start."""
    head = text.encode("utf-16-le")[: 2 * max(0, unit)]
    return len(head.decode("utf-16-le", errors="ignore"))


class PositionIndex:
    """Answers many questions about one text fast: counts once, a checkpoint every few kilobytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._is_ascii = data.isascii()
        self._offsets = [0]  # code points before byte _STRIDE * i
        if not self._is_ascii:
            for start in range(0, len(data), _STRIDE):
                self._offsets.append(self._offsets[-1] + _count(data[start : start + _STRIDE]))

    def offset(self, pos: int) -> int:
        """Code points before byte `pos`."""
        pos = floor_pos(self._data, pos)
        if self._is_ascii:
            return pos
        block = pos // _STRIDE
        return self._offsets[block] + _count(self._data[block * _STRIDE : pos])

    def pos(self, offset: int) -> int:
        """The byte at which code point `offset` begins; the end of the text for one behind it."""
        if offset <= 0:
            return 0
        if self._is_ascii:
            return min(offset, len(self._data))
        if offset >= self._offsets[-1]:
            return len(self._data)
        block = bisect_right(self._offsets, offset) - 1
        pos, missing = block * _STRIDE, offset - self._offsets[block]
        pos = ceil_pos(self._data, pos)
        tail = self._data[pos : pos + 4 * missing + 4].decode("utf-8", errors="replace")
        return pos + len(tail[:missing].encode("utf-8"))


def _count(data: bytes) -> int:
    return len(data.translate(None, _CONTINUATION))
