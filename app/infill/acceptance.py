"""Accepting proposals in whole or in part: which change of the document it is, and what is pending after it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from app.editor.edits import Edit, with_eol
from app.editor.worddiff import stands_for
from app.infill.pending import PendingProposals, Spot
from app.infill.proposal import Place, Taken, parted
from app.infill.record import Acceptance
from engine.types import TextSpan

Beginning: TypeAlias = Callable[[str], str]
"""Chooses the beginning of a proposed text that is to be accepted."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is accepted of one place.

    `span` of the document is replaced by `text`; `taken` characters of the proposed text are used up by that.
    """

    spot: Spot
    span: TextSpan
    text: str
    taken: int

    @property
    def edit(self) -> Edit:
        """The change of the document."""
        return Edit(self.span.start, self.span.end - self.span.start, len(self.text))

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the place is left."""
        return self.taken == len(self.spot.text) and self.span.end == self.spot.place.span.end


def part_of(spot: Spot, eol: str, beginning: Beginning | None = None) -> Part:
    """All of a place, or the beginning of its text with the part of the old text that this stands for."""
    text, place = spot.text, spot.place
    taken = len(beginning(text)) if beginning is not None else len(text)
    end = place.span.start + stands_for(place.original, text, taken)
    return Part(spot, TextSpan(place.span.start, end), with_eol(text[:taken], eol), taken)


def changes(parts: Iterable[Part]) -> list[tuple[int, int, str]]:
    """The change of the document: (start, end, new text)."""
    return [(part.span.start, part.span.end, part.text) for part in parts]


def settle(pending: PendingProposals, parts: Sequence[Part]) -> list[Acceptance]:
    """Brings the proposals up to a document that was changed by `parts`, and says what was accepted, run by run."""
    accepted: dict[int, list[tuple[TextSpan, str]]] = defaultdict(list)
    runs = {part.spot.proposal.id: part.spot.proposal.run for part in parts}
    whole: dict[int, list[int]] = defaultdict(list)
    for part in sorted(parts, key=lambda part: part.span.start, reverse=True):
        proposal_id, index = part.spot.proposal.id, part.spot.index
        shift = sum(other.edit.growth for other in parts if other.span.end <= part.span.start and other is not part)
        start = part.span.start + shift
        accepted[proposal_id].append((TextSpan(start, start + len(part.text)), part.text))
        pending.shift(part.edit)
        if part.is_whole:
            whole[proposal_id].append(index)
        else:
            _leave_rest(pending, part)
    for proposal_id, indices in whole.items():
        pending.drop(proposal_id, indices)
    return [
        Acceptance(tuple(span for span, _ in reversed(places)), tuple(text for _, text in reversed(places)), runs[run])
        for run, places in accepted.items()
    ]


def _leave_rest(pending: PendingProposals, part: Part) -> None:
    place, used = part.spot.place, part.span.end - part.span.start
    start = part.span.start + len(part.text)
    cells, _ = parted(part.spot.proposal.drafts[part.spot.index].cells, part.taken)
    rest = Place(
        TextSpan(start, start + len(place.original) - used),
        place.original[used:],
        taken=(*place.taken, Taken(place.original[:used], part.text, cells)),
    )
    pending.put(pending[part.spot.proposal.id].with_rest(part.spot.index, rest, part.taken))
