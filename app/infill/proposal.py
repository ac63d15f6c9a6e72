"""A result that waits for the user: what would stand where, in which variations. Pure values; edits move them."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from app.editor.edits import Edit, with_eol
from app.infill.record import RunRecord
from app.infill.target import Source
from engine.types import Cell, CellState, InfillRequest, SpanDraft, TextSpan, Variation

T = TypeVar("T")

_ids = itertools.count(1)


def new_id() -> int:
    """An id that no proposal had before."""
    return next(_ids)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was accepted right before a place: `new` stands in the document where `old` stood."""

    old: str
    new: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A span of the document for which a text is proposed. It is stale while its text is not the `original`.

    `taken` is what was accepted of it already, the last one last: when that is undone, it is proposed again.
    """

    span: TextSpan
    original: str
    is_stale: bool = False
    taken: tuple[Taken, ...] = ()
    is_half_undone: bool = False
    """What was taken last has just been deleted, as the first half of an undo; `old` comes next."""

    def after(self, edit: Edit, source: Source, *, absorbs: bool = True) -> Place | None:
        """The place after an edit; None when there is nothing left that it could stand for.

        Args:
            source: the text after the edit.
            absorbs: whether a stale place takes in what is inserted at its border, as an undo does.
        """
        if self.is_half_undone and not edit.removed and edit.start == self.span.start:
            start, old = edit.start, self.taken[-1].old
            if source.text_range(start, start + edit.inserted) == old:
                return self._untaken(TextSpan(start, self.span.end + len(old)))
        place = self._edited(edit, source, absorbs=absorbs)
        is_deletion_before = bool(self.taken) and not edit.inserted and edit.end == self.span.start
        if place is None or not is_deletion_before or edit.removed != len(self.taken[-1].new):
            return place
        return replace(place, is_half_undone=True) if self.taken[-1].old else place._untaken(place.span)

    def _edited(self, edit: Edit, source: Source, *, absorbs: bool) -> Place | None:
        at_border = self.is_stale and absorbs and not edit.removed and self.span.start <= edit.start <= self.span.end
        if not at_border and not edit.touches(self.span):
            return replace(self, span=edit.moved(self.span), is_half_undone=False)
        span = _reshaped(self.span, edit, absorbs=at_border)
        if span is None:
            return None
        is_stale = source.text_range(span.start, span.end) != self.original
        return replace(self, span=span, is_stale=is_stale, is_half_undone=False)

    def _untaken(self, span: TextSpan) -> Place:
        original = self.taken[-1].old + self.original
        return replace(self, span=span, original=original, taken=self.taken[:-1], is_half_undone=False)


@dataclass(frozen=True, slots=True)
class Proposal:
    """New texts for some places, not part of the document.

    Attributes:
        id: stays the same while edits move it and parts of it are accepted.
        places: where, ascending and disjoint.
        variations: what could stand there; the `texts` and `spans` of each are in the order of `places`.
        request: what was asked of the engine.
        runs: the record of the run, for each variation.
        shown: index of the variation that is shown and would be accepted.
        frames: drafts of the run's steps, oldest first, each in the order of `places`; not every step need be there.
        pinned: indices of variations that outlive another run in the same places.
    """

    id: int
    places: tuple[Place, ...]
    variations: tuple[Variation, ...]
    request: InfillRequest
    runs: tuple[RunRecord, ...]
    shown: int = 0
    frames: tuple[tuple[SpanDraft, ...], ...] = ()
    pinned: frozenset[int] = frozenset()

    @property
    def run(self) -> RunRecord:
        """The record of the run, with the variation that is shown."""
        return self.runs[self.shown]

    @property
    def spans(self) -> tuple[TextSpan, ...]:
        """Where it stands now."""
        return tuple(place.span for place in self.places)

    @property
    def texts(self) -> tuple[str, ...]:
        """The shown variation's texts."""
        return self.variations[self.shown].texts

    @property
    def drafts(self) -> tuple[SpanDraft, ...]:
        """The shown variation's texts as cells."""
        return self.variations[self.shown].spans

    @property
    def live(self) -> tuple[int, ...]:
        """Indices of the places that can be accepted."""
        return tuple(index for index, place in enumerate(self.places) if not place.is_stale)

    def showing(self, variation: int) -> Proposal:
        """With another variation shown. Raises IndexError when there is none of that number."""
        if not 0 <= variation < len(self.variations):
            raise IndexError(variation)
        return replace(self, shown=variation)

    def keeping(self, indices: Collection[int]) -> Proposal | None:
        """With these places only, and their texts; None when there is none."""
        if not indices:
            return None

        def chosen(values: Iterable[T]) -> tuple[T, ...]:
            return tuple(value for index, value in enumerate(values) if index in indices)

        return replace(
            self,
            places=chosen(self.places),
            variations=tuple(
                _with(variation, chosen(variation.texts), chosen(variation.spans)) for variation in self.variations
            ),
            frames=tuple(chosen(frame) for frame in self.frames),
        )

    def without(self, indices: Collection[int]) -> Proposal | None:
        """Without these places."""
        return self.keeping([index for index in range(len(self.places)) if index not in indices])

    def with_places(self, places: Sequence[Place]) -> Proposal:
        """With its places after an edit, one for each; what was taken from one and came back is proposed again."""
        shown = self.variations[self.shown]
        texts, drafts = list(shown.texts), list(shown.spans)
        for index, (before, after) in enumerate(zip(self.places, places, strict=True)):
            if len(after.taken) < len(before.taken):
                cells = (*before.taken[-1].cells, *drafts[index].cells)
                drafts[index] = SpanDraft(cells)
                texts[index] = drafts[index].text
        if texts == list(shown.texts):
            return replace(self, places=tuple(places))
        return self._with_only(_with(shown, texts, drafts), places)

    def with_rest(self, index: int, place: Place, taken: int) -> Proposal:
        """With the first `taken` characters of one text accepted; `place` is where the rest stands.

        Only the shown variation has a rest that fits, so the others go, and the frames with them.
        """
        shown = self.variations[self.shown]
        texts, drafts = list(shown.texts), list(shown.spans)
        texts[index], drafts[index] = texts[index][taken:], SpanDraft(parted(drafts[index].cells, taken)[1])
        places = (*self.places[:index], place, *self.places[index + 1 :])
        return self._with_only(_with(shown, texts, drafts), places)

    def _with_only(self, variation: Variation, places: Sequence[Place]) -> Proposal:
        alone = replace(self, variations=(variation,), runs=(self.run,), shown=0, frames=(), pinned=frozenset())
        return replace(alone, places=tuple(places))


def _with(variation: Variation, texts: Sequence[str], drafts: Sequence[SpanDraft]) -> Variation:
    """A variation with other texts. What was judged is the whole, which says nothing of a part."""
    judged = variation.judged if tuple(texts) == variation.texts else 0
    return replace(variation, texts=tuple(texts), spans=tuple(drafts), judged=judged)


def fitted(variation: Variation, eol: str) -> Variation:
    """A variation as it is proposed: no masks, the document's line ends, cells that make up exactly the texts."""
    texts = tuple(with_eol(text, eol) for text in variation.texts)
    drafts = (_fitted_draft(draft, text, eol) for draft, text in zip(variation.spans, texts, strict=True))
    return replace(variation, texts=texts, spans=tuple(drafts))


def _fitted_draft(draft: SpanDraft, text: str, eol: str) -> SpanDraft:
    cells = tuple(
        replace(cell, text=with_eol(cell.text, eol)) for cell in draft.cells if cell.state is not CellState.MASKED
    )
    if "".join(cell.text for cell in cells) != text:
        cells = (Cell(text, CellState.ACCEPTED),)  # how sure the model was of it is not known
    return SpanDraft(cells)


def parted(cells: Sequence[Cell], taken: int) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    """The cells of the first `taken` characters, and those of the rest."""
    first, rest = [], []
    for cell in cells:
        if taken > 0:
            first.append(replace(cell, text=cell.text[:taken]))
        if taken < len(cell.text):
            rest.append(replace(cell, text=cell.text[max(0, taken) :]))
        taken -= len(cell.text)
    return tuple(first), tuple(rest)


def _reshaped(span: TextSpan, edit: Edit, *, absorbs: bool) -> TextSpan | None:
    """Where a span is after an edit in it; None when more than it went, or it was a caret that was typed at."""
    start, end = edit.start, edit.end
    if span.start == span.end and not absorbs:
        return TextSpan(start, start) if not edit.inserted and span.start in {start, end} else None
    if start <= span.start and span.end <= end:
        is_all_of_it = (start, end) == (span.start, span.end)
        return TextSpan(start, start + edit.inserted) if is_all_of_it else None
    if start < span.start:
        return TextSpan(start + edit.inserted, span.end + edit.growth)
    return TextSpan(span.start, span.end + edit.growth if end <= span.end else start)
