"""Caches come to the stage and leave it whole."""

from __future__ import annotations

import torch

from engine.cache import SHARED, CleanTokenCache
from engine.canvas import Placed
from engine.models.stage import ALIGNED, Sizes, Stage

SIZES = Sizes(layers=1, heads=2, head_dim=4, room=100, dtype=torch.float32, device=torch.device("cpu"))


def a_cache(value: float, length: int) -> CleanTokenCache:
    cache = CleanTokenCache(layers=1, heads=2, head_dim=4, room=100, dtype=torch.float32, device=torch.device("cpu"))
    cache.keys[:, :, :length] = value
    cache.values[:, :, :length] = value
    cache.append([Placed(1, position) for position in range(length)])
    return cache


def test_padding_has_a_row_beyond_every_cache_and_rows_are_aligned() -> None:
    stage = Stage(SIZES)
    assert stage.spill == SIZES.room
    assert stage.values.shape[2] == stage.keys.shape[2] == len(stage.owners) > stage.spill
    assert len(stage.owners) % ALIGNED == 0


def test_caches_take_turns_and_keep_what_was_written_to_them() -> None:
    stage = Stage(SIZES)
    one, other = a_cache(1.0, 3), a_cache(2.0, 5)
    stage.bring(one)
    stage.keys[:, :, 3:4] = 7.0
    stage.values[:, :, 3:4] = 7.0
    one.append([Placed(1, 3)], owner=2)
    stage.bring(other)
    assert stage.keys[0, 0, :5, 0].tolist() == [2.0] * 5
    assert one.keys[0, 1, :4, 2].tolist() == one.values[0, 1, :4, 2].tolist() == [1.0, 1.0, 1.0, 7.0]
    stage.bring(one)
    assert stage.owners[:4].tolist() == [SHARED, SHARED, SHARED, 2]
    assert stage.values[0, 0, :4, 0].tolist() == [1.0, 1.0, 1.0, 7.0]


def test_a_cache_that_is_there_already_is_not_copied() -> None:
    stage = Stage(SIZES)
    cache = a_cache(1.0, 3)
    stage.bring(cache)
    cache.keys.fill_(9.0)
    stage.bring(cache)
    assert stage.keys[0, 0, 0, 0] == 1.0


def test_a_cache_that_was_given_up_is_not_kept_alive() -> None:
    stage = Stage(SIZES)
    cache = a_cache(1.0, 3)
    stage.bring(cache)
    del cache
    stage.bring(a_cache(2.0, 1))
    stage.park()
    assert stage.keys[0, 0, 0, 0] == 2.0


def test_an_abandoned_cache_forgets_everything() -> None:
    stage = Stage(SIZES)
    cache = a_cache(1.0, 3)
    stage.bring(cache)
    stage.abandon()
    assert len(cache) == 0
    stage.abandon()
