"""The cache keeps what is valid, forgets the rest, and never changes a result."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cache import BLOCK, CleanTokenCache
from engine.canvas import Placed
from engine.denoise import prefill
from engine.models.base import ModelAdapter
from tests.engine.tiny import load_tiny, write_checkpoint


def empty_cache() -> CleanTokenCache:
    return CleanTokenCache(layers=1, heads=1, head_dim=2, room=512, dtype=torch.float32, device=torch.device("cpu"))


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def adapter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelAdapter:
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint")), dtype=request.param)


def fill_blocks(cache: CleanTokenCache, order: list[Placed]) -> None:
    for start in range(len(cache), len(order), BLOCK):
        cache.append(order[start : start + BLOCK], as_block=True)


def test_only_whole_blocks_of_the_common_prefix_are_reused() -> None:
    cache = empty_cache()
    order = [Placed(i, i) for i in range(3 * BLOCK + 5)]
    fill_blocks(cache, order)
    changed = [*order[: 2 * BLOCK + 7], Placed(999, 2 * BLOCK + 7)]
    assert cache.reuse(changed) == 2 * BLOCK
    assert cache.order == order[: 2 * BLOCK]


def test_tokens_accepted_during_a_run_are_never_taken_for_context() -> None:
    cache = empty_cache()
    order = [Placed(i, i) for i in range(BLOCK)]
    fill_blocks(cache, order)
    accepted = [Placed(7, BLOCK + i) for i in range(BLOCK)]
    for placed in accepted:
        cache.append([placed])
    assert cache.reuse([*order, *accepted]) == BLOCK


def test_a_token_at_another_position_is_another_token() -> None:
    cache = empty_cache()
    order = [Placed(1, i) for i in range(2 * BLOCK)]
    fill_blocks(cache, order)
    assert cache.reuse([Placed(1, i + 1) for i in range(2 * BLOCK)]) == 0


def test_clearing_forgets_everything() -> None:
    cache = empty_cache()
    fill_blocks(cache, [Placed(1, i) for i in range(2 * BLOCK)])
    cache.clear()
    assert len(cache) == 0
    cache.check_integrity()


def spoil(cache: CleanTokenCache, how: str) -> None:
    match how:
        case "two clean tokens at one position":
            cache.order[3] = cache.order[4]
        case "a token without an owner":
            cache.owners.pop()
        case "a variation's token in the reusable part":
            cache.owners[2] = 1
        case "more tokens than rows":
            cache.order += [Placed(1, 1000 + i) for i in range(cache.room)]
        case "not whole blocks":
            cache._blocks -= 1
        case "keys that are not finite":
            cache.keys[0, 0, 7] = torch.nan
        case "values that are not finite":
            cache.values[0, 0, 7] = torch.inf


@pytest.mark.parametrize(
    "how",
    [
        "two clean tokens at one position",
        "a token without an owner",
        "a variation's token in the reusable part",
        "more tokens than rows",
        "not whole blocks",
        "keys that are not finite",
        "values that are not finite",
    ],
)
def test_the_check_of_integrity_notices_what_is_wrong(how: str) -> None:
    cache = empty_cache()
    fill_blocks(cache, [Placed(i, i) for i in range(BLOCK)])
    cache.append([Placed(9, 200)], owner=1)
    cache.check_integrity()
    spoil(cache, how)
    with pytest.raises(AssertionError, match=how):
        cache.check_integrity()


@given(st.lists(st.tuples(st.integers(0, 130), st.integers(0, 3), st.integers(0, 40)), min_size=1, max_size=8))
@settings(max_examples=25)
def test_whatever_ran_before_the_rows_are_the_same_to_the_last_bit(
    adapter: ModelAdapter, edits: list[tuple[int, int, int]]
) -> None:
    warm = adapter.new_cache()
    order = [Placed(i % 50, i) for i in range(100)]
    for keep, token, grow in edits:
        kept = order[:keep]
        start = len(kept)
        order = [*kept, *(Placed((token + i) % 50, start + i) for i in range(grow + 1))]
        for _ in prefill(adapter, warm, order):
            warm.check_integrity()
        adapter.step(warm, (), [200, 201])  # masks on top of it
        adapter.step(warm, [Placed(3, 202)], [203])
    cold = adapter.new_cache()
    warm_progress = list(prefill(adapter, warm, order))
    list(prefill(adapter, cold, order))
    assert warm.order == cold.order == order
    assert warm_progress[-1].reused >= len(order) // BLOCK * BLOCK
    assert torch.equal(warm.keys[:, :, : len(order)], cold.keys[:, :, : len(order)])
    assert torch.equal(warm.values[:, :, : len(order)], cold.values[:, :, : len(order)])
