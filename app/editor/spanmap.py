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

    def follow(self, pos: int, removed: int, inserted: int) -> bool:
        """Takes over an edit of the real text. False when it touches a span: the map is no longer of use then."""
        end = pos + removed
        for stretch in self._stretches:
            is_empty = stretch.start == stretch.end
            if pos <= stretch.start <= end if is_empty else pos < stretch.end and stretch.start < end:
                return False
            if not removed and stretch.start < pos < stretch.end:
                return False
        for stretch in self._stretches:
            if end <= stretch.start:
                stretch.start += inserted - removed
                stretch.end += inserted - removed
        return True
