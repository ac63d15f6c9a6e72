"""The yardstick: without its cache a model writes the same, and computes everything at every step."""

from __future__ import annotations

import pytest
import torch

from engine.canvas import Placed
from engine.models.base import Feed
from engine.models.uncached import UncachedAdapter
from engine.runner import Runner
from engine.session import Job
from engine.types import Finished, InfillRequest, TextSpan
from tests.engine.tiny import load_tiny, write_checkpoint

CONTEXT = [Placed(token, token) for token in range(40)]
ACCEPTED = [Placed(7, 44), Placed(9, 41)]


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory):
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("models") / "tiny"))


def close(left: torch.Tensor, right: torch.Tensor) -> bool:
    return bool((left - right).abs().max() <= 1e-4)


def test_every_step_gives_the_cached_steps_logits(adapter):
    uncached = UncachedAdapter(adapter)
    with_cache, without = adapter.new_cache(), uncached.new_cache()
    assert uncached.step(without, CONTEXT, ()).shape[0] == adapter.step(with_cache, CONTEXT, ()).shape[0] == 0
    for clean, masked in (((), (41, 44)), (ACCEPTED, (42, 43))):
        assert close(uncached.step(without, clean, masked), adapter.step(with_cache, clean, masked))
    seen = uncached.step(without, [Placed(3, 42)], (43, 45), seen=(0, 1))
    assert close(seen, adapter.step(with_cache, [Placed(3, 42)], (43, 45), seen=(0, 1)))


def test_a_variation_sees_its_own_tokens_only(adapter):
    uncached = UncachedAdapter(adapter)
    with_cache, without = adapter.new_cache(), uncached.new_cache()
    uncached.step(without, CONTEXT, ())
    adapter.step(with_cache, CONTEXT, ())
    for feeds in (
        [Feed(0, [], [41, 44]), Feed(1, [], [41])],
        [Feed(0, ACCEPTED, [42]), Feed(1, [Placed(5, 41)], [42, 43])],
    ):
        for left, right in zip(uncached.step_batch(without, feeds), adapter.step_batch(with_cache, feeds), strict=True):
            assert close(left, right)


def test_nothing_of_it_is_ever_reused(adapter):
    cache = UncachedAdapter(adapter).new_cache()
    UncachedAdapter(adapter).step(cache, CONTEXT, (), as_block=True)
    assert cache.common(CONTEXT) == 0


@pytest.mark.parametrize("variations", [1, 3])
def test_a_run_without_cache_writes_the_same_text_and_leaves_the_caches_alone(adapter, variations):
    runner = Runner(adapter)

    def run(use_cache: bool) -> Finished:
        spans = (TextSpan(30, 40),)
        request = InfillRequest("the cat sat " * 8, spans, capacity=12, use_cache=use_cache, variations=variations)
        ending = runner.run(Job(1, ""), request, lambda event: None)
        assert isinstance(ending, Finished)
        return ending

    first, without, again = run(True), run(False), run(True)
    assert [v.texts for v in without.variations] == [v.texts for v in first.variations]
    assert without.stats.reused_tokens == 0
    assert without.stats.nfe == first.stats.nfe
    assert again.stats.reused_tokens > 0
