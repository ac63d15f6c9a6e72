"""Marks text that was edited under a proposal, so that the proposal no longer fits."""

from __future__ import annotations

from collections.abc import Sequence

from app.editor import appearance
from app.editor.indicators import Indicator
from app.editor.surface import Surface


def mark_stale(surface: Surface, ranges: Sequence[tuple[int, int]]) -> None:
    """Marks these ranges of bytes, and a sign beside their lines; what was marked before is not any more."""
    surface.setIndicatorCurrent(Indicator.STALE)
    surface.indicatorClearRange(0, surface.length())
    surface.markerDeleteAll(appearance.STALE_MARK)
    for start, end in ranges:
        if end > start:
            surface.indicatorFillRange(start, end - start)
        for line in range(surface.lineFromPosition(start), surface.lineFromPosition(end) + 1):
            surface.markerAdd(line, appearance.STALE_MARK)
