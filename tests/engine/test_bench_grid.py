"""The grid of measurements, in miniature: every figure is there, and is what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from engine.bench_grid import QUICK, NetworkSize, beside_a_busy_process, growth, measure_grid, table
from engine.types import ModelChoice
from tests.engine.tiny import load_tiny, write_checkpoint


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = write_checkpoint(tmp_path_factory.mktemp("checkpoint"))
    size = NetworkSize(layers=2, width=64, heads=2, vocabulary=512)
    choice = ModelChoice(device="cpu", threads=1)
    return cast(dict[str, Any], measure_grid(size, choice, load_tiny(folder).tokenizer, QUICK))


def test_every_figure_is_there(tables: dict[str, Any]) -> None:
    floor, whole = tables["floor"], tables["whole_text"][0]
    assert min(floor["step_ms"], floor["times_floor"], floor["bandwidth_gb_s"], floor["peak_gflop_s"]) > 0
    assert min(whole["sequential_ms"], whole["estimated_times_faster_nfe_is_length"], whole["float32_pass_ms"]) > 0
    assert min(row["prefill_ms"] for row in tables["holes"]) > 0
    assert tables["float32"]["dtype"] == "float32"


def test_every_run_makes_the_passes_it_reports(tables: dict[str, Any]) -> None:
    passes = {(row["alpha_0"], row["nfe"]) for row in tables["holes"]}
    assert passes == {(1.0, 4), (0.5, 8), (0.0, 8)}


def test_growth_is_against_the_smallest_context() -> None:
    rows: list[dict[str, object]] = [
        {"context": context, "ms_a_token": ms, "cache_mb": mb}
        for context, ms, mb in ((64, 2.0, 1.0), (64, 4.0, 1.0), (256, 6.0, 4.0), (256, 6.0, 4.0))
    ]
    assert growth(rows) == [
        {"times_context": 1.0, "times_ms_a_token": 1.0, "times_cache_mb": 1.0},
        {"times_context": 4.0, "times_ms_a_token": 2.0, "times_cache_mb": 4.0},
    ]


def test_tables_are_markdown(tables: dict[str, Any]) -> None:
    text = table(tables["batch"])
    assert text.splitlines()[0].startswith("| variations |")
    assert len(text.splitlines()) == 4


def test_a_run_beside_a_busy_process_is_a_run_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter((1.0, 2.0))
    monkeypatch.setattr("engine.bench_grid._warm_run_ms", lambda _policy, _choice: next(answers))
    row = beside_a_busy_process("PASSIVE", ModelChoice())
    assert (row["alone_ms"], row["beside_a_busy_process_ms"]) == (1.0, 2.0)
