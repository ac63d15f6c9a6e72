from __future__ import annotations

import dataclasses

import pytest

from engine.training.evaluation import Evaluation, Kind, Way
from engine.training.figures import GOALS, MISSING, markdown, table_of
from engine.training.judging import LineShares

FOUND = Evaluation(
    model="mini",
    weights="0123456789ab",
    seed=1,
    samples=300,
    device="cpu",
    precision="bfloat16",
    documents={Kind.PROSE: 20, Kind.PYTHON: 5},
    hole_bytes={Kind.PROSE: 41_000, Kind.PYTHON: 3_000},
    bits={
        Kind.PROSE: {Way.ALPHA_0: 1.751, Way.ALPHA_1: 1.94, Way.LEFT_TO_RIGHT: 1.99, Way.KNESER_NEY: 1.8},
        Kind.PYTHON: {Way.ALPHA_0: 1.29, Way.ALPHA_1: 1.77, Way.LEFT_TO_RIGHT: 1.6},
    },
    bounds={},
    line_count=150,
    lines={Way.ALPHA_0: LineShares(0.08, 0.6, 0.61), Way.LEFT_TO_RIGHT: LineShares(0.02, 0.3, 0.4)},
    word_count=149,
    words={Way.BOTH_SIDES: 0.725, Way.LEFT_TO_RIGHT: 0.5},
    chance=0.276,
)


def test_the_table_has_every_measure_beside_the_baselines() -> None:
    table = table_of(FOUND)
    assert len(table.rows) == 6
    assert table.rows[0][1:] == ("1.75", "1.94", "1.99", "1.80")
    assert table.rows[1][1:] == ("1.29", "1.77", "1.60", MISSING)
    assert table.rows[2][1:] == ("8.0 %", MISSING, "2.0 %", MISSING)
    assert table.rows[5][1:] == ("72.5 %", "72.5 %", "50.0 %", MISSING)


def test_the_notes_say_what_was_measured_and_which_weights_it_belongs_to() -> None:
    notes = " ".join(table_of(FOUND).notes)
    assert "0123456789ab" in notes
    assert "41,000 bytes of prose" in notes
    assert "27.6 %" in notes


@pytest.mark.parametrize("goals", GOALS)
def test_goals_are_a_column(goals: str) -> None:
    table = table_of(FOUND, goals)
    assert table.columns[-1] == "goal"
    assert [row[-1] for row in table.rows] == list(GOALS[goals])


def test_bounds_are_a_note_where_there_are_any() -> None:
    found = dataclasses.replace(FOUND, bounds={Kind.PROSE: {"nelbo": 2.104, "orders_8": 2.05}})
    assert table_of(found).notes[-1] == "Bounds of whole windows, in bits per byte: prose nelbo 2.10, orders_8 2.05."


def test_markdown_is_the_same_table() -> None:
    table = table_of(FOUND, "cpu")
    lines = markdown(table).splitlines()
    assert lines[0].split(" | ")[1] == "alpha_0 = 0"
    assert set(lines[1]) <= set("|-: ")
    assert [len(line.split("|")) for line in lines[:8]] == [len(table.columns) + 2] * 8
    assert lines[-1] == table.notes[-1]


def test_bars_in_cells_are_escaped() -> None:
    table = dataclasses.replace(table_of(FOUND), rows=(("a | b", "", "", "", ""),))
    assert "a \\| b" in markdown(table)


def test_what_was_not_measured_is_a_dash() -> None:
    bare = dataclasses.replace(FOUND, bits={}, lines={}, words={}, documents={Kind.PROSE: 0, Kind.PYTHON: 5})
    assert all(set(row[1:]) == {MISSING} for row in table_of(bare).rows)
