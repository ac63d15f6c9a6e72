"""That the samplers' benchmark still runs, in miniature; no times are asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.samplers import SAMPLERS
from engine.schedule import SCHEDULES
from engine.types import ModelChoice
from tests.bench.bench_samplers import measure, table
from tests.engine.tiny import write_checkpoint


@pytest.mark.bench
def test_every_sampler_and_schedule_has_a_row(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "tiny", context_length=2048)
    figures = measure(ModelChoice(str(folder), "cpu", threads=1), steps=2, count=1, temperature=0.0)
    rows = figures["rows"]
    assert isinstance(rows, list)
    assert {row["sampler"] for row in rows} == set(SAMPLERS)
    assert {row["schedule"] for row in rows} == set(SCHEDULES)
    assert all(row["passes"] >= 1 for row in rows)
    assert len(table(figures).splitlines()) == len(rows) + 2
