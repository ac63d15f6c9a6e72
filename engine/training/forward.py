"""The network's forward pass as training runs it: the same function as `EsoLMNetwork.hidden`, in fewer passes over
memory. The three vectors of each sublayer are folded into its norm and its output matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from engine.models.esolm_network import EsoLMBlock, EsoLMNetwork, rotary_tables
from engine.training.attention import attend, sight_of
from engine.training.dense import DenseAttention
from engine.training.flex import Attention, attend_in_blocks
from engine.training.mlp import mlp
from engine.training.objective import Batch

Attend = Callable[[Tensor, Tensor], Tensor]
"""(all rows, normed (rows, width); the matrix that makes queries, keys and values of them (3 * width, width)) ->
attended (rows, width)."""
_FILL = 256
"""On a CPU a batch is filled up to a multiple of so many rows, which nobody sees: new sizes of products cost time."""


def hidden_rows(network: EsoLMNetwork, batch: Batch) -> Tensor:
    """Hidden states of the rows that predict something, normed for the head: (targets, width). By extents: for CPUs,
    and for any batch without blocks."""
    shape = network.shape
    if any(extent.is_dense for extent in batch.extents):
        dense = DenseAttention(shape, batch, network.vocab_embed.embedding.dtype)
        return _run(network, batch.ids, batch.rows, lambda h, weight: dense(functional.linear(h, weight)))
    extra = -len(batch.ids) % _FILL if batch.ids.device.type == "cpu" else 0
    ids, positions = (functional.pad(part, (0, extra)) for part in (batch.ids, batch.positions))
    sight = sight_of(
        positions, batch.visible, batch.extents,
        heads=shape.heads, head_dim=shape.head_dim, theta=shape.rope_theta, dtype=network.vocab_embed.embedding.dtype,
    )  # fmt: skip

    def attended(h: Tensor, weight: Tensor) -> Tensor:
        q, k, v = (functional.linear(h, part) for part in weight.chunk(3))
        return attend(q, k, v, sight)

    return _run(network, ids, batch.rows, attended)


def hidden_rows_blocked(
    network: EsoLMNetwork,
    ids: Tensor,
    positions: Tensor,
    rows: Tensor,
    mask: BlockMask,
    attention: Attention = flex_attention,
) -> Tensor:
    """The same for a batch with blocks, in a form that can be compiled: tensors of few sizes and the block mask."""
    shape = network.shape
    cos, sin = rotary_tables(positions, shape.head_dim, shape.rope_theta)
    half = shape.head_dim // 2
    cos, sin = cos[:, :half], sin[:, :half]

    def attended(h: Tensor, weight: Tensor) -> Tensor:
        return attend_in_blocks(functional.linear(h, weight), cos, sin, shape.heads, mask, attention)

    return _run(network, ids, rows, attended)


def _run(network: EsoLMNetwork, ids: Tensor, rows: Tensor, attend: Attend) -> Tensor:
    x = functional.embedding(ids, network.vocab_embed.embedding)
    for block in network.blocks:
        x = _block(cast(EsoLMBlock, block), x, attend)
    x = x.index_select(0, rows)
    shape, output = network.shape, network.output_layer
    shift, scale = output.modulation
    return functional.layer_norm(
        x, (shape.hidden_size,), output.norm_final.weight * (1 + scale), shift, shape.norm_eps
    )  # fmt: skip


def _block(block: EsoLMBlock, x: Tensor, attend: Attend) -> Tensor:
    width = x.shape[-1]
    shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = block.modulation
    h = functional.layer_norm(x, (width,), block.norm1.weight * (1 + scale), shift, block.norm1.eps)
    x = x + functional.linear(attend(h, block.attn_qkv.weight), block.attn_out.weight * gate[:, None])
    h = functional.layer_norm(x, (width,), block.norm2.weight * (1 + mlp_scale), mlp_shift, block.norm2.eps)
    up, down = cast(nn.Linear, block.mlp[0]), cast(nn.Linear, block.mlp[2])
    return x + mlp(h, up.weight, up.bias, down.weight * mlp_gate[:, None], down.bias * mlp_gate)
