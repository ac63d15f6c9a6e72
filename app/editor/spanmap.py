"""Which byte of the real text stands where in a copy whose spans hold something else. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class _Stretch:
    start: int
    end: int
    shown_length: int

    @property
    def growth(self) -> int:
        return self.shown_length - (self.end - self.start)


class SpanMap:
    """Maps positions between the real text ("real") and the copy with drafts in its spans ("shown").

    Inside a span only its two ends correspond; what is in between goes to the nearest position the other side has.
    """

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        """Args: spans: ascending, disjoint, half-open ranges of the real text, shown as they are at first."""
        self._stretches = [_Stretch(start, end, end - start) for start, end in spans]

    def __len__(self) -> int:
        return len(self._stretches)

    def real(self, index: int) -> tuple[int, int]:
        """Where span `index` is in the real text."""
        return self._stretches[index].start, self._stretches[index].end

    def shown(self, index: int) -> tuple[int, int]:
        """Where span `index` is in the copy."""
        start = self._stretches[index].start + sum(stretch.growth for stretch in self._stretches[:index])
        return start, start + self._stretches[index].shown_length

    @property
    def all_real(self) -> list[tuple[int, int]]:
        """Where the spans are in the real text."""
        return [(stretch.start, stretch.end) for stretch in self._stretches]

    def insert(self, start: int, end: int) -> int:
        """Adds a span of the real text, shown as it is at first. Returns its index."""
        key = (start, end)
        index = sum((stretch.start, stretch.end) < key for stretch in self._stretches)
        self._stretches.insert(index, _Stretch(start, end, end - start))
        return index

    def remove(self, index: int) -> None:
        """Forgets a span; the copy must show it as it is in the real text again."""
        del self._stretches[index]

    def resize(self, index: int, shown_length: int) -> None:
        """Notes that span `index` takes `shown_length` bytes in the copy now."""
        self._stretches[index].shown_length = shown_length

    def to_shown(self, pos: int) -> int:
        """Where a position of the real text is in the copy; one at a span's end goes to the draft's end."""
        growth = 0
        for stretch in self._stretches:
            if pos < stretch.end and pos <= stretch.start:
                break
            if pos < stretch.end:
                return stretch.start + growth + min(pos - stretch.start, stretch.shown_length)
            growth += stretch.growth
        return pos + growth

    def caret_to_shown(self, pos: int) -> int:
        """Where a caret is shown: at an empty span right before its draft, which goes on from there."""
        for index, stretch in enumerate(self._stretches):
            if stretch.start == stretch.end == pos:
                return self.shown(index)[0]
        return self.to_shown(pos)

    def to_real(self, pos: int) -> int:
        """Where a position of the copy is in the real text; one inside a draft goes to the span's nearer end."""
        growth = 0
        for stretch in self._stretches:
            shown_start = stretch.start + growth
            if pos <= shown_start:
                break
            if pos < shown_start + stretch.shown_length:
                return stretch.start if pos - shown_start < stretch.shown_length / 2 else stretch.end
            growth += stretch.growth
        return pos - growth

    def touched(self, pos: int, removed: int) -> list[int]:
        """Indices of the spans that an edit of the real text is in."""
        end = pos + removed
        found = []
        for index, stretch in enumerate(self._stretches):
            if stretch.start == stretch.end:
                is_touched = pos <= stretch.start <= end
            elif removed:
                is_touched = pos < stretch.end and stretch.start < end
            else:
                is_touched = stretch.start < pos < stretch.end
            if is_touched:
                found.append(index)
        return found

    def follow(self, pos: int, removed: int, inserted: int) -> None:
        """Takes over an edit of the real text that touches no span."""
        for stretch in self._stretches:
            if pos + removed <= stretch.start:
                stretch.start += inserted - removed
                stretch.end += inserted - removed
