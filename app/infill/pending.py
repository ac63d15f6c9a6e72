"""The proposals that wait in one document, moved along with its edits. Knows no screen and changes no text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.editor.edits import Edit
from app.infill.proposal import Place, Proposal, new_id
from app.infill.target import Source, collide, contains, covers
from engine.types import TextSpan


@dataclass(frozen=True, slots=True)
class Spot:
    """One place of one proposal."""

    proposal: Proposal
    index: int

    @property
    def place(self) -> Place:
        """The place itself."""
        return self.proposal.places[self.index]

    @property
    def text(self) -> str:
        """What is proposed there."""
        return self.proposal.texts[self.index]


@dataclass(frozen=True, slots=True)
class Consequence:
    """What an edit did to the proposals: how many places of them it made stale, revived or ended."""

    stale: int = 0
    revived: int = 0
    gone: int = 0


class PendingProposals:
    """The proposals by id. Their places never overlap."""

    def __init__(self) -> None:
        self._by_id: dict[int, Proposal] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Proposal]:
        return iter(self._by_id.values())

    def __contains__(self, proposal_id: int) -> bool:
        return proposal_id in self._by_id

    def __getitem__(self, proposal_id: int) -> Proposal:
        return self._by_id[proposal_id]

    @property
    def spots(self) -> list[Spot]:
        """All places, stale ones too, in the order of the text."""
        spots = [Spot(proposal, index) for proposal in self for index in range(len(proposal.places))]
        return sorted(spots, key=lambda spot: (spot.place.span.start, spot.place.span.end))

    @property
    def live_spots(self) -> list[Spot]:
        """The places that can be accepted, in the order of the text."""
        return [spot for spot in self.spots if not spot.place.is_stale]

    def put(self, proposal: Proposal) -> None:
        """Adds a proposal, or puts a new value in the place of the one with its id."""
        self._by_id[proposal.id] = proposal

    def drop(self, proposal_id: int, indices: Sequence[int] | None = None) -> None:
        """Takes a proposal out, or some of its places."""
        proposal = self._by_id.pop(proposal_id)
        rest = proposal.without(indices) if indices is not None else None
        if rest is not None:
            self._by_id[proposal_id] = rest

    def clear(self) -> None:
        """Takes all out."""
        self._by_id.clear()

    def at(self, caret: int, selections: Sequence[TextSpan] = ()) -> Spot | None:
        """The place in which the caret is, or which is still selected; of two that meet there, the later one."""
        spots = self.spots
        found = [spot for spot in spots if contains(spot.place.span, caret)]
        found = found or [spot for spot in spots if any(covers(chosen, spot.place.span) for chosen in selections)]
        return found[-1] if found else None

    def next_to(self, caret: int, by: int) -> Spot | None:
        """The next place behind the caret (`by` 1) or before it (-1), around the ends of the text."""
        spots = self.spots
        ahead = [spot for spot in spots if (spot.place.span.start - caret) * by > 0]
        order = ahead or spots
        return order[0 if by > 0 else -1] if order else None

    def displace(self, spans: Sequence[TextSpan]) -> PendingProposals:
        """Takes out the places that collide with these spans. They are handed back, in case nothing comes of it."""
        displaced = PendingProposals()
        for proposal in list(self):
            hit = [
                index for index, place in enumerate(proposal.places) if any(collide(place.span, span) for span in spans)
            ]
            part = proposal.keeping(hit)
            if part is not None:
                displaced.put(part)
                self.drop(proposal.id, hit)
        return displaced

    def restore(self, displaced: PendingProposals) -> None:
        """Takes back in what `displace` took out; beside what is left of the same proposal it is one of its own."""
        for part in displaced:
            self.put(replace(part, id=new_id()) if part.id in self else part)

    def follow(self, edit: Edit, source: Source) -> Consequence:
        """Moves every place along with an edit by the user; `source` is the text after it."""
        stale = revived = gone = 0
        absorbs = True
        moved: dict[int, list[Place | None]] = {proposal.id: [] for proposal in self}
        for spot in self.spots:
            before, after = spot.place, spot.place.after(edit, source, absorbs=absorbs)
            absorbs = absorbs and (
                after is None or after.span.end - after.span.start == before.span.end - before.span.start
            )
            moved[spot.proposal.id].append(after)
            gone += after is None
            stale += after is not None and after.is_stale and not before.is_stale
            revived += after is not None and before.is_stale and not after.is_stale
        for proposal in list(self):
            places = moved[proposal.id]
            kept = proposal.keeping([index for index, place in enumerate(places) if place is not None])
            if kept is None:
                self.drop(proposal.id)
            else:
                self.put(kept.with_places([place for place in places if place is not None]))
        return Consequence(stale, revived, gone)

    def shift(self, edit: Edit) -> None:
        """Moves the places behind a change that is known to be in none of them."""
        for proposal in list(self):
            places = [replace(place, span=_shifted(place.span, edit)) for place in proposal.places]
            self.put(proposal.with_places(places))


def _shifted(span: TextSpan, edit: Edit) -> TextSpan:
    by = edit.growth if edit.end <= span.start else 0
    return TextSpan(span.start + by, span.end + by)
