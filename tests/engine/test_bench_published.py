"""The published model's benchmark in miniature: that it measures what it says, not how fast."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from engine import bench_published
from engine.bench_grid import NetworkSize, random_checkpoint
from engine.bench_published import GOALS, PUBLISHED, PublishedPlan, measure_published
from engine.cli import main
from engine.config import CheckpointConfig
from engine.device import Placement
from engine.models.esolm import shape_of
from engine.models.esolm_network import parameter_shapes
from engine.models.esolm_static import StaticEsoLMAdapter
from engine.tokenization import Tokenizer
from engine.types import ModelChoice
from tests.engine.models.tape import TapeRecorder
from tests.engine.tiny import load_tiny, write_checkpoint

pytestmark = pytest.mark.bench
SMALL = PublishedPlan(NetworkSize(2, 32, 2, 300, published=True), length=24, steps=4, repeats=1, samples=2)
CPU = ModelChoice(device="cpu", dtype="float32", threads=1)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint"))).tokenizer


def test_the_shape_is_the_published_one() -> None:
    config, weights = random_checkpoint(NetworkSize(1, 768, 12, 50_258, published=True), 8)
    assert not config.tie_embeddings
    assert config.masks_see_masks
    assert weights["output_layer.linear.weight"].shape == (50_258, 768)
    assert (PUBLISHED.layers, PUBLISHED.width, PUBLISHED.heads, PUBLISHED.vocabulary) == (12, 768, 12, 50_258)
    names = parameter_shapes(shape_of(config))
    assert sum(torch.Size(shape).numel() for name, shape in names.items() if "blocks" not in name) > 77_000_000


def test_every_run_of_the_goals_is_measured(tokenizer: Tokenizer) -> None:
    figures = cast(dict[str, Any], measure_published(CPU, tokenizer, SMALL))
    assert [(run["alpha_0"], run["nfe"], run["goal_tokens_s"]) for run in figures["runs"]] == [
        (1.0, 4, GOALS[1.0]),
        (0.0, 24, GOALS[0.0]),
    ]
    assert all(run["tokens_s"] > 0 for run in figures["runs"])
    assert figures["step"]["step_ms"] > 0
    assert "graphs" not in figures


def test_on_a_gpu_it_compares_with_steps_launched_one_by_one(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def static(
        config: CheckpointConfig, tokenizer: Tokenizer, weights: dict[str, torch.Tensor], placement: Placement
    ) -> StaticEsoLMAdapter:
        return StaticEsoLMAdapter(config, tokenizer, weights, placement, TapeRecorder())

    monkeypatch.setattr(bench_published, "esolm", static)
    figures = cast(dict[str, Any], measure_published(CPU, tokenizer, SMALL))
    assert figures["graphs"] > 2
    assert len(figures["without_graphs"]) == len(figures["runs"]) == 2


def test_the_command_prints_one_json_object_last(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(bench_published.measure_published, "__defaults__", (SMALL,))
    model = str(write_checkpoint(tmp_path))
    options = ["--published", "--device", "cpu", "--dtype", "float32", "--threads", "1", "--json"]
    assert main(["bench", "--model", model, *options]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["length"] == 24


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_the_command_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--published", "--device", "cuda", "--json"]) == 2
    assert "No CUDA device was found" in capsys.readouterr().err
