"""Eso-LM (A): clean tokens see one another in both directions (arXiv 2506.01928, section 4.1).

In the diffusion phase (the reference's mode `mixed2`) all clean tokens see all clean tokens, and masks see the clean
tokens and the masks before them. So one newly clean token changes the keys and values of all others: nothing of a clean
token can be cached exactly, and each step computes all of them again. In the sequential phase (`mixed`) the clean
tokens there are by then stay as they are, and what is written is appended along the order, as in Eso-LM (B): there the
cache is exact, but only within its run.

A step is one of the sequential phase when it says how much of its clean tokens each mask sees (`seen`, or a sequential
`Feed`); otherwise its clean tokens join those that see one another.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.cache import SHARED, CleanTokenCache
from engine.canvas import Placed
from engine.models.base import Feed
from engine.models.esolm import EsoLMAdapter


class MixedCache(CleanTokenCache):
    """The clean tokens in order, the first of them with their keys and values. None is reusable by another request.

    Attributes:
        joint: the first so many tokens see one another; their rows are only worth anything together.
        computed: the first so many tokens have their rows; what is behind them joins them at the next step.
        variations: a batch's variations by number. Each changes the context's rows, so they share none.
    """

    def __init__(
        self, *, layers: int, heads: int, head_dim: int, room: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        super().__init__(layers=layers, heads=heads, head_dim=head_dim, room=room, dtype=dtype, device=device)
        self.joint = 0
        self.computed = 0
        self.variations: dict[int, MixedCache] = {}

    @property
    def memory_bytes(self) -> int:
        """Bytes of the keys and values, those of the variations included."""
        own = 2 * self.keys.numel() * self.keys.element_size()
        return own + sum(variation.memory_bytes for variation in self.variations.values())

    def append(self, tokens: Sequence[Placed], *, as_block: bool = False, owner: int = SHARED) -> None:
        """Records clean tokens. They are never a block that could be reused: their rows depend on all others."""
        super().append(tokens, owner=owner)

    def truncate(self, length: int) -> None:
        """Forgets everything after the first `length` tokens, and all variations."""
        super().truncate(length)
        self.variations.clear()
        self.computed = min(self.computed, length) if length >= self.joint else 0
        self.joint = min(self.joint, self.computed)

    def check_integrity(self) -> None:
        """See `CleanTokenCache.check_integrity`."""
        super().check_integrity()
        assert self.joint <= self.computed <= len(self.order), "rows of tokens that are not there"
        for variation in self.variations.values():
            variation.check_integrity()


class MixedEsoLMAdapter(EsoLMAdapter):
    """A folded Eso-LM (A); implements `ModelAdapter`."""

    def new_cache(self) -> MixedCache:
        """An empty cache with room for a whole context and the steps on top of it."""
        return self._make_cache(MixedCache)

    def step(
        self,
        cache: CleanTokenCache,
        clean: Sequence[Placed],
        masked: Sequence[int],
        *,
        seen: Sequence[int] | None = None,
        as_block: bool = False,
    ) -> Tensor:
        """See `ModelAdapter.step`. Without `seen`, clean tokens join all others; nothing is computed without masks."""
        assert isinstance(cache, MixedCache)
        if seen is None:
            cache.append(clean)
            return self._together(cache, masked) if masked else torch.empty(0, self.config.vocab_size)
        if cache.computed < len(cache):
            self._together(cache, ())
        logits = super().step(cache, clean, masked, seen=seen)
        cache.computed = len(cache)
        return logits

    def step_batch(self, cache: CleanTokenCache, feeds: Sequence[Feed]) -> list[Tensor]:
        """See `ModelAdapter.step_batch`. One pass a variation: they have no context's keys and values in common."""
        assert isinstance(cache, MixedCache)
        results = []
        for feed in feeds:
            if feed.variation not in cache.variations:
                cache.variations[feed.variation] = self.new_cache()
                cache.variations[feed.variation].append(cache.order)
            results.append(self.step(cache.variations[feed.variation], feed.clean, feed.masked, seen=feed.seen()))
        return results

    def _together(self, cache: MixedCache, masked: Sequence[int]) -> Tensor:
        """One pass over all clean tokens, which see one another from now on, and masks behind them."""
        order = list(cache.order)
        cache.truncate(0)
        logits = super().step(cache, order, masked)
        cache.joint = cache.computed = len(order)
        return logits

    def _hidden_from(self, clean: int, masked: int, seen: Sequence[int] | None) -> Tensor:
        """(rows, rows), True where a new row may not see a new row: `mixed2` without `seen`, else along the order."""
        hidden = super()._hidden_from(clean, masked, seen)
        if seen is None:
            hidden[:clean, :clean] = False
        return hidden
