"""That the samplers' benchmark still runs, in miniature; no times are asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.samplers import SAMPLERS
from engine.schedule import SCHEDULES
from engine.training.questions import MissingLine
from engine.types import ModelChoice
from tests.bench.bench_samplers import BEGIN, END, measure, put_into
from tests.engine.tiny import write_checkpoint


@pytest.mark.bench
def test_every_sampler_and_schedule_has_a_row(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "tiny")
    asked = [MissingLine("first = 1\nsecond = first + 1\nthird = 3\n", 10, 28)]
    figures = measure(ModelChoice(str(folder), "cpu", threads=1), asked, steps=2)
    rows = figures["rows"]
    assert isinstance(rows, list)
    assert {row["sampler"] for row in rows} == set(SAMPLERS)
    assert {row["schedule"] for row in rows} == set(SCHEDULES)
    assert all(row["passes"] >= 1 for row in rows)
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    for _ in range(2):
        put_into(page, figures)
    lines = page.read_text(encoding="utf-8").splitlines()
    assert (lines[0], lines[1], lines[-2], lines[-1]) == ("before", BEGIN, END, "after")
    assert len([line for line in lines if line.startswith("|")]) == len(rows) + 2
