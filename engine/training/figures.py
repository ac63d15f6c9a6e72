"""The figures of an evaluation as one table, for the terminal and for the model card alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.training.evaluation import Evaluation, Kind, Way

MISSING = "–"


@dataclass(frozen=True, slots=True)
class Figures:
    """Text cells, row by row; `numbers` says which columns hold figures. `notes` are sentences that stand below."""

    columns: tuple[str, ...]
    numbers: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


_HEADINGS = {
    Way.ALPHA_0: "alpha_0 = 0",
    Way.ALPHA_1: "alpha_0 = 1",
    Way.LEFT_TO_RIGHT: "left to right, suffix hidden",
    Way.KNESER_NEY: "5-gram Kneser-Ney",
}

_NAMES = {Kind.PROSE: "prose", Kind.PYTHON: "Python"}

GOALS: Mapping[str, tuple[str, ...]] = {
    "gpu": ("≤ 1.25 and ≤ 1.40", "≤ 0.80 and ≤ 0.95", "≥ 25 %", "≥ 80 %", "≥ 80 %", "≥ 60 %"),
    "cpu": ("below the 5-gram model", "below the 5-gram model", "≥ 8 %", "≥ 60 %", "≥ 60 %", "≥ 45 %"),
}
"""What was aimed at before the first run, row by row, for a model trained on a GPU and for one trained on a CPU."""


def table_of(found: Evaluation, goals: str | None = None) -> Figures:
    """All measures, one a row; `goals` adds a column of GOALS."""
    rows = [
        _bits(found, Kind.PROSE, "prose: bits per byte of hole text given both sides"),
        _bits(found, Kind.PYTHON, "Python: the same"),
        _lines(found, "exact", "one missing line of Python, found again exactly"),
        _lines(found, "parses", "the file still parses with that line"),
        _lines(found, "length", "length within 20 % in a hole of twice the tokens"),
        _words(found),
    ]
    columns = ["measure", *_HEADINGS.values()]
    if goals is not None:
        columns.append("goal")
        rows = [(*row, goal) for row, goal in zip(rows, GOALS[goals], strict=True)]
    numbers = (False, *(True for _ in columns[1:]))
    return Figures(tuple(columns), numbers, tuple(rows), _notes(found))


def markdown(table: Figures) -> str:
    """The table as the model card has it."""
    rule = tuple("---:" if is_number else "---" for is_number in table.numbers)
    rows = [tuple(cell.replace("|", "\\|") for cell in row) for row in table.rows]
    text = "".join(f"| {' | '.join(cells)} |\n" for cells in (table.columns, rule, *rows))
    return text + "\n" + "\n".join(table.notes) + "\n"


def share(value: float) -> str:
    """A share in [0, 1] as a percentage."""
    return f"{100 * value:.1f} %"


def _bits(found: Evaluation, kind: Kind, name: str) -> tuple[str, ...]:
    values = found.bits.get(kind, {})
    return (name, *(f"{values[way]:.2f}" if way in values else MISSING for way in _HEADINGS))


def _lines(found: Evaluation, measure: str, name: str) -> tuple[str, ...]:
    return (
        name,
        *(share(getattr(found.lines[way], measure)) if way in found.lines else MISSING for way in _HEADINGS),
    )  # fmt: skip


def _words(found: Evaluation) -> tuple[str, ...]:
    """Both ends of alpha_0 show the same: the likelihood of a word given all around it does not depend on it."""
    both = share(found.words[Way.BOTH_SIDES]) if found.words else MISSING
    rest = (share(found.words[way]) if way in found.words else MISSING for way in list(_HEADINGS)[2:])
    return ("one wrong word of a sentence is among the five least likely", both, both, *rest)


def _notes(found: Evaluation) -> tuple[str, ...]:
    held_out = " and ".join(f"{count} documents of {_NAMES[kind]}" for kind, count in found.documents.items() if count)
    sizes = " and ".join(f"{size:,} bytes of {_NAMES[kind]}" for kind, size in found.hole_bytes.items())
    bounds = [
        f"{_NAMES[kind]} {', '.join(f'{name} {value:.2f}' for name, value in values.items())}"
        for kind, values in found.bounds.items()
    ]
    about_bounds = f"Bounds of whole windows, in bits per byte: {'; '.join(bounds)}." if bounds else None
    notes = (
        f"Held out: {held_out}. {found.samples} samples of each kind "
        f"({sizes} in holes), "
        f"{found.line_count} missing lines, {found.word_count} sentences; seed {found.seed}.",
        f"Guessing finds {share(found.chance)} of the wrong words. The model is charged for where a hole ends (its "
        "empty token), the two columns that read from left to right are not.",
        f"Model {found.model}, weights {found.weights} (SHA-256), {found.precision} on {found.device}.",
    )
    return notes if about_bounds is None else (*notes, about_bounds)
