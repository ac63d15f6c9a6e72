"""A result that waits for the user: what would stand where. Pure values; edits elsewhere move them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from app.editor.draft import SpanPreview
from app.editor.edits import Edit
from engine.types import Cell, CellState, SpanDraft, TextSpan

_WRITTEN = frozenset({CellState.REVEALED, CellState.ACCEPTED, CellState.DOUBTFUL})


class _Source(Protocol):
    def text_range(self, start: int, end: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Target:
    """Spans of the document and the text they had when the engine was asked."""

    spans: tuple[TextSpan, ...]
    originals: tuple[str, ...]

    @classmethod
    def read(cls, source: _Source, spans: Sequence[TextSpan]) -> Target:
        """The spans with the text they have now."""
        return cls(tuple(spans), tuple(source.text_range(span.start, span.end) for span in spans))

    def after(self, edit: Edit) -> Target | None:
        """The target after an edit of the document, or None when the edit was in it."""
        if any(edit.touches(span) for span in self.spans):
            return None
        return replace(self, spans=tuple(edit.moved(span) for span in self.spans))

    def contains(self, offset: int) -> bool:
        """Whether a caret at `offset` is in one of the spans or at its border."""
        return any(span.start <= offset <= span.end for span in self.spans)

    def is_covered_by(self, selected: TextSpan) -> bool:
        """Whether a selection begins with one of the spans: it may have a last line end that the span has not."""
        return any(selected.start == span.start and span.end <= selected.end for span in self.spans)

    def still_holds(self, source: _Source) -> bool:
        """Whether the document has the same text there."""
        return all(
            source.text_range(span.start, span.end) == text
            for span, text in zip(self.spans, self.originals, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """New texts for a target's spans, not yet part of the document."""

    target: Target
    drafts: tuple[SpanDraft, ...]

    @classmethod
    def revealed(cls, target: Target, drafts: Sequence[SpanDraft]) -> Proposal | None:
        """What a run that was stopped has written, its masks left out. Spans with nothing written keep their text."""
        chosen = [index for index, draft in enumerate(drafts) if any(cell.state in _WRITTEN for cell in draft.cells)]
        if not chosen or len(drafts) != len(target.spans):
            return None
        kept = Target(
            tuple(target.spans[index] for index in chosen), tuple(target.originals[index] for index in chosen)
        )
        return cls(kept, tuple(_without_masks(drafts[index]) for index in chosen))

    @classmethod
    def finished(cls, target: Target, drafts: Sequence[SpanDraft], texts: Sequence[str]) -> Proposal | None:
        """A whole result; None when it does not fit the target or is the text that is there already."""
        if not len(drafts) == len(texts) == len(target.spans) or tuple(texts) == target.originals:
            return None
        fitting = (
            draft if draft.text == text else SpanDraft((Cell(text, CellState.ACCEPTED, 1.0),))
            for draft, text in zip(drafts, texts, strict=True)
        )
        return cls(target, tuple(_without_masks(draft) for draft in fitting))

    def after(self, edit: Edit) -> Proposal | None:
        """The proposal after an edit of the document, or None when the edit was in one of its spans."""
        target = self.target.after(edit)
        return replace(self, target=target) if target is not None else None

    def changes(self) -> list[tuple[int, int, str]]:
        """What accepting does: (start, end, new text), ascending."""
        return [(span.start, span.end, draft.text) for span, draft in zip(self.target.spans, self.drafts, strict=True)]

    def all_texts(self, target: Target) -> tuple[str, ...]:
        """For every span of the target it was made of the proposed text, or the text that stays."""
        texts = dict(zip(self.target.spans, (draft.text for draft in self.drafts), strict=True))
        return tuple(texts.get(span, text) for span, text in zip(target.spans, target.originals, strict=True))

    def previews(self) -> list[SpanPreview]:
        """How it is shown."""
        return [
            SpanPreview(span, draft.cells, is_proposal=True)
            for span, draft in zip(self.target.spans, self.drafts, strict=True)
        ]


def dissolved(target: Target) -> tuple[SpanDraft, ...]:
    """What is shown before the first frame: the spans' own text turned to masks, about one for a token."""
    return tuple(SpanDraft((Cell("", CellState.MASKED),) * _masks_for(text)) for text in target.originals)


def untouched(target: Target) -> tuple[SpanDraft, ...]:
    """What is shown before the first frame of a refinement, which keeps some of the text: all of it."""
    return tuple(SpanDraft((Cell(text, CellState.KEPT, 1.0),)) for text in target.originals)


def _masks_for(text: str) -> int:
    written = sum(1 for character in text if not character.isspace())
    return max(1, min(512, round(written / 4))) if text else 6


def _without_masks(draft: SpanDraft) -> SpanDraft:
    return SpanDraft(tuple(cell for cell in draft.cells if cell.state is not CellState.MASKED))
