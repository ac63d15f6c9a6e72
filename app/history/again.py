"""A run of the past, done once more: the request it was, and its result as a proposal. Pure."""

from __future__ import annotations

import contextlib
import difflib
import itertools
import re
from collections.abc import Sequence
from dataclasses import fields, replace

from app.infill.proposal import Place, Proposal, fitted, new_id
from app.infill.record import Acceptance, RunRecord
from app.settings import Value
from engine.types import (
    Cell,
    CellState,
    ContextOrder,
    InfillRequest,
    Mode,
    SpanDraft,
    TextSpan,
    Variation,
)

MOST_WORDS = 4_000
"""Words of a refined text up to which those that were kept are told from those that were written."""

_REQUEST = {item.name for item in fields(InfillRequest)} - {"text", "spans"}


def request_of(run: RunRecord) -> InfillRequest:
    """What was asked of the engine, without text and spans. Options of another version are left out."""
    request = InfillRequest("", ())
    for name, value in run.options.items():
        if name in _REQUEST:
            with contextlib.suppress(ValueError, TypeError):
                request = replace(request, **{name: _typed(name, value)})  # type: ignore[arg-type]
    return request


def settings_of(run: RunRecord) -> dict[str, Value]:
    """The settings that make the same run once more, by key."""
    values: dict[str, Value] = {"infill.seed_locked": True}
    for name, value in run.options.items():
        if isinstance(value, tuple):
            values[f"infill.{name}"] = ", ".join(value)
        elif name == "capacity" and value is None:
            values["infill.capacity"] = 0
        elif isinstance(value, bool | int | float | str):
            values[f"infill.{name}"] = value
    values["infill.seed"] = run.seed
    return values


def proposal_of(run: RunRecord, places: Sequence[TextSpan], standing: Sequence[str], eol: str) -> Proposal | None:
    """The run's result for these places, where `standing` is now; None where all of it stands there already."""
    wanted = fitted(Variation(run.after, tuple(map(_draft, run.after)), run.seed, 0.0), eol)
    chosen = [index for index, text in enumerate(wanted.texts) if text != standing[index]]
    proposal = Proposal(
        new_id(),
        tuple(Place(span, text) for span, text in zip(places, standing, strict=True)),
        (wanted,),
        request_of(run),
        (run,),
    )
    return proposal.keeping(chosen)


def generated_spans(acceptance: Acceptance) -> list[TextSpan]:
    """What of the accepted text the model wrote: all of it, but for the words that a refinement has kept."""
    if acceptance.run.mode != Mode.REFINE:
        return list(acceptance.spans)
    return [
        TextSpan(span.start + part.start, span.start + part.end)
        for span, text in zip(acceptance.spans, acceptance.texts, strict=True)
        for part in _written_in(text, acceptance.run)
    ]


def _written_in(text: str, run: RunRecord) -> list[TextSpan]:
    """The parts of an accepted text, which may be a part of a proposed one, that were not there before. Where it could
    be several parts of the proposed one, only what is new in each of them counts."""
    new = [True] * len(text)
    for before, after in zip(run.before, run.after, strict=True):
        at = after.find(text) if text else -1
        parts = _new_parts(before, after) if at >= 0 else []
        while at >= 0:
            for place in range(len(text)):
                new[place] = new[place] and any(part.start <= at + place < part.end for part in parts)
            at = after.find(text, at + 1)
    ends = [place for place in range(1, len(text)) if new[place] != new[place - 1]]
    borders = [0, *ends, len(text)]
    return [TextSpan(start, end) for start, end in itertools.pairwise(borders) if end > start and new[start]]


def _new_parts(before: str, after: str) -> list[TextSpan]:
    old, new = (re.findall(r"\w+|\s+|[^\w\s]", text) for text in (before, after))
    if max(len(old), len(new)) > MOST_WORDS:
        return [TextSpan(0, len(after))]
    starts = [0]
    for word in new:
        starts.append(starts[-1] + len(word))
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [
        TextSpan(starts[first], starts[last])
        for kind, _, _, first, last in matcher.get_opcodes()
        if kind != "equal" and last > first
    ]


def _draft(text: str) -> SpanDraft:
    return SpanDraft((Cell(text, CellState.ACCEPTED),))


def _typed(name: str, value: object) -> object:
    if name == "mode":
        return Mode(str(value))
    if name == "context_order":
        return ContextOrder(str(value))
    return tuple(value) if isinstance(value, list) else value
