"""The attention of a training batch: rotary, then blocks on CPUs (engine.training.cpu_attention), else torch's kernels.

A batch is flat: sequence after sequence, each of them its clean rows and then its mask copies
(engine.training.objective). Clean row i sees clean rows 0..i of its sequence; a mask copy sees the first so many clean
rows and itself, so mask copies are never columns. Nothing is padded but within attention, and nothing but attention
knows where a sequence ends.

Queries, keys and values are three matrices, each as wide as the network: products with a transposed matrix of three or
four times that width take several times as long for the same arithmetic (docs/training-log.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from engine.models.esolm_network import rotary_tables
from engine.training.cpu_attention import Layout, block_attention, layout_of
from engine.training.extent import Extent


@dataclass(frozen=True, slots=True)
class Sight:
    """Who sees whom in a batch, and the rotary tables: made once per batch, used by every layer.

    Attributes:
        heads: of the network. extents: the sequences. visible: (rows,), how many clean rows a mask copy sees.
        cos, sin: (rows, width), in the network's dtype; every head has the same columns.
        turn: (head_dim, head_dim), the matrix that puts (-high, low) in the place of a head's (low, high).
        layout: the blocks, on a CPU.
    """

    heads: int
    extents: Sequence[Extent]
    visible: Tensor
    cos: Tensor
    sin: Tensor
    turn: Tensor
    layout: Layout | None

    @property
    def scale(self) -> float:
        """What scores are multiplied by."""
        return float(len(self.turn) ** -0.5)


def sight_of(
    positions: Tensor,
    visible: Tensor,
    extents: Sequence[Extent],
    *,
    heads: int,
    head_dim: int,
    theta: float,
    dtype: torch.dtype,
) -> Sight:
    """`positions` (rows,), of which those behind the last sequence are no row's; `visible` (rows,), how many clean rows
    of its sequence a mask copy sees."""
    device = positions.device
    cos, sin = (table.to(dtype).repeat(1, heads) for table in rotary_tables(positions, head_dim, theta))
    half, whole = head_dim // 2, torch.eye(head_dim, dtype=dtype, device=device)
    turn = torch.cat((whole[half:], -whole[:half]))
    layout = layout_of(visible, extents, len(positions), heads, dtype) if device.type == "cpu" else None
    return Sight(heads, extents, visible, cos, sin, turn, layout)


def attend(q: Tensor, k: Tensor, v: Tensor, sight: Sight) -> Tensor:
    """`q`, `k`, `v` (rows, width), before rotary -> attended (rows, width)."""
    if sight.layout is None:
        return attend_plainly(q, k, v, sight)
    return block_attention(_rotated(q, sight), _rotated(k, sight), v, sight.layout, sight.scale)


def attend_plainly(q: Tensor, k: Tensor, v: Tensor, sight: Sight) -> Tensor:
    """The same by autograd and torch's own kernels, on any device."""
    count = len(q)
    q, k, v = (
        part.view(count, sight.heads, -1).transpose(0, 1) for part in (_rotated(q, sight), _rotated(k, sight), v)
    )
    parts: list[Tensor] = []
    for extent in sight.extents:
        clean, copies = extent.clean_rows, extent.copy_rows
        parts.append(
            functional.scaled_dot_product_attention(q[None, :, clean], k[None, :, clean], v[None, :, clean],
                                                    is_causal=True)[0]
        )  # fmt: skip
        own = (q[:, copies] * k[:, copies]).sum(-1, keepdim=True)
        hidden = torch.arange(extent.clean, device=q.device) >= sight.visible[copies, None]
        scores = (q[:, copies] @ k[:, clean].mT).masked_fill(hidden, float("-inf"))
        shares = torch.softmax(torch.cat((scores, own), dim=-1) * sight.scale, dim=-1)
        parts.append(shares[..., :-1] @ v[:, clean] + shares[..., -1:] * v[:, copies])
    return torch.cat(parts, dim=1).transpose(0, 1).reshape(count, -1)


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding, half against half: `x` (heads, rows, head_dim), tables (rows, head_dim / 2)."""
    low, high = x.chunk(2, dim=-1)
    return torch.cat((low * cos - high * sin, high * cos + low * sin), dim=-1)


class _Rotation(torch.autograd.Function):
    """Rotary of (rows, width). The halves change places in a product, which is exact and takes a third of the time of
    copying them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, sight: Sight) -> Tensor:
        ctx.sight = sight
        return _turned(x, sight, 1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _turned(gradient, ctx.sight, -1), None


def _rotated(x: Tensor, sight: Sight) -> Tensor:
    out: Tensor = _Rotation.apply(x, sight)  # type: ignore[no-untyped-call]
    return out


def _turned(x: Tensor, sight: Sight, direction: int) -> Tensor:
    turned = (x.reshape(-1, len(sight.turn)) @ sight.turn).view(x.shape)
    return torch.addcmul(x * sight.cos, turned, sight.sin, value=direction)
