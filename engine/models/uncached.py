"""Any model without its cache: every step computes everything again. The yardstick that the cache is measured by."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.cache import SHARED, CleanTokenCache
from engine.canvas import Placed
from engine.config import Attention
from engine.models.base import Feed, ModelAdapter


class UncachedAdapter:
    """Wraps a model; implements `ModelAdapter`. Its caches only remember the order, never a key or a value.

    Eso-LM (A) is passed through: it keeps nothing between requests, and between steps only in its sequential phase.
    """

    def __init__(self, adapter: ModelAdapter) -> None:
        self._adapter = adapter
        self._scratch = adapter.new_cache()
        self.info, self.config, self.tokenizer = adapter.info, adapter.config, adapter.tokenizer

    def new_cache(self) -> CleanTokenCache:
        """An empty cache, to hold the order."""
        return self._adapter.new_cache()

    def release(self) -> None:
        """See `ModelAdapter.release`."""
        self._adapter.release()

    def step(
        self,
        cache: CleanTokenCache,
        clean: Sequence[Placed],
        masked: Sequence[int],
        *,
        seen: Sequence[int] | None = None,
        as_block: bool = False,
    ) -> Tensor:
        """See `ModelAdapter.step`. One pass over all that is clean, and the masks; nothing at all without masks."""
        if self.config.attention is Attention.MIXED2:
            return self._adapter.step(cache, clean, masked, seen=seen)
        before = len(cache)
        cache.append(clean)
        sees = [before + count for count in seen] if seen is not None else None
        return self._from_nothing(cache.order, masked, sees)

    def step_batch(self, cache: CleanTokenCache, feeds: Sequence[Feed]) -> list[Tensor]:
        """See `ModelAdapter.step_batch`; one pass after the other."""
        if self.config.attention is Attention.MIXED2:
            return self._adapter.step_batch(cache, feeds)
        results = []
        for feed in feeds:
            cache.append(feed.clean, owner=feed.variation)
            mine = (SHARED, feed.variation)
            order = [placed for placed, owner in zip(cache.order, cache.owners, strict=True) if owner in mine]
            results.append(self._from_nothing(order, feed.masked, None))
        return results

    def _from_nothing(self, order: Sequence[Placed], masked: Sequence[int], seen: Sequence[int] | None) -> Tensor:
        if not masked:
            return torch.empty(0, self.config.vocab_size)
        self._scratch.clear()
        return self._adapter.step(self._scratch, order, masked, seen=seen)
