"""Several caches under a budget: the best one serves, the oldest one goes, and no result ever depends on any of it."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from torch import Tensor

from engine.cache import BLOCK, CleanTokenCache
from engine.cache_pool import MOST_CACHES, CachePool
from engine.canvas import Placed
from engine.models.base import ModelAdapter
from engine.runner import Runner
from engine.session import Job
from engine.types import SAMPLER_NAMES, Cancelled, Event, Finished, InfillRequest, Mode, TextSpan
from tests.engine.tiny import load_tiny, write_checkpoint


def make() -> CleanTokenCache:
    return CleanTokenCache(layers=1, heads=1, head_dim=2, room=256, dtype=torch.float32, device=torch.device("cpu"))


ONE = make().memory_bytes


def document(number: int, length: int = 3 * BLOCK) -> list[Placed]:
    return [Placed(100 * number + i, i) for i in range(length)]


def compute(cache: CleanTokenCache, order: list[Placed]) -> int:
    reused = cache.reuse(order)
    for start in range(reused, len(order), BLOCK):
        cache.append(order[start : start + BLOCK], as_block=True)
    return reused


def test_every_document_keeps_its_own_cache_while_the_budget_lasts() -> None:
    pool = CachePool(make, budget_bytes=2 * ONE)
    for number in (1, 2):
        compute(pool.lease(document(number)), document(number))
    for number in (1, 2):
        assert compute(pool.lease(document(number)), document(number)) == 3 * BLOCK
    assert len(pool) == 2


def test_the_least_recently_used_goes_first() -> None:
    pool = CachePool(make, budget_bytes=2 * ONE)
    for number in (1, 2, 1, 3):
        compute(pool.lease(document(number)), document(number))
    assert len(pool) == 2
    assert compute(pool.lease(document(1)), document(1)) == 3 * BLOCK
    assert compute(pool.lease(document(2)), document(2)) == 0
    pool.check_integrity()


def test_a_small_model_does_not_keep_a_cache_for_every_request() -> None:
    pool = CachePool(make, budget_bytes=1000 * ONE)
    for number in range(3 * MOST_CACHES):
        compute(pool.lease(document(number)), document(number))
    assert len(pool) == MOST_CACHES


def test_one_cache_is_kept_whatever_the_budget() -> None:
    pool = CachePool(make, budget_bytes=0)
    compute(pool.lease(document(1)), document(1))
    assert compute(pool.lease(document(1)), document(1)) == 3 * BLOCK
    assert len(pool) == 1
    pool.clear()
    assert pool.memory_bytes == 0


def test_a_small_common_start_does_not_throw_a_large_cache_away() -> None:
    pool = CachePool(make, budget_bytes=4 * ONE)
    long = document(1, 6 * BLOCK)
    compute(pool.lease(long), long)
    other = [*long[:BLOCK], *(Placed(9000 + i, BLOCK + i) for i in range(5 * BLOCK))]
    compute(pool.lease(other), other)
    assert compute(pool.lease(long), long) == 6 * BLOCK


class _StopAfter(Job):
    """A job that is cancelled after so many looks at it."""

    def __init__(self, looks: int) -> None:
        super().__init__(1, "")
        self._looks = looks

    @property
    def is_cancelled(self) -> bool:
        self._looks -= 1
        return self._looks < 0


class _FullAfter:
    """A model for which memory runs out after so many passes."""

    def __init__(self, adapter: ModelAdapter, passes: int) -> None:
        self._adapter, self._left = adapter, passes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    def step(self, *args: Any, **options: Any) -> Tensor:
        self._left -= 1
        if self._left < 0:
            raise MemoryError
        return self._adapter.step(*args, **options)


class EditingSession(RuleBasedStateMachine):
    """Edits, requests, stops and evictions in any order, on two documents, with any sampler, alone or several in a
    batch; every finished result must equal the one of a fresh engine."""

    adapter: ModelAdapter

    def __init__(self) -> None:
        super().__init__()
        self.runner = Runner(self.adapter)
        self.runner._pool = CachePool(self.adapter.new_cache, 2 * self.adapter.new_cache().memory_bytes)
        self.texts = ["The cat sat on the mat and looked at the rain. " * 3, "def add(a, b):\n    return a + b\n" * 4]

    @rule(which=st.integers(0, 1), at=st.integers(0, 60), typed=st.text("the an in\n", max_size=12))
    def type(self, which: int, at: int, typed: str) -> None:
        text = self.texts[which]
        self.texts[which] = (text[:at] + typed + text[at:])[:200]

    @rule(which=st.integers(0, 1), at=st.integers(0, 60), count=st.integers(1, 30))
    @precondition(lambda self: min(map(len, self.texts)) > 100)
    def delete(self, which: int, at: int, count: int) -> None:
        text = self.texts[which]
        self.texts[which] = text[:at] + text[at + count :]

    @rule(
        which=st.integers(0, 1),
        start=st.integers(0, 50),
        length=st.integers(1, 20),
        seed=st.integers(0, 3),
        sampler=st.sampled_from(SAMPLER_NAMES),
        variations=st.integers(1, 3),
        corrections=st.integers(0, 1),
    )
    def fill(
        self, which: int, start: int, length: int, seed: int, sampler: str, variations: int, corrections: int
    ) -> None:
        request = self.request(which, start, length, seed)
        request = replace(request, sampler=sampler, variations=variations, correction_passes=corrections)
        ours = self.runner.run(Job(1, ""), request, ignore)
        fresh = Runner(self.adapter).run(Job(1, ""), request, ignore)
        assert isinstance(ours, Finished)
        assert isinstance(fresh, Finished)
        assert ours.variations == fresh.variations

    @rule(
        which=st.integers(0, 1),
        start=st.integers(0, 50),
        looks=st.integers(0, 12),
        sampler=st.sampled_from(SAMPLER_NAMES),
        variations=st.integers(1, 3),
    )
    def stop_in_the_middle(self, which: int, start: int, looks: int, sampler: str, variations: int) -> None:
        request = replace(self.request(which, start, 12, 0), alpha_0=0.3, sampler=sampler, variations=variations)
        ending = self.runner.run(_StopAfter(looks), request, ignore)
        assert isinstance(ending, Cancelled | Finished)

    @rule(which=st.integers(0, 1), start=st.integers(0, 50))
    def prewarm(self, which: int, start: int) -> None:
        self.runner.prewarm(Job(1, ""), self.request(which, start, 12, 0))

    @rule(which=st.integers(0, 1), start=st.integers(0, 50))
    def refine(self, which: int, start: int) -> None:
        request = replace(self.request(which, start, 12, 0), mode=Mode.REFINE)
        assert isinstance(self.runner.run(Job(1, ""), request, ignore), Finished)

    @rule(which=st.integers(0, 1), start=st.integers(0, 50))
    def run_out_of_memory(self, which: int, start: int) -> None:
        self.runner._adapter = _FullAfter(self.adapter, 3)
        with contextlib.suppress(MemoryError):
            self.runner.run(Job(1, ""), self.request(which, start, 12, 0), ignore)
        self.runner._adapter = self.adapter

    @rule()
    def evict(self) -> None:
        self.runner.drop_caches()

    @invariant()
    def caches_are_sound(self) -> None:
        self.runner._pool.check_integrity()

    def request(self, which: int, start: int, length: int, seed: int) -> InfillRequest:
        span = TextSpan(start, start + length)
        return InfillRequest(self.texts[which], (span,), steps=3, alpha_0=0.8, seed=seed, capacity=8)


def ignore(event: Event) -> None:
    assert threading.current_thread() is threading.main_thread()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_no_sequence_of_edits_requests_stops_and_evictions_changes_a_result(
    tmp_path_factory: pytest.TempPathFactory, dtype: str
) -> None:
    EditingSession.adapter = load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint")), dtype=dtype)
    run_state_machine_as_test(EditingSession, settings=settings(max_examples=20, stateful_step_count=12, deadline=None))
