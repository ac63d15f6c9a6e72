"""The parts of a text that are searched, through its edits. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from app.editor.edits import Edit, merged
from engine.types import TextSpan


class Scope:
    """Spans of code points, ascending and disjoint. What is written in one, or right at its ends, belongs to it."""

    def __init__(self, spans: Iterable[TextSpan]) -> None:
        self.spans = merged(spans)

    def follow(self, edit: Edit) -> None:
        """Takes over an edit of the text."""
        spans, last = list[TextSpan](), 0
        for span in self.spans:  # what is written where two adjoin belongs to the first
            start = max(last, _start(span.start, edit))
            last = max(start, _end(span.end, edit))
            spans.append(TextSpan(start, last))
        self.spans = spans


def _start(start: int, edit: Edit) -> int:
    if edit.start >= start:
        return start
    return start + edit.growth if edit.end <= start else edit.start


def _end(end: int, edit: Edit) -> int:
    if edit.start > end:
        return end
    return end + edit.growth if edit.end <= end else edit.start
