"""Eso-LM (B) on a GPU: static steps (`engine.models.static_step`), recorded and replayed (`engine.models.graphs`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from engine.cache import CleanTokenCache
from engine.canvas import Placed
from engine.device import Placement
from engine.models.base import Feed
from engine.models.esolm import ROOM_FOR_STEPS, info_of, shape_of
from engine.models.graphs import GraphStore, Recorder
from engine.models.stage import Sizes, Stage
from engine.models.static_step import StaticNetwork
from engine.models.step_rows import ROW_COUNTS, StepRows, padded_columns, padded_rows, rows_of_batch, rows_of_step

if TYPE_CHECKING:
    from engine.config import CheckpointConfig
    from engine.tokenization import Tokenizer


class StaticEsoLMAdapter:
    """A folded Eso-LM (B); implements `ModelAdapter`. Passes of more rows than ROW_COUNTS knows are not recorded."""

    def __init__(
        self,
        config: CheckpointConfig,
        tokenizer: Tokenizer,
        weights: Mapping[str, Tensor],
        placement: Placement,
        recorder: Recorder | None,
    ) -> None:
        """Folds `weights` (the state dict of `EsoLMNetwork`, already checked) for the placement."""
        self.config = config
        self.tokenizer = tokenizer
        shape = shape_of(config)
        room = config.context_length + ROOM_FOR_STEPS
        self._network = StaticNetwork(shape, weights, placement, room)
        self._sizes = Sizes(shape.layers, shape.heads, shape.head_dim, room, placement.dtype, placement.device)
        self._stage: Stage | None = None
        self._graphs = GraphStore(recorder)
        self.info = info_of(config, weights, placement)

    @property
    def recordings(self) -> int:
        """How many graphs there are."""
        return len(self._graphs)

    def new_cache(self) -> CleanTokenCache:
        """An empty cache with room for a whole context and the steps on top of it."""
        sizes = self._sizes
        return CleanTokenCache(
            layers=sizes.layers,
            heads=sizes.heads,
            head_dim=sizes.head_dim,
            room=sizes.room,
            dtype=sizes.dtype,
            device=sizes.device,
        )

    def step(
        self,
        cache: CleanTokenCache,
        clean: Sequence[Placed],
        masked: Sequence[int],
        *,
        seen: Sequence[int] | None = None,
        as_block: bool = False,
    ) -> Tensor:
        """See `ModelAdapter.step`."""
        mask, see = self.config.special_tokens.mask, self.config.masks_see_masks
        rows = rows_of_step(len(cache), clean, masked, mask=mask, seen=seen, masks_see_masks=see)
        logits = self._run(cache, rows)
        cache.append(clean, as_block=as_block)
        return logits

    def step_batch(self, cache: CleanTokenCache, feeds: Sequence[Feed]) -> list[Tensor]:
        """See `ModelAdapter.step_batch`: one set of rows for all variations, told apart by their owners."""
        mask, see = self.config.special_tokens.mask, self.config.masks_see_masks
        logits = self._run(cache, rows_of_batch(len(cache), feeds, mask=mask, masks_see_masks=see))
        for feed in feeds:
            cache.append(feed.clean, owner=feed.variation)
        return list(torch.split(logits, [len(feed.masked) for feed in feeds]))

    def park(self) -> None:
        """Makes every cache whole by itself; the one used last has its rows on the stage until then."""
        if self._stage is not None:
            self._stage.park()

    def release(self) -> None:
        """See `ModelAdapter.release`. The cache used last forgets what it held."""
        self._graphs.clear()
        if self._stage is not None:
            self._stage.abandon()
            self._stage = None

    @torch.no_grad()
    def _run(self, cache: CleanTokenCache, rows: StepRows) -> Tensor:
        """Logits of the rows' masks, in memory of their own."""
        if not len(rows):
            return torch.empty(0, self.config.vocab_size, device=self._sizes.device)
        if self._stage is None:
            self._stage = Stage(self._sizes)
        network, stage = self._network, self._stage
        stage.bring(cache)
        count = padded_rows(len(rows))
        wanted = min(count, padded_rows(rows.masked)) if rows.masked else 0
        columns = padded_columns(rows.start + len(rows), self._sizes.room)
        feed = stage.feed(rows.packed(count, stage.spill))

        def work() -> Tensor:
            return network.step(stage, feed, wanted, columns)

        logits = self._graphs.run((count, wanted, columns), work) if count <= ROW_COUNTS[-1] else work()
        return logits[: rows.masked].clone()
