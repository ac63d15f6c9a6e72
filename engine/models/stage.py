"""The one place in a device's memory where steps run: recorded operations have their addresses in them, so the caches
come to the operations, not the operations to the caches.

A step of a few rows reads all of a cache; bringing a cache here reads and writes it once, so changing between caches
costs about two steps' reading, and a recording serves all caches.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.cache import CleanTokenCache
from engine.models.step_rows import ROW_COUNTS

ALIGNED = 64
"""Cache rows come in multiples of this, so that products find their operands aligned."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of a stage and of the caches that are brought to it."""

    layers: int
    heads: int
    head_dim: int
    room: int
    dtype: torch.dtype
    device: torch.device


class Stage:
    """Preallocated buffers of all steps.

    Attributes:
        keys, values: (layers, heads, rows, head_dim).
        owners: (rows,) as in `CleanTokenCache.owners`.
        spill: the cache row that padding writes to; no step sees it.
    """

    def __init__(self, sizes: Sizes) -> None:
        self.spill = sizes.room
        rows = -(-(sizes.room + 1) // ALIGNED) * ALIGNED
        self._held = CleanTokenCache(
            layers=sizes.layers,
            heads=sizes.heads,
            head_dim=sizes.head_dim,
            room=rows,
            dtype=sizes.dtype,
            device=sizes.device,
        )
        self.keys, self.values = self._held.keys, self._held.values
        self.owners = torch.zeros(rows, dtype=torch.long, device=sizes.device)
        self.columns = torch.arange(rows, device=sizes.device)
        self._feeds = {count: torch.zeros(6, count, dtype=torch.long, device=sizes.device) for count in ROW_COUNTS}
        self._guest: weakref.ref[CleanTokenCache] | None = None

    def feed(self, packed: Tensor) -> Tensor:
        """Puts a step's rows (see `StepRows.packed`) where its operations look for them, and returns that place.

        The copy waits for nothing: it is of pageable memory, which the driver has taken over when the call returns.
        """
        place = self._feeds.get(packed.shape[1])
        if place is None:
            return packed.to(self.owners.device)
        return place.copy_(packed, non_blocking=True)

    def bring(self, cache: CleanTokenCache) -> None:
        """Makes these buffers those of `cache`; the cache that was here takes its rows back."""
        if self._guest is not None and self._guest() is cache:
            return
        self.park()
        length = len(cache)
        self.keys[:, :, :length] = cache.keys[:, :, :length]
        self.values[:, :, :length] = cache.values[:, :, :length]
        self.owners[:length] = torch.tensor(cache.owners, dtype=torch.long)
        self._guest = weakref.ref(cache)

    def park(self) -> None:
        """Gives the cache that is here its rows back, so that it is whole without the stage."""
        cache = self._guest() if self._guest is not None else None
        if cache is not None:
            length = len(cache)
            cache.keys[:, :, :length] = self.keys[:, :, :length]
            cache.values[:, :, :length] = self.values[:, :, :length]
        self._guest = None

    def abandon(self) -> None:
        """Lets go of the cache that is here, which forgets everything: its rows were only here."""
        cache = self._guest() if self._guest is not None else None
        if cache is not None:
            cache.clear()
        self._guest = None
