"""That the window's benchmarks still run, in miniature; no times are asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bench import bench_many_runs, stage
from tests.bench.bench_variations import measure
from tests.engine.tiny import write_checkpoint

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("models") / "tiny", context_length=1024)


def figures_of(module: str, model: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", f"tests.bench.{module}", "--model", str(model), "--threads", "1", *options]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    figures = json.loads(answer.stdout.splitlines()[-1])
    assert isinstance(figures, dict)
    return figures


def test_lateness_is_measured_idle_and_while_the_engine_runs(tiny):
    figures = figures_of("bench_gui_lateness", tiny, "--runs", "1", "--idle-ms", "50")
    assert figures["steps"] > 0
    for name in ("idle_ms", "running_ms"):
        assert 0 <= figures[name]["p50"] <= figures[name]["p99"] <= figures[name]["max"]


def test_the_first_frame_and_typing_are_measured_in_a_short_and_a_long_document(tiny):
    figures = figures_of("bench_first_frame", tiny, "--runs", "1", "--keys", "2", "--long-kb", "3")
    assert figures["long"]["bytes"] > figures["short"]["bytes"]
    for document in ("short", "long"):
        assert figures[document]["first_frame_ms"]["p50"] > 0
        assert figures[document]["typing_ms"]["count"] == 2


def test_finding_and_replacing_are_measured():
    command = [sys.executable, "-m", "tests.bench.bench_finding", "--kilobytes", "10"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert answer.returncode == 0, answer.stderr
    figures = json.loads(answer.stdout.splitlines()[-1])
    assert figures["key_ms"]["count"] == 7
    assert figures["places_replaced"] > 100


def test_memory_and_threads_are_measured_over_many_runs(tiny):
    figures = figures_of("bench_many_runs", tiny, "--runs", "2", "--warm-up", "1")
    assert figures["runs"] == 2
    assert figures["threads_before"] == figures["threads_after"]


def test_a_slope_is_the_growth_from_one_value_to_the_next():
    assert bench_many_runs.slope([1.0, 3.0, 5.0, 7.0]) == 2.0
    assert bench_many_runs.slope([4.0]) == 0.0


def test_a_start_is_measured_from_the_command_to_the_loaded_model(tiny):
    figures = figures_of("bench_startup", tiny, "--repeats", "1")
    assert 0 < figures["window_visible_ms"] < figures["model_ready_ms"]


def test_switching_variations_is_measured_in_short_and_long_texts():
    figures = measure(2)
    assert {"short_ms", "short_with_panel_cpu_ms", "1_mb_with_panel_ms"} <= set(figures)


def test_a_summary_gives_quantiles_and_the_greatest():
    assert stage.summary([float(n) for n in range(100, 0, -1)]) == {
        "p50": 51.0,
        "p99": 100.0,
        "max": 100.0,
        "count": 100,
    }
