"""Scores cover the text exactly, and equal what the sampler would have computed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.cache import CleanTokenCache
from engine.cache_pool import CachePool
from engine.canvas import Piece, Placed
from engine.errors import RequestError
from engine.likelihood import CHUNK, bound_span, nelbo_span, score_span
from engine.models.base import ModelAdapter
from engine.runner import Runner
from engine.scoring import bits_per_byte, bound, score
from engine.session import EngineSession, Job
from engine.types import Cancelled, ContextOrder, ModelChoice, Scored, ScoreRequest, TextSpan, TokenScore
from tests.engine.stepped import Events
from tests.engine.tiny import load_tiny, write_checkpoint

TEXT = "The naïve café 😀 ends.\r\nThen the line after it.\r\n"


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> ModelAdapter:
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint")))


@pytest.fixture
def lease(adapter: ModelAdapter) -> Callable[..., object]:
    return CachePool(adapter.new_cache).lease


def all_scores(adapter: ModelAdapter, request: ScoreRequest) -> list[TokenScore]:
    return [one for part in score(adapter, CachePool(adapter.new_cache).lease, request) for one in part]


@pytest.mark.parametrize("span", [None, TextSpan(4, 20), TextSpan(20, 30)])
def test_the_tokens_cover_the_text_without_gaps(adapter: ModelAdapter, span: TextSpan | None) -> None:
    scores = all_scores(adapter, ScoreRequest(TEXT, span))
    wanted = span or TextSpan(0, len(TEXT))
    assert scores[0].start == wanted.start
    assert scores[-1].end == wanted.end
    for one, following in itertools.pairwise(scores):
        assert following.start in {one.end, one.start}  # a split character is shared
    assert all(one.log_likelihood < 0 for one in scores)


def test_a_texts_score_equals_one_pass_a_token(adapter: ModelAdapter) -> None:
    scores = all_scores(adapter, ScoreRequest("The cat sat there."))
    ids = adapter.tokenizer.encode("The cat sat there.")
    begin = adapter.config.special_tokens.begin
    assert begin is not None
    cache = adapter.new_cache()
    fed = [Placed(begin, 0)]
    for position, (token, one) in enumerate(zip(ids, scores, strict=True), start=1):
        logits = adapter.step(cache, fed, [position])
        assert one.log_likelihood == pytest.approx(float(logits.log_softmax(-1)[0, token]), abs=1e-4)
        fed = [Placed(token, position)]


def test_a_text_longer_than_the_context_is_scored_in_windows(adapter: ModelAdapter) -> None:
    text = "The cat sat on the mat. " * 40
    request = ScoreRequest(text)
    parts = list(score(adapter, CachePool(adapter.new_cache).lease, request))
    assert len(parts) > adapter.config.context_length / CHUNK
    assert sum(len(part) for part in parts) == len(adapter.tokenizer.encode(text))


def test_bits_per_byte_counts_utf8_bytes(adapter: ModelAdapter) -> None:
    scores = [TokenScore(0, 1, -math.log(2) * 4)]
    assert bits_per_byte("é", scores) == pytest.approx(2.0)
    assert bits_per_byte("\ud800", scores) == pytest.approx(4 / 3)  # read as U+FFFD, which has three


@pytest.mark.parametrize("span", [TextSpan(3, 3), TextSpan(0, 999), TextSpan(-1, 2)])
def test_nothing_to_score_is_refused(adapter: ModelAdapter, span: TextSpan) -> None:
    with pytest.raises(RequestError, match="nothing to score"):
        all_scores(adapter, ScoreRequest(TEXT, span))


def test_the_bound_over_orders_is_exact_for_one_token_and_tightens(adapter: ModelAdapter) -> None:
    pool = CachePool(adapter.new_cache)
    order = ContextOrder.PREFIX_FIRST
    one = [Piece(ids=(1, 2, 3)), Piece(ids=(9,), span=0), Piece(ids=(4, 5))]
    exact = sum(score_span(adapter, pool.lease, one, 1, order))
    bound = bound_span(adapter, pool.lease, one, 1, order, orders=4, generator=torch.Generator().manual_seed(0))
    assert bound == pytest.approx(exact, abs=1e-5)

    several = [Piece(ids=(1, 2, 3)), Piece(ids=(9, 8, 7, 6, 5), span=0), Piece(ids=(4,))]

    def mean_bound(orders: int, seeds: int) -> float:
        generator = torch.Generator().manual_seed(3)
        values = [
            bound_span(adapter, pool.lease, several, 1, order, orders=orders, generator=generator) for _ in range(seeds)
        ]
        return sum(values) / seeds

    assert mean_bound(1, 64) <= mean_bound(8, 8) + 1e-6


def test_the_nelbo_is_the_mean_over_orders(adapter: ModelAdapter) -> None:
    """Masks that see only clean tokens: with k of n masked uniformly, every order counts alike (arXiv 2110.02037)."""
    pool, order = CachePool(adapter.new_cache), ContextOrder.PREFIX_FIRST
    ids, context = (9, 8, 7), [Placed(1, 0), Placed(2, 1), Placed(4, 5)]
    tokens = [Placed(token, 2 + place) for place, token in enumerate(ids)]

    def given(clean: Sequence[Placed], placed: Placed) -> float:
        logits = adapter.step(adapter.new_cache(), [*context, *clean], [placed.position])
        return float(logits.log_softmax(-1)[0, placed.token])

    every = [
        math.fsum(given(way[:place], placed) for place, placed in enumerate(way))
        for way in itertools.permutations(tokens)
    ]
    pieces = [Piece(ids=(1, 2)), Piece(ids=ids, span=0), Piece(ids=(4,))]
    bound = nelbo_span(
        adapter, pool.lease, pieces, 1, order, samples=400, generator=torch.Generator().manual_seed(0)
    )  # fmt: skip
    assert bound == pytest.approx(math.fsum(every) / len(every), abs=0.3)
    with_one = [Piece(ids=(1, 2)), Piece(ids=(9,), span=0), Piece(ids=(4,))]
    exact = sum(score_span(adapter, pool.lease, with_one, 1, order))
    one = nelbo_span(adapter, pool.lease, with_one, 1, order, samples=1, generator=torch.Generator())
    assert one == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize("attention", ["causal", "mixed2"])
def test_at_alpha_0_of_0_both_bounds_are_the_exact_likelihood(tmp_path: Path, attention: str) -> None:
    model = load_tiny(write_checkpoint(tmp_path / "model", attention=attention, trained_alpha_0=[0.0, 0.0]))
    lease, order = CachePool(model.new_cache).lease, ContextOrder.PREFIX_FIRST
    pieces = [Piece(ids=(1, 2, 3)), Piece(ids=(9, 8, 7, 6), span=0), Piece(ids=(4, 5))]
    exact = sum(score_span(model, lease, pieces, 1, order))
    noise = torch.Generator().manual_seed(0)
    weighted = bound_span(model, lease, pieces, 1, order, orders=3, generator=noise, alpha_0=0.0)
    nelbo = nelbo_span(model, lease, pieces, 1, order, samples=3, generator=noise, alpha_0=0.0)
    assert [weighted, nelbo] == pytest.approx([exact, exact], abs=1e-4)
    bounds = bound(model, lease, ScoreRequest(TEXT, TextSpan(4, 14), orders=2))
    assert bounds is not None
    assert bounds.importance_weighted == pytest.approx(bounds.nelbo, abs=1e-4)


def test_between_them_the_nelbo_is_the_mean_over_the_orders_of_the_hybrid_process(adapter: ModelAdapter) -> None:
    """Two tokens at alpha_0 = 1/2: both fall to diffusion, one of them, or none, each with probability 1/4; then the
    orders are both ways (half each), the fallen one first, or left to right."""
    pool, order, context = CachePool(adapter.new_cache), ContextOrder.PREFIX_FIRST, [Placed(1, 0), Placed(2, 1)]
    one, two = Placed(9, 2), Placed(8, 3)

    def along(*tokens: Placed) -> float:
        total, seen = 0.0, list(context)
        for token in tokens:
            logits = adapter.step(adapter.new_cache(), seen, [token.position])
            total += float(logits.log_softmax(-1)[0, token.token])
            seen.append(token)
        return total

    left, right = along(one, two), along(two, one)
    expected = (left + right) / 2 / 4 + left / 4 + right / 4 + left / 4
    pieces, noise = [Piece(ids=(1, 2)), Piece(ids=(9, 8), span=0)], torch.Generator().manual_seed(0)
    nelbo = nelbo_span(adapter, pool.lease, pieces, 1, order, samples=1500, generator=noise, alpha_0=0.5)
    assert abs(left - right) > 0.2
    assert nelbo == pytest.approx(expected, abs=0.05)
    totals = [bound_span(adapter, pool.lease, pieces, 1, order, orders=1, generator=noise, alpha_0=0.5)
              for _ in range(600)]  # fmt: skip
    assert sum(totals) / 600 == pytest.approx(expected, abs=0.1)


def test_a_model_whose_clean_tokens_see_one_another_has_no_bound_over_orders(tmp_path: Path) -> None:
    model = load_tiny(write_checkpoint(tmp_path / "model", attention="mixed2", trained_alpha_0=[0.5, 0.5]))
    bounds = bound(model, CachePool(model.new_cache).lease, ScoreRequest(TEXT, TextSpan(4, 14), orders=2))
    assert bounds is not None
    assert bounds.importance_weighted is None
    assert 0 < bounds.nelbo < 40


def test_the_nelbo_masks_every_number_of_tokens_equally_often(adapter: ModelAdapter) -> None:
    class Counting:
        def __init__(self) -> None:
            self.masks: list[int] = []

        def __getattr__(self, name: str) -> Any:
            return getattr(adapter, name)

        def step(self, cache: CleanTokenCache, clean: Sequence[Placed], masked: Sequence[int], **how: Any) -> Tensor:
            self.masks += [len(masked)] if masked else []
            return adapter.step(cache, clean, masked, **how)

    counting, pool = Counting(), CachePool(adapter.new_cache)
    pieces = [Piece(ids=(1, 2)), Piece(ids=(9, 8, 7), span=0), Piece(ids=(4,))]
    noise = torch.Generator().manual_seed(0)
    nelbo_span(counting, pool.lease, pieces, 1, ContextOrder.PREFIX_FIRST, samples=300, generator=noise)
    counts = [counting.masks.count(number) for number in (1, 2, 3)]
    assert sum(counts) == 300
    assert all(75 < count < 125 for count in counts)


def test_a_session_scores_between_runs(adapter: ModelAdapter) -> None:
    session = EngineSession(ModelChoice(name=str(adapter.config.folder), device="cpu", dtype="float32", threads=1))
    events = Events()
    session.score(ScoreRequest(TEXT, TextSpan(4, 14)), events)
    ending = events.ending()
    assert session.close()
    assert isinstance(ending, Scored)
    assert ending.bits_per_byte > 0
    assert ending.model.name == "tiny"


def test_bounding_over_many_orders_stops_within_one_order(adapter: ModelAdapter) -> None:
    class Stopped(Job):
        looks = 0

        @property
        def is_cancelled(self) -> bool:
            self.looks += 1
            return self.looks > 5

    job = Stopped(1, "")
    request = ScoreRequest(TEXT, TextSpan(4, 14), orders=10**9)
    ending = Runner(adapter).score(job, request)
    assert isinstance(ending, Cancelled)
    assert ending.request == request
    assert job.looks == 6
