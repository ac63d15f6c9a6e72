"""Proposals made by hand."""

from __future__ import annotations

from datetime import UTC, datetime

from app.infill.proposal import Place, Proposal, new_id
from app.infill.record import RunRecord
from engine.types import Cell, CellState, InfillRequest, SpanDraft, TextSpan, Variation

RECORD = RunRecord(datetime(2026, 1, 1, tzinfo=UTC), "fill", (), (), (), {}, 0, "fake", 1.0, 1)


class Text:
    """A text that can be read in ranges, and changed."""

    def __init__(self, text: str) -> None:
        self.text = text

    def text_range(self, start: int, end: int) -> str:
        return self.text[start:end]

    def change(self, start: int, end: int, new: str) -> None:
        self.text = self.text[:start] + new + self.text[end:]


def draft(*words: str) -> SpanDraft:
    return SpanDraft(tuple(Cell(word, CellState.ACCEPTED, 0.9) for word in words))


def variation(*texts: str, seed: int = 0) -> Variation:
    return Variation(texts, tuple(draft(text) for text in texts), seed, -1.0)


def propose(source: Text, *pairs: tuple[str, str]) -> Proposal:
    """A proposal to replace the first occurrence of each old text by a new one."""
    places = []
    for old, _ in pairs:
        start = source.text.index(old)
        places.append(Place(TextSpan(start, start + len(old)), old))
    return Proposal(new_id(), tuple(places), (variation(*(new for _, new in pairs)),), InfillRequest("", ()), (RECORD,))
