"""A run that writes some words of a proposal anew: asked on the document with the proposal put in. Pure.

The engine knows nothing of it: it sees an ordinary text, with the words to be written as its spans. What it answers is
put between the words that stay, and so is a draft, or a result, of the proposal's own places again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from app.infill.context import FILL, REWRITE, NothingToFillError, Prepared, TextSource, prepare
from app.infill.proposal import Proposal
from app.infill.wordmarks import WordMarks, rewritten
from engine.types import Cell, CellState, InfillRequest, SpanDraft, TextSpan, Variation


@dataclass(frozen=True, slots=True)
class Rewriting:
    """The proposed texts, and for each the ranges in it that are written anew."""

    texts: tuple[str, ...]
    ranges: tuple[tuple[TextSpan, ...], ...]

    @property
    def count(self) -> int:
        """How many ranges the engine writes in."""
        return sum(map(len, self.ranges))

    def drafts(self, written: Sequence[SpanDraft]) -> tuple[SpanDraft, ...]:
        """The engine's drafts of the ranges as drafts of the places: what stays is around them."""
        left = iter(written)
        return tuple(
            SpanDraft(tuple(self._cells(text, ranges, left)))
            for text, ranges in zip(self.texts, self.ranges, strict=True)
        )

    def variation(self, written: Variation) -> Variation:
        """One of the engine's results as one of the proposal's places."""
        drafts, left = self.drafts(written.spans), iter(written.texts)
        texts = (
            "".join(part if kept else next(left) for part, kept in _parts(text, ranges))
            for text, ranges in zip(self.texts, self.ranges, strict=True)
        )
        return replace(written, texts=tuple(texts), spans=drafts)

    def dissolved(self) -> tuple[SpanDraft, ...]:
        """What is shown before the first frame: a mask for each word that is to come."""
        return self.drafts(
            [
                SpanDraft((Cell("", CellState.MASKED),) * max(1, len(text[span.start : span.end].split())))
                for text, ranges in zip(self.texts, self.ranges, strict=True)
                for span in ranges
            ]
        )

    def _cells(self, text: str, ranges: Sequence[TextSpan], left: Iterator[SpanDraft]) -> Iterator[Cell]:
        for part, kept in _parts(text, ranges):
            if not kept:
                yield from next(left).cells
            elif part:
                yield Cell(part, CellState.KEPT, 1.0)


def prepare_rewriting(
    source: TextSource, proposal: Proposal, marks: Sequence[WordMarks], options: InfillRequest, extent: int
) -> tuple[Prepared, Rewriting]:
    """The request for what is marked in a proposal, none of whose places is stale. Raises NothingToFillError."""
    wanted = rewritten(proposal.texts, marks)
    text = _Overlay(source, proposal.spans, proposal.texts)
    spans = [text.placed(place, span) for place, ranges in enumerate(wanted) for span in ranges]
    if not spans:
        raise NothingToFillError("Every word is locked, so there is nothing to write.")
    wish = REWRITE if any(one.masked for one in marks) else FILL
    prepared = prepare(text, spans, spans[0].start, wish, options, extent)
    ranges = tuple(tuple(text.inside(place, span) for span in prepared.spans if text.has(place, span))
                   for place in range(len(proposal.places)))  # fmt: skip
    rewriting = Rewriting(proposal.texts, ranges)
    if rewriting.count != len(prepared.spans):
        raise NothingToFillError("Two places touch here: accept or discard one of them first.")
    return Prepared(prepared.request, proposal.spans), rewriting


class _Overlay:
    """A text in which other texts stand in some places."""

    def __init__(self, source: TextSource, places: Sequence[TextSpan], texts: Sequence[str]) -> None:
        self._source, self._places, self._texts = source, places, texts
        growths = [len(text) - (place.end - place.start) for place, text in zip(places, texts, strict=True)]
        shifts = list(accumulate(growths, initial=0))
        self._starts = [place.start + shift for place, shift in zip(places, shifts[:-1], strict=True)]
        self._length = source.length + shifts[-1]

    @property
    def length(self) -> int:
        return self._length

    def text_range(self, start: int, end: int) -> str:
        parts: list[str] = []
        at = shown = 0  # in the source, and here
        for place, text, begin in zip(self._places, self._texts, self._starts, strict=True):
            parts.append(_cut(begin - shown, start - shown, end - shown, self._reader(at)))
            parts.append(text[max(0, start - begin) : max(0, end - begin)])
            at, shown = place.end, begin + len(text)
        parts.append(_cut(self._length - shown, start - shown, end - shown, self._reader(at)))
        return "".join(parts)

    def placed(self, place: int, span: TextSpan) -> TextSpan:
        """Where a range of a place's text is."""
        return TextSpan(self._starts[place] + span.start, self._starts[place] + span.end)

    def inside(self, place: int, span: TextSpan) -> TextSpan:
        """The reverse."""
        return TextSpan(span.start - self._starts[place], span.end - self._starts[place])

    def has(self, place: int, span: TextSpan) -> bool:
        """Whether a range is in a place's text."""
        inside = self.inside(place, span)
        return inside.start >= 0 and inside.end <= len(self._texts[place])

    def _reader(self, at: int) -> Callable[[int, int], str]:
        return lambda start, end: self._source.text_range(at + start, at + end)


def _cut(length: int, start: int, end: int, read: Callable[[int, int], str]) -> str:
    first, last = max(0, start), min(length, end)
    return read(first, last) if first < last else ""


def _parts(text: str, ranges: Sequence[TextSpan]) -> Iterator[tuple[str, bool]]:
    """The text in pieces, each with whether it stays."""
    at = 0
    for span in ranges:
        yield text[at : span.start], True
        yield text[span.start : span.end], False
        at = span.end
    yield text[at:], True
