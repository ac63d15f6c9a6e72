"""One step of a folded Eso-LM as a fixed list of operations on fixed memory: no shape, no Python number and no branch
depends on anything but how many rows and columns it was padded to. That is what a CUDA graph can record; a CPU runs it
just the same, which is how the tests hold it to the ordinary step (`engine.models.esolm`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from engine.cache import SHARED
from engine.device import Placement
from engine.models.esolm_network import EsoLMShape
from engine.models.folding import FoldedBlock, fold_block, fold_head, signed_rotary_tables
from engine.models.linear import make_linear
from engine.models.stage import Stage
from engine.models.step_rows import IDS, OWNERS, PLACES, POSITIONS, UNTIL, WANTED


class _Block:
    """One folded block on its device."""

    __slots__ = ("attn_out", "mlp_in", "mlp_out", "qkv")

    def __init__(self, folded: FoldedBlock, placement: Placement) -> None:
        self.qkv = make_linear(*folded.qkv, placement)
        self.attn_out = make_linear(*folded.attn_out, placement)
        self.mlp_in = make_linear(*folded.mlp_in, placement, gelu=True)
        self.mlp_out = make_linear(*folded.mlp_out, placement)


class StaticNetwork:
    """The weights, and the operations of a step on a stage."""

    def __init__(self, shape: EsoLMShape, weights: Mapping[str, Tensor], placement: Placement, length: int) -> None:
        """Folds `weights` (the state dict of `EsoLMNetwork`) for the placement; `length`: positions there may be."""
        self._shape = shape
        self._embedding = weights["vocab_embed.embedding"].to(placement.device, placement.dtype)
        self._blocks = [_Block(fold_block(weights, i, shape), placement) for i in range(shape.layers)]
        self._head = make_linear(*fold_head(weights, tied=shape.tie_embeddings), replace(placement, int8=False))
        cos, sin = signed_rotary_tables(length, shape, placement.device)
        self._cos, self._sin = cos.to(placement.dtype), sin.to(placement.dtype)

    def step(self, stage: Stage, feed: Tensor, wanted: int, columns: int) -> Tensor:
        """Writes the rows' keys and values to the stage.

        Args:
            feed: (6, rows), see `StepRows.packed`.
            wanted: how many rows of logits there are to be.
            columns: how many of the stage's rows are looked at.

        Returns:
            Logits (wanted, vocab).
        """
        ids, positions, places = feed[IDS], feed[POSITIONS], feed[PLACES]
        stage.owners.index_copy_(0, places, feed[OWNERS])
        hidden_from = _hidden_from(stage, feed, columns)  # (rows, columns)
        rotary = (
            self._cos.index_select(0, positions)[:, None, None],
            self._sin.index_select(0, positions)[:, None, None],
        )
        hidden = functional.embedding(ids, self._embedding)  # (rows, width)
        for layer, block in enumerate(self._blocks):
            rows = feed[WANTED, :wanted] if layer == len(self._blocks) - 1 else None
            hidden = self._run_block(block, layer, hidden, rotary, stage, places, hidden_from, rows)
        if wanted == 0:
            return hidden.new_empty(0, self._shape.vocab_size)
        return self._head(functional.layer_norm(hidden, (self._shape.hidden_size,), eps=self._shape.norm_eps))

    def _run_block(
        self,
        block: _Block,
        layer: int,
        hidden: Tensor,
        rotary: tuple[Tensor, Tensor],
        stage: Stage,
        places: Tensor,
        hidden_from: Tensor,
        wanted: Tensor | None,
    ) -> Tensor:
        """As `EsoLMAdapter._run_block`, over all columns; `wanted`: the rows whose output is, if not of all."""
        count, width = hidden.shape
        columns = hidden_from.shape[1]
        heads, head_dim = self._shape.heads, self._shape.head_dim
        normed = functional.layer_norm(hidden, (width,), eps=self._shape.norm_eps)
        qkv = block.qkv(normed).view(count, 3, heads, head_dim)
        qk = qkv[:, :2]
        qk = torch.addcmul(qk * rotary[0], qk.roll(head_dim // 2, -1), rotary[1])
        stage.keys[layer].index_copy_(1, places, qk[:, 1].transpose(0, 1))
        stage.values[layer].index_copy_(1, places, qkv[:, 2].transpose(0, 1))
        queries = qk[:, 0]
        if wanted is not None:
            if wanted.shape[0] == 0:
                return hidden
            hidden, queries = hidden.index_select(0, wanted), queries.index_select(0, wanted)
            hidden_from = hidden_from.index_select(0, wanted)
        keys = stage.keys[layer, :, :columns].transpose(1, 2)
        scores = torch.bmm(queries.transpose(0, 1), keys)  # (heads, rows, columns)
        scores.masked_fill_(hidden_from, float("-inf"))
        attended = torch.bmm(scores.softmax(dim=-1), stage.values[layer, :, :columns])
        hidden = hidden + block.attn_out(attended.transpose(0, 1).reshape(-1, width))
        normed = functional.layer_norm(hidden, (width,), eps=self._shape.norm_eps)
        return hidden + block.mlp_out(block.mlp_in(normed))


def _hidden_from(stage: Stage, feed: Tensor, columns: int) -> Tensor:
    """(rows, columns), True where a row may not see a column (see `StepRows`)."""
    places, until, owner = feed[PLACES][:, None], feed[UNTIL][:, None], feed[OWNERS][:, None]
    column, owned = stage.columns[:columns], stage.owners[:columns]
    in_order = (column < until) | (column == places)
    own = (owned == owner) | (owned == SHARED) | (owner == SHARED)
    return (in_order & own).logical_not_()
