"""The spans a run writes in, and what is shown there before its first frame. Pure values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from app.editor.edits import Edit
from engine.types import Cell, CellState, SpanDraft, TextSpan


class Source(Protocol):
    """A text of which ranges can be read, like an EditorView."""

    def text_range(self, start: int, end: int) -> str:
        """The text between two offsets."""


@dataclass(frozen=True, slots=True)
class Target:
    """Spans of the document and the text they had when the engine was asked."""

    spans: tuple[TextSpan, ...]
    originals: tuple[str, ...]

    @classmethod
    def read(cls, source: Source, spans: Sequence[TextSpan]) -> Target:
        """The spans with the text they have now."""
        return cls(tuple(spans), tuple(source.text_range(span.start, span.end) for span in spans))

    def after(self, edit: Edit) -> Target | None:
        """The target after an edit of the document, or None when the edit was in it."""
        if any(edit.touches(span) for span in self.spans):
            return None
        return replace(self, spans=tuple(edit.moved(span) for span in self.spans))

    def is_at(self, caret: int, selections: Sequence[TextSpan]) -> bool:
        """Whether the caret is in one of the spans, or what was selected for one still is."""
        return any(
            contains(span, caret) or any(covers(selected, span) for selected in selections) for span in self.spans
        )


def contains(span: TextSpan, offset: int) -> bool:
    """Whether a caret at `offset` is in the span or at its border."""
    return span.start <= offset <= span.end


def covers(selected: TextSpan, span: TextSpan) -> bool:
    """Whether a selection begins with the span: it may have a last line end that the span has not."""
    return selected.start == span.start and span.end <= selected.end


def collide(first: TextSpan, second: TextSpan) -> bool:
    """Whether two spans cannot both be proposed for: they overlap, or one is a caret in or at the other."""
    if first.start == first.end or second.start == second.end:
        return first.start <= second.end and second.start <= first.end
    return first.start < second.end and second.start < first.end


def dissolved(target: Target) -> tuple[SpanDraft, ...]:
    """What is shown before the first frame: the spans' own text turned to masks, about one for a token."""
    return tuple(SpanDraft((Cell("", CellState.MASKED),) * _masks_for(text)) for text in target.originals)


def untouched(target: Target) -> tuple[SpanDraft, ...]:
    """What is shown before the first frame of a refinement, which keeps some of the text: all of it."""
    return tuple(SpanDraft((Cell(text, CellState.KEPT, 1.0),)) for text in target.originals)


def _masks_for(text: str) -> int:
    written = sum(1 for character in text if not character.isspace())
    return max(1, min(512, round(written / 4))) if text else 6
