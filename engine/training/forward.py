"""The network's forward pass as training runs it: the same function as `EsoLMNetwork.hidden`, in fewer passes over
memory. The three vectors of each sublayer are folded into its norm and its output matrix."""

from __future__ import annotations

from typing import cast

from torch import Tensor
from torch.nn import functional

from engine.models.esolm_network import EsoLMBlock, EsoLMNetwork
from engine.training.attention import Sight, attend, sight_of
from engine.training.objective import Batch


def hidden_rows(network: EsoLMNetwork, batch: Batch) -> Tensor:
    """Hidden states of the rows that predict something, normed for the head: (targets, width)."""
    shape = network.shape
    weight = network.vocab_embed.embedding
    sight = sight_of(
        batch.positions, batch.visible, batch.extents,
        heads=shape.heads, head_dim=shape.head_dim, theta=shape.rope_theta, dtype=weight.dtype,
    )  # fmt: skip
    x = functional.embedding(batch.ids, weight)
    for block in network.blocks:
        x = _block(cast(EsoLMBlock, block), x, sight)
    x = x.index_select(0, batch.rows)
    output = network.output_layer
    shift, scale = output.modulation
    return functional.layer_norm(
        x, (shape.hidden_size,), output.norm_final.weight * (1 + scale), shift, shape.norm_eps
    )  # fmt: skip


def _block(block: EsoLMBlock, x: Tensor, sight: Sight) -> Tensor:
    width = x.shape[-1]
    shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = block.modulation
    h = functional.layer_norm(x, (width,), block.norm1.weight * (1 + scale), shift, block.norm1.eps)
    attended = attend(functional.linear(h, block.attn_qkv.weight), sight)
    x = x + functional.linear(attended, block.attn_out.weight * gate[:, None])
    h = functional.layer_norm(x, (width,), block.norm2.weight * (1 + mlp_scale), mlp_shift, block.norm2.eps)
    h = functional.gelu(block.mlp[0](h), approximate="tanh")
    down = block.mlp[2]
    return x + functional.linear(h, down.weight * mlp_gate[:, None], down.bias * mlp_gate)
