"""The results of one request side by side: how likely the model finds each, which is shown, kept, pinned. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from app.infill.proposal import Proposal
from engine.types import Cell, CellState, SpanDraft, Variation

_NOT_WRITTEN = frozenset({CellState.MASKED, CellState.KEPT})


def likelihood(variation: Variation) -> float | None:
    """The probability of a token of the result, as the geometric mean, 0 to 1.

    The exact one, where several results were judged to be ranked; else what the model gave the tokens when it wrote
    them, which is no likelihood of the text: tokens of one step know nothing of one another. A mean, because a sum
    would always prefer the shorter of two results; only what was written counts, not what was kept. None where it is
    not known, of results out of the history for instance.
    """
    if variation.judged:
        return math.exp(variation.log_likelihood / variation.judged)
    written = [cell.confidence for draft in variation.spans for cell in draft.cells if cell.state not in _NOT_WRITTEN]
    if not written or min(written) <= 0.0:
        return None
    return math.exp(math.fsum(map(math.log, written)) / len(written))


def percent(share: float | None) -> str:
    """A likelihood as one reads it."""
    if share is None:
        return "unknown"
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.1f} %"


def figure(variation: Variation) -> str:
    """Its likelihood as one reads it; figures that are not to be compared read differently."""
    share = percent(likelihood(variation))
    if likelihood(variation) is None:
        return share
    was_not_judged, is_part = _kind(variation)
    return f"{share} a {'new ' if is_part else ''}token{' when written' if was_not_judged else ''}"


def described(proposal: Proposal, index: int) -> str:
    """Which variation it is, for the status bar and for screen readers."""
    seed, share = proposal.runs[index].seed, figure(proposal.variations[index])
    partial = ", taken from a step" if proposal.runs[index].is_partial else ""
    pin = ", pinned" if index in proposal.pinned else ""
    of = len(proposal.variations)
    return f"Variation {index + 1} of {of}, likelihood {share}, seed {seed}{partial}{pin}."


def ranked(proposal: Proposal) -> Proposal:
    """The likeliest first, equal texts only once; the same one is shown as before.

    Likelihoods are compared among results of one kind only: first stand those judged whole, then those of which only
    the new words were, then those that were not judged, such as a single result that was pinned or a step that was
    taken. Those whose likelihood is not known are last of their kind. Blank results stand behind all others: nothing,
    or a line end alone, is often the likeliest, and seldom what was asked for.
    """
    order: list[int] = []
    for index in sorted(range(len(proposal.variations)), key=lambda index: (index not in proposal.pinned, index)):
        if proposal.variations[index].texts not in [proposal.variations[one].texts for one in order]:
            order.append(index)
    order.sort(key=lambda index: _place(proposal.variations[index]))
    shown = proposal.texts
    return _chosen(proposal, order, next(i for i in order if proposal.variations[i].texts == shown))


def _place(variation: Variation) -> tuple[bool, tuple[bool, bool], float]:
    """What a result is ranked by, lowest first."""
    is_blank = not any(text.strip() for text in variation.texts)
    return is_blank, _kind(variation), -(likelihood(variation) or 0.0)


def best_first(proposal: Proposal) -> Proposal:
    """Ranked, and the likeliest is shown."""
    return replace(ranked(proposal), shown=0)


def only(proposal: Proposal, index: int) -> Proposal:
    """With this variation and no other."""
    return _chosen(proposal, [index], index)


def without(proposal: Proposal, index: int) -> Proposal | None:
    """Without this variation; None when it is the only one. Of the others the next one is shown."""
    order = [other for other in range(len(proposal.variations)) if other != index]
    if not order:
        return None
    is_other = proposal.shown != index
    return _chosen(proposal, order, proposal.shown if is_other else order[min(index, len(order) - 1)])


def with_pin(proposal: Proposal, index: int, *, on: bool) -> Proposal:
    """With this variation pinned, or not any more."""
    return replace(proposal, pinned=proposal.pinned | {index} if on else proposal.pinned - {index})


def with_one_more(proposal: Proposal, variation: Variation, *, is_partial: bool) -> Proposal:
    """With a variation made of the first one's run, which is shown."""
    number = 1 + max(run.variation for run in proposal.runs)
    left = list(zip(proposal.places, variation.texts, strict=True))
    after = [
        left.pop(0)[1] if left and left[0][0].original == before else old
        for before, old in zip(proposal.run.before, proposal.run.after, strict=True)
    ]
    run = replace(proposal.run, after=tuple(after), seed=variation.seed, variation=number, is_partial=is_partial)
    count = len(proposal.variations)
    more = replace(proposal, variations=(*proposal.variations, variation), runs=(*proposal.runs, run), shown=count)
    return ranked(more)


def steps_lead_to(proposal: Proposal) -> int | None:
    """Index of the result that the kept steps of the run led to, its first one; None when that was discarded."""
    newest = max(run.when for run in proposal.runs)
    found = (index for index, run in enumerate(proposal.runs) if run.when == newest and run.variation == 0)
    return next(found, None)


def taken(proposal: Proposal, frame: int) -> Variation | None:
    """What is written in a step of the run, as a result; None when that is nothing. A place where nothing is written
    keeps its text."""
    drafts = []
    for draft, place in zip(proposal.frames[frame], proposal.places, strict=True):
        is_written = any(cell.state not in _NOT_WRITTEN for cell in draft.cells)
        drafts.append(draft if is_written else SpanDraft((Cell(place.original, CellState.KEPT, 1.0),)))
    if all(cell.state in _NOT_WRITTEN for draft in drafts for cell in draft.cells):
        return None
    texts = tuple(draft.text for draft in drafts)
    written = [cell.confidence for draft in drafts for cell in draft.cells if cell.state not in _NOT_WRITTEN]
    total = math.fsum(math.log(max(share, 1e-30)) for share in written)
    return Variation(texts, tuple(drafts), proposal.request.seed, total)


def with_pinned_of(proposal: Proposal, others: Iterable[Proposal]) -> Proposal:
    """With what is pinned of other proposals in the same places over the same text; it is shown no sooner than before.

    A new result that says the same as a pinned one is left out.
    """
    for other in others:
        wanted = [(place.span, place.original) for place in proposal.places]
        known = [(place.span, place.original) for place in other.places]
        part = other.keeping([index for index, place in enumerate(known) if place in wanted])
        if part is None or len(part.places) < len(wanted) or not part.pinned:
            continue
        count, chosen = len(proposal.variations), sorted(part.pinned)
        proposal = replace(
            proposal,
            variations=(*proposal.variations, *(part.variations[index] for index in chosen)),
            runs=(*proposal.runs, *(part.runs[index] for index in chosen)),
            pinned=proposal.pinned | set(range(count, count + len(chosen))),
        )
    return ranked(proposal)


def _kind(variation: Variation) -> tuple[bool, bool]:
    """Whether it was not judged; whether old words are kept in it, so that its likelihood is that of the new ones."""
    is_part = any(cell.state is CellState.KEPT for draft in variation.spans for cell in draft.cells)
    return not variation.judged, is_part


def _chosen(proposal: Proposal, order: list[int], shown: int) -> Proposal:
    return replace(
        proposal,
        variations=tuple(proposal.variations[index] for index in order),
        runs=tuple(proposal.runs[index] for index in order),
        shown=order.index(shown),
        pinned=frozenset(place for place, index in enumerate(order) if index in proposal.pinned),
    )
