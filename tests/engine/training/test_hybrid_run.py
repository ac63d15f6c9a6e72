"""Every objective on the `tiny` preset: it trains, and the engine samples what was trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.config import Attention, read_config
from engine.session import EngineSession
from engine.training import command
from engine.training.account import Report
from engine.training.answering import fill, greedy
from engine.training.checkpoint import check_continuable
from engine.training.config import OBJECTIVES, replaced
from engine.training.report import compare, describe_report
from engine.training.run import Call, train
from engine.training.samples import SampleStore, write_samples
from engine.types import ModelChoice, TextSpan
from tests.engine.training.small import prose, tiny_config, write_corpus


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def losses_of(data: Path, out: Path, objective: str, steps: int, *, resume: bool = False) -> list[float]:
    reports: list[Report] = []
    config = tiny_config(data, steps=16, objective=objective, alpha_0=0.5, held_out_samples=2)
    call = Call(resume=resume, stopped=lambda: len(reports) >= steps)
    train(config, out, lambda news: reports.append(news) if isinstance(news, Report) else None, call)
    return [report.step.loss for report in reports]


@pytest.mark.parametrize("objective", OBJECTIVES[1:])
def test_the_loss_falls_and_the_engine_samples_what_was_trained(data: Path, tmp_path: Path, objective: str) -> None:
    losses = losses_of(data, tmp_path, objective, 16)
    assert sum(losses[-4:]) / 4 < sum(losses[:4]) / 4 - 0.3
    config = read_config(tmp_path)
    mixed = objective in ("eso-a", "mdlm")
    assert config.attention is (Attention.MIXED2 if mixed else Attention.CAUSAL)
    alpha_0 = {"ar": 0.0, "mdlm": 1.0}.get(objective, 0.5)
    assert config.trained_alpha_0 == (alpha_0, alpha_0)
    assert config.training["objective"] == objective
    session = EngineSession(ModelChoice(name=str(tmp_path), device="cpu", dtype="float32", threads=1))
    text = prose(3)[:400]
    try:
        filled = [fill(session, greedy(text, TextSpan(60, 90), alpha_0=alpha_0, capacity=8)) for _ in range(2)]
    finally:
        session.close()
    assert filled[0] == filled[1] != ""


def test_a_resumed_hybrid_run_goes_on_exactly(data: Path, tmp_path: Path) -> None:
    whole = losses_of(data, tmp_path / "whole", "eso-a", 5)
    first = losses_of(data, tmp_path / "parts", "eso-a", 3)
    assert first + losses_of(data, tmp_path / "parts", "eso-a", 2, resume=True) == whole


def test_any_order_runs_know_nothing_of_the_hybrid_settings(data: Path, tmp_path: Path) -> None:
    """So that their checkpoints resume whatever those are."""
    losses_of(data, tmp_path, "any-order", 1)
    state = json.loads((tmp_path / "state" / "state.json").read_text(encoding="utf-8"))
    assert not {"objective", "alpha_0", "batch_split", "diffusion_weight"} & set(state["about"])
    assert "objective" not in read_config(tmp_path).training


def test_going_on_from_a_model_keeps_its_objective_and_reports_by_its_bound(data: Path, tmp_path: Path) -> None:
    losses_of(data, tmp_path / "first", "eso-a", 1)
    config = command._wishes([data], "tiny", {}, str(tmp_path / "first"), tmp_path / "more").config
    assert (config.objective, config.alpha_0) == ("eso-a", 0.5)
    check_continuable(tmp_path / "first", config)
    check_continuable(tmp_path / "first", replaced(config, {"objective": "any-order"}))
    store = SampleStore(tmp_path / "first" / "samples")
    write_samples(tmp_path / "asked" / "text", [[store[0], store[1]]], {})
    (measure,) = compare(tmp_path / "first", tmp_path / "first", tmp_path / "asked")
    assert (measure.alpha_0, measure.samples) == (0.5, 2)
    assert measure.before == measure.after > 0
    assert "bound" in describe_report([measure])[1]
