"""What the history keeps of a run and of a document, as values; and a run as JSON text and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.infill.record import OptionValue, RunRecord
from engine.types import TextSpan

_HEAD = 100
"""Characters of a text that a list shows of it, at most."""


@dataclass(frozen=True, slots=True)
class Around:
    """The text right before and right behind a span: what finds the place again when the document has changed."""

    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A run as it is kept. `around` has one value for each of its spans, or none when they were not known."""

    run: RunRecord
    around: tuple[Around, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A run as a list shows it: when, how, and how its texts begin. `id` finds the whole of it."""

    id: int
    when: datetime
    mode: str
    before: str
    after: str
    seed: int
    model: str
    spans: int
    is_partial: bool

    @classmethod
    def of(cls, entry_id: int, run: RunRecord) -> Entry:
        """The entry of a run."""
        return cls(
            entry_id,
            run.when,
            run.mode,
            head(run.before),
            head(run.after),
            run.seed,
            run.model,
            len(run.spans),
            run.is_partial,
        )


@dataclass(frozen=True, slots=True)
class Marks:
    """Which ranges of a file's text came from the model, in code points; true while the file is exactly this one."""

    digest: bytes
    encoding: str
    ranges: tuple[TextSpan, ...]


class UnreadableRunError(ValueError):
    """What was kept is no run: it was written by another program, or is damaged."""


def head(texts: Iterable[str]) -> str:
    """How texts begin, on one line."""
    line = " … ".join(" ".join(text[: 2 * _HEAD].split()) for text in texts)[:_HEAD]
    return line.encode("utf-8", "replace").decode("utf-8")  # half a character is no text for a list


def to_json(kept: Kept) -> str:
    """A run as text."""
    run = kept.run
    return json.dumps(
        {
            "when": run.when.astimezone(UTC).isoformat(),
            "mode": run.mode,
            "spans": [[span.start, span.end] for span in run.spans],
            "before": run.before,
            "after": run.after,
            "options": dict(run.options),
            "seed": run.seed,
            "model": run.model,
            "elapsed_ms": run.elapsed_ms,
            "nfe": run.nfe,
            "variation": run.variation,
            "is_partial": run.is_partial,
            "around": [[around.before, around.after] for around in kept.around],
        },
        separators=(",", ":"),
    )


def from_json(text: str) -> Kept:
    """The run that was written so. Raises UnreadableRunError."""
    try:
        values: dict[str, Any] = json.loads(text)
        spans = tuple(TextSpan(int(start), int(end)) for start, end in values["spans"])
        before, after = _texts(values["before"]), _texts(values["after"])
        if not len(spans) == len(before) == len(after):
            raise ValueError("as many texts as spans")
        run = RunRecord(
            datetime.fromisoformat(values["when"]).astimezone(UTC),
            str(values["mode"]),
            spans,
            before,
            after,
            _options(values["options"]),
            int(values["seed"]),
            str(values["model"]),
            float(values["elapsed_ms"]),
            int(values["nfe"]),
            int(values["variation"]),
            bool(values["is_partial"]),
        )
        return Kept(run, tuple(Around(*_texts(pair)) for pair in values["around"]))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise UnreadableRunError(str(error)) from error


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError("a list of texts")
    return tuple(values)


def _options(values: object) -> dict[str, OptionValue]:
    if not isinstance(values, dict):
        raise TypeError("options by name")
    options: dict[str, OptionValue] = {}
    for name, value in values.items():
        if isinstance(value, list):
            options[str(name)] = tuple(str(each) for each in value)
        elif value is None or isinstance(value, str | int | float):
            options[str(name)] = value
    return options
