"""Eso-LM at inference: the network folded to what a step must do, over an exact cache of clean tokens.

Folding is done once, at load (`engine.models.folding`). What is left of a block is two plain norms, four linear layers,
the rotary embedding and attention over the cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from engine.cache import SHARED, CleanTokenCache
from engine.canvas import Placed
from engine.config import CheckpointConfig
from engine.device import Placement
from engine.models.attention import Attention, make_attention
from engine.models.base import Feed
from engine.models.esolm_network import EsoLMShape
from engine.models.folding import FoldedBlock, fold_block, fold_head, signed_rotary_tables
from engine.models.linear import make_linear
from engine.models.projections import Projections
from engine.tokenization import Tokenizer
from engine.types import ModelInfo

_Cache = TypeVar("_Cache", bound=CleanTokenCache)

ROOM_FOR_STEPS = 512
"""Cache rows beyond the context: accepted empty tokens and one step's masks."""


def shape_of(config: CheckpointConfig) -> EsoLMShape:
    """The network's sizes as its checkpoint states them."""
    return EsoLMShape(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        layers=config.layers,
        heads=config.heads,
        context_length=config.context_length,
        mlp_ratio=config.mlp_ratio,
        rope_theta=config.rope_theta,
        norm_eps=config.norm_eps,
        tie_embeddings=config.tie_embeddings,
        masks_see_masks=config.masks_see_masks,
    )


def info_of(config: CheckpointConfig, weights: Mapping[str, Tensor], placement: Placement) -> ModelInfo:
    """The particulars of a model with these weights, as it was placed."""
    return ModelInfo(
        name=config.name,
        family=config.family,
        parameters=sum(weight.numel() for weight in weights.values()),
        context_length=config.context_length,
        device=str(placement.device),
        dtype=placement.precision,
        threads=placement.threads,
        trained_alpha_0=config.trained_alpha_0,
        context_orders=config.context_orders,
    )


class _Block:
    """One folded block."""

    __slots__ = ("attn_out", "mlp_in", "mlp_out", "qkv")

    def __init__(self, folded: FoldedBlock, placement: Placement) -> None:
        self.qkv = make_linear(*folded.qkv, placement)
        self.attn_out = make_linear(*folded.attn_out, placement)
        self.mlp_in = make_linear(*folded.mlp_in, placement, gelu=True)
        self.mlp_out = make_linear(*folded.mlp_out, placement)


class EsoLMAdapter:
    """A folded Eso-LM; implements `ModelAdapter`."""

    def __init__(
        self, config: CheckpointConfig, tokenizer: Tokenizer, weights: Mapping[str, Tensor], placement: Placement
    ) -> None:
        """Folds `weights` (the state dict of `EsoLMNetwork`, already checked) for the device and dtype."""
        self.config = config
        self.tokenizer = tokenizer
        self.shape = shape_of(config)
        self._dtype, self._device = placement.dtype, placement.device
        self._embedding = weights["vocab_embed.embedding"].to(self._device, self._dtype)
        self._blocks = [_Block(fold_block(weights, i, self.shape), placement) for i in range(config.layers)]
        self._head = make_linear(*fold_head(weights, tied=config.tie_embeddings), placement)
        cos, sin = signed_rotary_tables(config.context_length + ROOM_FOR_STEPS, self.shape, self._device)
        self._rotary = torch.stack((cos, sin), dim=1)  # (positions, 2, head_dim)
        self._residual_dtype = torch.float32 if placement.int8 else self._dtype
        self.info = info_of(config, weights, placement)

    def new_cache(self) -> CleanTokenCache:
        """An empty cache with room for a whole context and the steps on top of it."""
        return self._make_cache(CleanTokenCache)

    def release(self) -> None:
        """See `ModelAdapter.release`: nothing is kept beside the weights."""

    def _make_cache(self, kind: type[_Cache]) -> _Cache:
        return kind(
            layers=self.shape.layers,
            heads=self.shape.heads,
            head_dim=self.shape.head_dim,
            room=self.config.context_length + ROOM_FOR_STEPS,
            dtype=self._dtype,
            device=self._device,
        )

    @torch.inference_mode()
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
        ids = [placed.token for placed in clean] + [self.config.special_tokens.mask] * len(masked)
        positions = [placed.position for placed in clean] + list(masked)
        logits = self._forward(cache, ids, positions, self._hidden_from(len(clean), len(masked), seen), len(clean))
        cache.append(clean, as_block=as_block)
        return logits

    @torch.inference_mode()
    def step_batch(self, cache: CleanTokenCache, feeds: Sequence[Feed]) -> list[Tensor]:
        """See `ModelAdapter.step_batch`: one set of rows for all variations, told apart by the attention mask alone."""
        clean = [(placed, feed.variation) for feed in feeds for placed in feed.clean]
        masked = [(position, feed.variation) for feed in feeds for position in feed.masked]
        ids = [placed.token for placed, _ in clean] + [self.config.special_tokens.mask] * len(masked)
        positions = [placed.position for placed, _ in clean] + [position for position, _ in masked]
        new = torch.tensor([owner for _, owner in clean] + [owner for _, owner in masked])
        shared = cache.owners.count(SHARED)
        owners = torch.cat((torch.tensor(cache.owners[shared:], dtype=torch.long), new))
        hidden_from = owners != new[:, None]  # (rows, columns behind the shared context)
        hidden_from[:, len(owners) - len(new) :] |= self._hidden_from(len(clean), len(masked), None).cpu()
        logits = self._forward(cache, ids, positions, hidden_from.to(self._device), len(clean))
        for feed in feeds:
            cache.append(feed.clean, owner=feed.variation)
        return list(torch.split(logits, [len(feed.masked) for feed in feeds]))

    def _forward(
        self, cache: CleanTokenCache, ids: Sequence[int], positions: Sequence[int], hidden_from: Tensor, clean: int
    ) -> Tensor:
        """Logits of the rows behind the first `clean`. `hidden_from` (rows, last columns): see `_hidden_from`."""
        rotary = self._rotary.index_select(0, torch.tensor(positions, dtype=torch.long, device=self._device))
        projections = Projections(cache, *rotary.unbind(1))
        attention = make_attention(projections.queries, cache, hidden_from, self._residual_dtype)
        tokens = torch.tensor(ids, dtype=torch.long, device=self._device)
        hidden = functional.embedding(tokens, self._embedding).to(self._residual_dtype)  # (rows, width)
        for index, block in enumerate(self._blocks):
            first = clean if index == len(self._blocks) - 1 else 0  # the last block's output is only wanted at masks
            hidden = self._run_block(block, index, hidden, projections, attention, first)
        if hidden.shape[0] == 0:
            return hidden.new_empty(0, self.config.vocab_size)
        return self._head(self._norm(hidden))

    def _hidden_from(self, clean: int, masked: int, seen: Sequence[int] | None) -> Tensor:
        """(rows, rows), True where a new row may not see a new row. Everything sees all of the cache."""
        rows = clean + masked
        visible = torch.ones(rows, rows, dtype=torch.bool).tril_()
        if not self.shape.masks_see_masks or seen is not None:  # never in a run of tokens (the sequential phase)
            visible[clean:, clean:] = torch.eye(masked, dtype=torch.bool)
        if seen is not None:
            visible[clean:, :clean] = torch.arange(clean) < torch.tensor(seen)[:, None]
        return ~visible.to(self._device)

    def _norm(self, hidden: Tensor) -> Tensor:
        return torch.layer_norm(hidden, (self.shape.hidden_size,), eps=self.shape.norm_eps)

    def _run_block(
        self, block: _Block, layer: int, hidden: Tensor, projections: Projections, attention: Attention, first: int
    ) -> Tensor:
        """The residual stream behind a block, of the rows from `first` on; `hidden` is changed in place."""
        projections.take(layer, block.qkv(self._norm(hidden)))
        hidden = hidden[first:] if first else hidden
        if hidden.shape[0] == 0:
            return hidden
        hidden += block.attn_out(attention(layer, first))
        hidden += block.mlp_out(block.mlp_in(self._norm(hidden)))
        return hidden
