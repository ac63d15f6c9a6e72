"""An Eso-LM folded to what a step must do, as plain float32 tensors; whoever runs it packs them for its device.

Each sublayer's norm weight, scale and shift go into the linear layer behind it, its gate into the linear layer before
the residual, 1/sqrt(head_dim) into the queries. What is left of a block is two plain norms, four linear layers, the
rotary embedding and attention.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from engine.models.esolm_network import EsoLMShape, rotary_tables


class FoldedLinear(NamedTuple):
    """`weight` (out, in) and `bias` (out)."""

    weight: Tensor
    bias: Tensor | None


class FoldedBlock(NamedTuple):
    """The four linear layers of a block; GELU(tanh) stands behind `mlp_in`."""

    qkv: FoldedLinear
    attn_out: FoldedLinear
    mlp_in: FoldedLinear
    mlp_out: FoldedLinear


def fold_block(weights: Mapping[str, Tensor], index: int, shape: EsoLMShape) -> FoldedBlock:
    """Block `index` of `weights`, the state dict of `EsoLMNetwork`."""
    w = {name: weights[f"blocks.{index}.{name}"].float() for name in _BLOCK_NAMES}
    shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = w["modulation"]
    qkv = w["attn_qkv.weight"].clone()
    qkv[: shape.hidden_size] *= shape.head_dim**-0.5
    mlp_in, mlp_out = w["mlp.0.weight"], w["mlp.2.weight"]
    return FoldedBlock(
        qkv=FoldedLinear(qkv * (w["norm1.weight"] * (1 + scale)), qkv @ shift),
        attn_out=FoldedLinear(gate[:, None] * w["attn_out.weight"], None),
        mlp_in=FoldedLinear(mlp_in * (w["norm2.weight"] * (1 + mlp_scale)), w["mlp.0.bias"] + mlp_in @ mlp_shift),
        mlp_out=FoldedLinear(mlp_gate[:, None] * mlp_out, mlp_gate * w["mlp.2.bias"]),
    )


def fold_head(weights: Mapping[str, Tensor], *, tied: bool) -> FoldedLinear:
    """The output layer; `tied`: its weight is the embedding."""
    weight = weights["vocab_embed.embedding" if tied else "output_layer.linear.weight"].float()
    shift, scale = weights["output_layer.modulation"].float()
    norm = weights["output_layer.norm_final.weight"].float()
    bias = weights["output_layer.linear.bias"].float() + weight @ shift
    return FoldedLinear(weight * (norm * (1 + scale)), bias)


def signed_rotary_tables(length: int, shape: EsoLMShape, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosines and sines (length, head_dim) of positions from 0, the sines with the sign of rotate_half: rotating is
    then x * cos + roll(x) * sin."""
    cos, sin = rotary_tables(torch.arange(length, device=device), shape.head_dim, shape.rope_theta)
    sin[:, : shape.head_dim // 2] *= -1
    return cos, sin


_BLOCK_NAMES = (
    "modulation",
    "norm1.weight",
    "attn_qkv.weight",
    "attn_out.weight",
    "norm2.weight",
    "mlp.0.weight",
    "mlp.0.bias",
    "mlp.2.weight",
    "mlp.2.bias",
)
