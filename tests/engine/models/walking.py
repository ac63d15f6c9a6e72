"""Random feeds to the ordinary step and to the static one, compared after each."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.cache import CleanTokenCache
from engine.canvas import Placed
from engine.models.base import Feed
from engine.models.esolm import EsoLMAdapter
from engine.models.esolm_static import StaticEsoLMAdapter

TOLERANCE = 1e-5
TOLERANCE_ON_A_GPU = 1e-4
VOCABULARY = 200


@dataclass(frozen=True)
class Pair:
    """One set of weights, run in both ways."""

    plain: EsoLMAdapter
    static: StaticEsoLMAdapter


def assert_close(result: Tensor, expected: Tensor) -> None:
    """Whether `result`, on any device, is `expected` to rounding."""
    tolerance = TOLERANCE if result.device.type == "cpu" else TOLERANCE_ON_A_GPU
    assert torch.allclose(result.cpu(), expected, atol=tolerance, rtol=0)


def assert_same_cache(pair: Pair, plain: CleanTokenCache, static: CleanTokenCache) -> None:
    pair.static.park()
    for cache in (plain, static):
        cache.check_integrity()
    assert plain.order == static.order
    assert plain.owners == static.owners
    length = len(plain)
    assert_close(static.keys[:, :, :length], plain.keys[:, :, :length])
    assert_close(static.values[:, :, :length], plain.values[:, :, :length])


class Walk:
    """Random feeds to both ways of running the model, compared after each."""

    def __init__(self, pair: Pair, rng: random.Random) -> None:
        self.pair, self.rng = pair, rng
        self.caches = [(pair.plain.new_cache(), pair.static.new_cache()) for _ in range(2)]
        self.current = 0

    def free(self) -> list[int]:
        taken = {placed.position for placed in self.caches[self.current][0].order}
        positions = [position for position in range(300) if position not in taken]
        self.rng.shuffle(positions)
        return positions

    def step(self) -> None:
        plain, static = self.caches[self.current]
        free, room = self.free(), 250 - len(plain)
        count = self.rng.choice((0, 1, 2, 5, 16, 33))
        clean = [Placed(self.rng.randrange(VOCABULARY), free.pop()) for _ in range(min(count, room))]
        masked = [free.pop() for _ in range(self.rng.choice((0, 1, 2, 7, 16, 40)))] if clean else [free.pop()]
        seen = sorted(self.rng.randint(0, len(clean)) for _ in masked) if self.rng.random() < 0.3 else None
        expected = self.pair.plain.step(plain, clean, masked, seen=seen)
        logits = self.pair.static.step(static, clean, masked, seen=seen)
        assert logits.shape == expected.shape
        assert_close(logits, expected)

    def batch(self) -> None:
        plain, static = self.caches[self.current]
        shared = len(plain)
        if shared > 250:
            return
        for _ in range(self.rng.randint(1, 3)):
            feeds = []
            for variation in range(self.rng.randint(1, 4)):
                mine = {p.position for p, owner in zip(plain.order, plain.owners, strict=True) if owner == variation}
                free = [position for position in self.free() if position not in mine]
                clean = [Placed(self.rng.randrange(VOCABULARY), free.pop()) for _ in range(self.rng.randint(0, 3))]
                feeds.append(Feed(variation, clean, [free.pop() for _ in range(self.rng.randint(1, 5))]))
            expected = self.pair.plain.step_batch(plain, feeds)
            for logits, wanted in zip(self.pair.static.step_batch(static, feeds), expected, strict=True):
                assert logits.shape == wanted.shape
                assert_close(logits, wanted)
        assert_same_cache(self.pair, plain, static)
        for cache in (plain, static):
            cache.truncate(shared)

    def truncate(self) -> None:
        length = self.rng.randint(0, len(self.caches[self.current][0]))
        for cache in self.caches[self.current]:
            cache.truncate(length)

    def change_cache(self) -> None:
        self.current = 1 - self.current

    def new_cache(self) -> None:
        self.caches[self.current] = (self.pair.plain.new_cache(), self.pair.static.new_cache())

    def do_anything(self) -> None:
        steps = [self.step] * 3
        self.rng.choice((*steps, self.batch, self.truncate, self.change_cache, self.new_cache))()
        assert_same_cache(self.pair, *self.caches[self.current])
