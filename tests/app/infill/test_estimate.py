"""Times are told from runs that were measured, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.infill.estimate import Speeds, planned_passes
from engine.types import Finished, InfillRequest, Mode, ModelInfo, RunStats, Variation

MODEL = ModelInfo("mini", "esolm", 9_000_000, 1024, "cpu", "float32", 1, (0.0, 1.0))
OPTIONS = InfillRequest("", (), steps=4, alpha_0=1.0)


def run(elapsed_ms=220.0, options=OPTIONS, model=MODEL, nfe=4):
    stats = RunStats(
        nfe=nfe, written_tokens=25, computed_tokens=100, elapsed_ms=elapsed_ms, prefill_ms=20.0, reused_tokens=0
    )
    return Finished(1, options, (Variation(("x" * 100,), (), 0, -1.0),), stats, model)


@pytest.fixture
def speeds(tmp_path):
    return Speeds(tmp_path / "data" / "speeds.json")


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({}, 4),
        ({"steps": 100}, 40),
        ({"steps": 100, "sampler": "p2"}, 100),
        ({"alpha_0": 0.0}, 40),
        ({"alpha_0": 0.5}, 24),
        ({"mode": Mode.REFINE, "strength": 0.25, "alpha_0": 0.0}, 10),
        ({"correction_passes": 2}, 4 + 2 + 2 * (2 + 5)),
        ({"correction_passes": 1, "variations": 3}, 4 + 3 * (2 + 2 + 5)),
    ],
)
def test_passes_are_planned_as_the_engine_makes_them(changes, passes):
    assert planned_passes(replace(OPTIONS, **changes), 40) == passes


def test_nothing_is_claimed_of_a_model_that_has_not_run(speeds):
    assert speeds.of(MODEL).estimate(OPTIONS, 100) is None
    speeds.learn(run())
    assert speeds.of(replace(MODEL, device="cuda:0")).estimate(OPTIONS, 100) is None


def test_an_equal_run_is_expected_to_take_as_long(speeds):
    speeds.learn(run())
    estimate = speeds.of(MODEL).estimate(OPTIONS, 100)
    assert estimate.ms == pytest.approx(200.0)
    assert not estimate.is_rough
    assert estimate.reading_ms == pytest.approx(200.0)


def test_another_sampler_or_number_of_variations_is_told_of_as_rough(speeds):
    speeds.learn(run())
    assert speeds.of(MODEL).estimate(replace(OPTIONS, sampler="confidence"), 100).is_rough
    assert speeds.of(MODEL).estimate(replace(OPTIONS, variations=4), 100).is_rough


def test_newer_runs_count_more_without_one_deciding(speeds):
    speeds.learn(run(elapsed_ms=220.0))
    speeds.learn(run(elapsed_ms=420.0))
    assert 200.0 < speeds.of(MODEL).estimate(OPTIONS, 100).ms < 300.0


def test_a_run_without_a_pass_teaches_nothing(speeds):
    speeds.learn(replace(run(), stats=RunStats(), variations=()))
    assert speeds.of(MODEL).estimate(OPTIONS, 100) is None


def test_what_was_learned_is_there_at_the_next_start(speeds, tmp_path):
    speeds.learn(run())
    speeds.save()
    again = Speeds(tmp_path / "data" / "speeds.json")
    assert again.of(MODEL).estimate(OPTIONS, 100) == speeds.of(MODEL).estimate(OPTIONS, 100)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"mini": 3}', '{"m": {"a_step": {"x": -1}}}'])
def test_a_broken_file_is_begun_anew(tmp_path, text):
    path = tmp_path / "speeds.json"
    path.write_text(text, encoding="utf-8")
    assert Speeds(path).of(MODEL).estimate(OPTIONS, 100) is None
