"""Marks of the real text, shown in the copy of it that holds drafts."""

from __future__ import annotations

from collections.abc import Iterable

from app.editor.spanmap import SpanMap
from app.editor.surface import Surface


def mirror(copy: Surface, spans: SpanMap, indicator: int, ranges: Iterable[tuple[int, int]]) -> None:
    """Marks these ranges (bytes of the real text) in the copy and nothing else, but for what drafts have replaced."""
    copy.setIndicatorCurrent(indicator)
    copy.indicatorClearRange(0, copy.length())
    for start, end in ranges:
        for index, (first, last) in enumerate(spans.all_real):
            if start < first < end:
                pos = spans.to_shown(start)
                copy.indicatorFillRange(pos, spans.shown(index)[0] - pos)
            if first < end:
                start = max(start, last)
        if start < end:
            pos = spans.to_shown(start)
            copy.indicatorFillRange(pos, spans.to_shown(end - 1) + 1 - pos)
