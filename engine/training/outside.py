"""Infilling sets from outside: JSON lines of `prefix`, `middle`, `suffix`. Each row is filled and scored by the engine.

The fill is greedy. The hole's capacity is a power of two from 64 up that has room for half as many tokens again as the
middle has, so that it tells little about the length. Likelihoods are exact, left to right, given both sides or, for
comparison, given the prefix alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.errors import EngineError, TrainingError
from engine.session import EngineSession
from engine.tokenization import Tokenizer
from engine.training.answering import fill, greedy, score
from engine.training.figures import MISSING, Figures, share
from engine.types import ScoreRequest, TextSpan

LEAST_CAPACITY = 64
_SHOWN = 56
"""Characters of a fill in the table."""
_FIELDS = ("prefix", "middle", "suffix")


@dataclass(frozen=True, slots=True)
class Row:
    """One hole: `middle` stood between `prefix` and `suffix`. `number` counts from 1, `name` is the row's own or ""."""

    number: int
    name: str
    prefix: str
    middle: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Answered:
    """One row's result. `exact`: equal but for white space at the ends. Bits are per byte of the middle; `problem` says
    why the engine could not carry the row out, which then counts as wrong."""

    row: int
    name: str
    fill: str
    exact: bool
    bits_per_byte: float | None
    bits_per_byte_left_to_right: float | None
    bytes: int
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """All rows together; bits are weighted by bytes, and None where no row could be scored."""

    rows: int
    exact: float
    bits_per_byte: float | None
    bits_per_byte_left_to_right: float | None
    not_carried_out: int


def read_rows(path: Path) -> list[Row]:
    """Reads a file of JSON lines; blank lines are skipped, other fields than the three (and `name`, `id`, `task_id`)
    are left alone.

    Raises:
        TrainingError: the file cannot be read or holds no row, or a line is no row; it names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
        raise TrainingError(f"The infilling set {path} cannot be read: {reason}.") from error
    rows = [_row(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not rows:
        raise TrainingError(f"The infilling set {path} is empty: it needs lines of JSON with {', '.join(_FIELDS)}.")
    return rows


def answer_rows(
    session: EngineSession, tokenizer: Tokenizer, rows: Sequence[Row], *, alpha_0: float, capacity: int | None = None
) -> Iterator[Answered]:
    """Fills and scores row after row; `capacity` None chooses by the length of the middle."""
    for row in rows:
        try:
            yield _answered(session, row, alpha_0, capacity or _capacity(tokenizer, row.middle))
        except EngineError as error:
            size = len(row.middle.encode("utf-8", "replace"))
            yield Answered(row.number, row.name, "", False, None, None, size, str(error))


def summary_of(answers: Sequence[Answered]) -> Summary:
    """Shares and means of some rows."""
    scored = [answer for answer in answers if not answer.problem]
    size = sum(answer.bytes for answer in scored)
    both, forward = (
        round(sum((getattr(answer, field) or 0.0) * answer.bytes for answer in scored) / size, 4) if size else None
        for field in ("bits_per_byte", "bits_per_byte_left_to_right")
    )
    exact = sum(answer.exact for answer in answers) / max(1, len(answers))
    return Summary(len(answers), round(exact, 4), both, forward, len(answers) - len(scored))


def as_json(answers: Sequence[Answered]) -> dict[str, Any]:
    """Plain values: {"summary": ..., "rows": [...]}."""
    return {"summary": asdict(summary_of(answers)), "rows": [asdict(answer) for answer in answers]}


def table_of(answers: Sequence[Answered], source: str) -> Figures:
    """One row an answer, and the summary as notes; `source` names the set."""
    total = summary_of(answers)
    notes = [
        f"{source}: {share(total.exact)} of {total.rows} rows exactly, {_bits(total.bits_per_byte)} bits per byte of "
        f"the middle given both sides, {_bits(total.bits_per_byte_left_to_right)} left to right with the suffix hidden."
    ]
    if total.not_carried_out:
        reason = next(answer.problem for answer in answers if answer.problem)
        notes.append(f"{total.not_carried_out} rows could not be carried out and count as wrong; the first: {reason}")
    rows = [
        (str(answer.row), answer.name, "yes" if answer.exact else "no", _bits(answer.bits_per_byte),
         _bits(answer.bits_per_byte_left_to_right), _shortened(answer.fill))
        for answer in answers
    ]  # fmt: skip
    columns = ("row", "name", "exact", "bits per byte", "left to right", "fill")
    return Figures(columns, (True, False, False, True, True, False), tuple(rows), tuple(notes))


def _bits(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f}"


def _shortened(text: str) -> str:
    """One line of a fill."""
    flat = text.strip().replace("\n", "⏎")
    return flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"


def _answered(session: EngineSession, row: Row, alpha_0: float, capacity: int) -> Answered:
    text, start, end = row.prefix + row.middle + row.suffix, len(row.prefix), len(row.prefix) + len(row.middle)
    span = TextSpan(start, end)
    filled = fill(session, greedy(text, span, alpha_0=alpha_0, capacity=capacity))
    both = score(session, ScoreRequest(text, span))
    forward = score(session, ScoreRequest(text[:end], span, ends_document=False))
    size = len(row.middle.encode("utf-8", "replace"))
    exact = filled.strip() == row.middle.strip()
    return Answered(row.number, row.name, filled, exact, round(both, 4), round(forward, 4), size)


def _capacity(tokenizer: Tokenizer, middle: str) -> int:
    capacity = LEAST_CAPACITY
    while 2 * capacity < 3 * len(tokenizer.encode(middle)):
        capacity *= 2
    return capacity


def _row(path: Path, number: int, line: str) -> Row:
    where = f"Line {number} of the infilling set {path}"
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise TrainingError(f"{where} is not JSON.") from error
    if not isinstance(entry, dict):
        raise TrainingError(f"{where} is not a JSON object with {', '.join(_FIELDS)}.")
    for field in _FIELDS:
        if not isinstance(entry.get(field), str):
            raise TrainingError(f"{where} has no text in “{field}”.")
    if not entry["middle"]:
        raise TrainingError(f"{where} has an empty “middle”: there is nothing to find again.")
    name = next((str(entry[key]) for key in ("name", "id", "task_id") if key in entry), "")
    return Row(number, name, *(entry[field] for field in _FIELDS))
