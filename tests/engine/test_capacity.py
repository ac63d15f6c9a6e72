"""The search for a hole's length, on a model that is told which length is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.cache import CleanTokenCache
from engine.cache_pool import CachePool
from engine.canvas import Piece
from engine.capacity import COARSE, find_capacities, length_bias
from engine.models.base import Feed, ModelAdapter
from engine.session import EngineSession
from engine.types import Finished, InfillRequest, ModelChoice, TextSpan
from tests.engine.stepped import Events
from tests.engine.tiny import load_tiny, write_checkpoint

PIECES = [Piece(ids=tuple(range(40))), Piece(span=0, hole=True, capacity=16), Piece(ids=tuple(range(50, 90)))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    special = {"mask": 270, "begin": 271}
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint"), special_tokens=special, vocab_size=275)


class SureOfOneLength:
    """A model whose first predictions are certain when a hole has the right length and flat otherwise."""

    def __init__(self, adapter: ModelAdapter, right: int) -> None:
        self.config, self.new_cache, self.step = adapter.config, adapter.new_cache, adapter.step
        self._adapter, self._right = adapter, right
        self.tried: list[int] = []
        self.batches: list[int] = []

    def _certainty(self, length: int) -> float:
        return 9.0 - 10 * abs(length - self._right) / self._right

    def step_batch(self, cache: CleanTokenCache, feeds: Sequence[Feed]) -> list[Tensor]:
        batch = self._adapter.step_batch(cache, feeds)
        lengths = [len(feed.masked) for feed in feeds]
        self.tried += lengths
        self.batches.append(len(feeds))
        return [
            torch.zeros_like(logits).index_fill(
                1, torch.tensor([3]), 9.0 - 10 * abs(length - self._right) / self._right
            )
            for logits, length in zip(batch, lengths, strict=True)
        ]


@pytest.mark.parametrize("right", [1, 5, 8, 13, 20, 40, 64])
def test_the_length_the_model_is_surest_of_is_found_in_two_passes(folder: Path, right: int) -> None:
    model = SureOfOneLength(load_tiny(folder), right)
    found = find_capacities(model, CachePool(model.new_cache).lease, PIECES)  # type: ignore[arg-type]
    assert abs(found[1].capacity - right) <= max(1, right // 4)
    assert len(model.tried) <= len(COARSE) + 13
    assert found[0] == PIECES[0]


class SureAsTheBias:
    """A model that is as sure of its first predictions as the bias says, and half as sure again at one length."""

    def __init__(self, adapter: ModelAdapter, right: int) -> None:
        self.config, self.new_cache, self.step = adapter.config, adapter.new_cache, adapter.step
        self._right, self._step_batch = right, adapter.step_batch

    def step_batch(self, cache: CleanTokenCache, feeds: Sequence[Feed]) -> list[Tensor]:
        results = []
        for feed, logits in zip(feeds, self._step_batch(cache, feeds), strict=True):
            length = len(feed.masked)
            sure = length_bias(length) * (1.5 if length == self._right else 1.0)
            results.append(torch.zeros_like(logits))
            results[-1][:, 3] = math.log(sure / (1 - sure) * (logits.shape[1] - 1))
        return results


@pytest.mark.parametrize("right", [16, 24, 48])
def test_a_length_is_measured_against_the_bias_and_not_by_its_sureness_alone(folder: Path, right: int) -> None:
    assert 1.5 * length_bias(right) < length_bias(1)
    model = SureAsTheBias(load_tiny(folder), right)
    found = find_capacities(model, CachePool(model.new_cache).lease, PIECES)  # type: ignore[arg-type]
    assert found[1].capacity == right


@pytest.mark.parametrize(("attention", "most"), [("causal", len(COARSE)), ("mixed2", 1)])
def test_lengths_share_a_batch_only_where_they_share_the_context(tmp_path: Path, attention: str, most: int) -> None:
    special = {"mask": 270, "begin": 271}
    folder = write_checkpoint(tmp_path / "model", special_tokens=special, vocab_size=275, attention=attention)
    model = SureOfOneLength(load_tiny(folder), 13)
    found = find_capacities(model, CachePool(model.new_cache).lease, PIECES)  # type: ignore[arg-type]
    assert abs(found[1].capacity - 13) <= 3
    assert max(model.batches) == most


def test_the_bias_is_the_papers() -> None:
    assert length_bias(1) == pytest.approx(0.170333 + 0.527388 + 0.24, abs=1e-5)  # e^-1.77, 0.56 e^-0.06
    assert length_bias(10) == pytest.approx(0.307335 + 0.24, abs=1e-5)


def test_the_bias_falls_with_the_length() -> None:
    values = [length_bias(length) for length in COARSE]
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(0.252, abs=1e-3)


def test_a_model_without_an_empty_token_gets_a_length_and_fills_it(folder: Path) -> None:
    session = EngineSession(ModelChoice(name=str(folder), device="cpu", dtype="float32", threads=1))
    events = Events()
    session.submit(InfillRequest("The cat sat on the mat.", (TextSpan(4, 7),), steps=4), events)
    ending = events.ending()
    assert session.close()
    assert isinstance(ending, Finished)
    assert ending.variations[0].texts[0]
