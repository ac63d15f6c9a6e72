"""Several clean-token caches under one memory budget: one per document or place, in effect, the least recently used
given up first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from engine.cache import CleanTokenCache
from engine.canvas import Placed

DEFAULT_BUDGET_BYTES = 256 * 2**20
MOST_CACHES = 8


class CachePool:
    """Picks the cache that serves an order best.

    Args:
        make: makes an empty cache of the model.
        budget_bytes: most memory of all caches together; at least one cache is always kept, and at most MOST_CACHES.
    """

    def __init__(self, make: Callable[[], CleanTokenCache], budget_bytes: int = DEFAULT_BUDGET_BYTES) -> None:
        self._make = make
        self._budget = budget_bytes
        self._caches: list[CleanTokenCache] = []  # least recently used first

    def __len__(self) -> int:
        return len(self._caches)

    @property
    def memory_bytes(self) -> int:
        """Bytes of all caches."""
        return sum(cache.memory_bytes for cache in self._caches)

    def lease(self, order: Sequence[Placed]) -> CleanTokenCache:
        """The cache to compute `order` on; it is the most recently used one now.

        A cache is taken over where it shares at least half of what it holds or of what is wanted; else a new one is
        made if the budget allows, and the least recently used one given up if not.
        """
        cache = self._best(order) or self._new_or_oldest()
        if cache in self._caches:
            self._caches.remove(cache)
        self._caches.append(cache)
        return cache

    def clear(self) -> None:
        """Gives all memory back."""
        self._caches.clear()

    def check_integrity(self) -> None:
        """Raises AssertionError if a cache contradicts itself or the budget is overrun; for tests."""
        for cache in self._caches:
            cache.check_integrity()
        assert len(self._caches) <= 1 or self.memory_bytes <= self._budget, "over the memory budget"

    def _best(self, order: Sequence[Placed]) -> CleanTokenCache | None:
        best, most = None, 0
        for cache in self._caches:
            common = cache.common(order)
            if common > most and 2 * common >= min(len(cache), len(order)):
                best, most = cache, common
        return best

    def _new_or_oldest(self) -> CleanTokenCache:
        if not self._caches:
            return self._make()
        empty = next((cache for cache in self._caches if len(cache) == 0), None)
        if empty is not None:
            return empty
        has_room = self.memory_bytes + self._caches[0].memory_bytes <= self._budget
        if has_room and len(self._caches) < MOST_CACHES:
            return self._make()
        return self._caches[0]
