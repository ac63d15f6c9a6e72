"""What is told of a run and of an acceptance, for those who keep or mark them. Frozen plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from engine.types import InfillRequest, TextSpan

OptionValue: TypeAlias = str | int | float | bool | tuple[str, ...] | None

_NOT_OPTIONS = frozenset({"text", "spans"})


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run that ended with a proposal.

    Attributes:
        when: the moment it was asked for, with time zone (UTC).
        mode: a value of `engine.types.Mode`.
        spans: where it wrote, in code points of the document at that moment.
        before: the spans' texts then. after: the proposed ones, with the document's line ends; a span in
            which nothing was written keeps its text.
        options: every field of the request but its text and spans, by name.
        seed: of the proposed variation. model: the name of the model.
        elapsed_ms: of the whole run. nfe: its forward passes.
        variation: which of the run's results `after` is, counted from 0.
        is_partial: whether the run was stopped before its end.
    """

    when: datetime
    mode: str
    spans: tuple[TextSpan, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    options: Mapping[str, OptionValue] = field(hash=False)
    seed: int
    model: str
    elapsed_ms: float
    nfe: int
    variation: int = 0
    is_partial: bool = False


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Proposed text that became part of the document.

    `spans` is where the `texts` stand now, in code points, ascending; with the document's line ends, as in the text.
    """

    spans: tuple[TextSpan, ...]
    texts: tuple[str, ...]
    run: RunRecord


def options_of(request: InfillRequest) -> dict[str, OptionValue]:
    """Every field of a request but its text and spans, as plain values."""
    values = {item.name: getattr(request, item.name) for item in fields(request) if item.name not in _NOT_OPTIONS}
    return {name: value.value if isinstance(value, Enum) else value for name, value in values.items()}
