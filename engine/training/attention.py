"""The attention of a training batch, with a backward pass written out for CPUs.

A batch is flat: sequence after sequence, each of them its clean rows and then its mask copies
(engine.training.objective). Clean row i sees clean rows 0..i of its sequence; a mask copy sees the first so many clean
rows and itself, so mask copies are never columns. Nothing is padded, and nothing but attention knows where a sequence
ends.

torch's fused kernels spend most of their time in the backward pass on a CPU, and autograd through slices fills and adds
whole tensors; products written out, sequence by sequence, took half the time of either. Queries, keys and values are
three matrices, each as wide as the network: products with a transposed matrix of three or four times that width take
several times as long for the same arithmetic (docs/training-log.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from engine.models.esolm_network import rotary_tables


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a sequence lies in a flat batch: rows [first, first + clean) and then `copies` mask copies.

    The first `joint` clean rows see one another; with `in_line` a copy sees the copies before it. Neither is so in
    any-order training; where one is, attention goes by matrices (engine.training.dense).
    """

    first: int
    clean: int
    copies: int
    joint: int = 0
    in_line: bool = False

    @property
    def is_dense(self) -> bool:
        """Whether more is seen than in any-order training."""
        return self.in_line or self.joint > 0

    @property
    def clean_rows(self) -> slice:
        """Rows of the clean tokens."""
        return slice(self.first, self.first + self.clean)

    @property
    def copy_rows(self) -> slice:
        """Rows of the mask copies."""
        return slice(self.first + self.clean, self.first + self.clean + self.copies)


@dataclass(frozen=True, slots=True)
class Sight:
    """Who sees whom in a batch, and the rotary tables: made once per batch, used by every layer.

    Attributes:
        heads: of the network. extents: the sequences.
        cos, sin: (rows, width), in the network's dtype; every head has the same columns.
        turn: (head_dim, head_dim), the matrix that puts (-high, low) in the place of a head's (low, high).
        causal: (longest clean, longest clean) additive, 0 or -inf.
        prefixes: per sequence (copies, clean) additive.
    """

    heads: int
    extents: Sequence[Extent]
    cos: Tensor
    sin: Tensor
    turn: Tensor
    causal: Tensor
    prefixes: Sequence[Tensor]

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
    """`positions` (rows,); `visible` (rows,), how many clean rows of its sequence a mask copy sees."""
    device = positions.device
    cos, sin = (table.to(dtype).repeat(1, heads) for table in rotary_tables(positions, head_dim, theta))
    half, whole = head_dim // 2, torch.eye(head_dim, dtype=dtype, device=device)
    turn = torch.cat((whole[half:], -whole[:half]))
    longest = max(extent.clean for extent in extents)
    causal = torch.full((longest, longest), float("-inf"), dtype=dtype, device=device).triu_(1)
    prefixes = []
    for extent in extents:
        hidden = torch.arange(extent.clean, device=device) >= visible[extent.copy_rows, None]
        zeros = torch.zeros(hidden.shape, dtype=dtype, device=device)
        prefixes.append(zeros.masked_fill_(hidden, float("-inf")))
    return Sight(heads, extents, cos, sin, turn, causal, prefixes)


def attend(q: Tensor, k: Tensor, v: Tensor, sight: Sight) -> Tensor:
    """`q`, `k`, `v` (rows, width), before rotary -> attended (rows, width)."""
    if q.device.type == "cpu":
        out: Tensor = _FlatAttention.apply(q, k, v, sight)  # type: ignore[no-untyped-call]
        return out
    return attend_plainly(q, k, v, sight)


def attend_plainly(q: Tensor, k: Tensor, v: Tensor, sight: Sight) -> Tensor:
    """The same by autograd and torch's own kernels, on any device."""
    rows = slice(0, len(q))
    q, k, v = (_by_head(part, rows, sight) for part in (_rotated(q, sight), _rotated(k, sight), v))
    parts: list[Tensor] = []
    for extent, prefix in zip(sight.extents, sight.prefixes, strict=True):
        clean, copies = extent.clean_rows, extent.copy_rows
        parts.append(
            functional.scaled_dot_product_attention(q[None, :, clean], k[None, :, clean], v[None, :, clean],
                                                    is_causal=True)[0]
        )  # fmt: skip
        own = (q[:, copies] * k[:, copies]).sum(-1, keepdim=True)
        scores = torch.cat((q[:, copies] @ k[:, clean].mT + prefix / sight.scale, own), dim=-1) * sight.scale
        shares = torch.softmax(scores, dim=-1)
        parts.append(shares[..., :-1] @ v[:, clean] + shares[..., -1:] * v[:, copies])
    return torch.cat(parts, dim=1).transpose(0, 1).reshape(rows.stop, -1)


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding, half against half: `x` (heads, rows, head_dim), tables (rows, head_dim / 2)."""
    low, high = x.chunk(2, dim=-1)
    return torch.cat((low * cos - high * sin, high * cos + low * sin), dim=-1)


def _rotated(x: Tensor, sight: Sight, direction: int = 1) -> Tensor:
    """Rotary of (rows, width); direction -1 turns it back. The halves change places in a product, which is exact and
    takes a third of the time of copying them."""
    turned = (x.reshape(-1, len(sight.turn)) @ sight.turn).view(x.shape)
    return torch.addcmul(x * sight.cos, turned, sight.sin, value=direction)


def _by_head(x: Tensor, rows: slice, sight: Sight) -> Tensor:
    """Rows of (rows, width) as (heads, rows, head_dim), contiguous: products of slices would copy them every time."""
    return x[rows].reshape(-1, sight.heads, len(sight.turn)).transpose(0, 1).contiguous()


def _put(out: Tensor, rows: slice, values: Tensor) -> None:
    """Writes (heads, rows, head_dim) into rows of (rows, width)."""
    heads, _, dim = values.shape
    out[rows].view(-1, heads, dim).copy_(values.transpose(0, 1))


class _FlatAttention(torch.autograd.Function):
    """1. Rotary; 2. scores and shares of each sequence; 3. values. Backward goes the same way back."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, sight: Sight) -> Tensor:
        q, k = _rotated(q, sight), _rotated(k, sight)
        out = torch.empty_like(q)
        saved: list[Tensor] = []
        for extent, prefix in zip(sight.extents, sight.prefixes, strict=True):
            clean, copies = extent.clean_rows, extent.copy_rows
            q_clean, k_clean, v_clean = (_by_head(part, clean, sight) for part in (q, k, v))
            q_copy, k_copy, v_copy = (_by_head(part, copies, sight) for part in (q, k, v))
            shares = torch.softmax(_scores(q_clean, k_clean, sight.causal[: extent.clean, : extent.clean], sight), -1)
            own = (q_copy * k_copy).sum(-1, keepdim=True).mul_(sight.scale)
            both = torch.softmax(torch.cat((_scores(q_copy, k_clean, prefix, sight), own), dim=-1), dim=-1)
            seen = both[..., :-1].contiguous()
            _put(out, clean, shares @ v_clean)
            _put(out, copies, (seen @ v_clean).addcmul_(both[..., -1:], v_copy))
            saved += (q_clean, k_clean, v_clean, q_copy, k_copy, v_copy, shares, both, seen)
        ctx.save_for_backward(*saved)
        ctx.sight = sight
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        sight: Sight = ctx.sight
        back = [torch.empty_like(gradient, memory_format=torch.contiguous_format) for _ in range(3)]
        for number, extent in enumerate(sight.extents):
            saved = ctx.saved_tensors[9 * number : 9 * number + 9]
            q_clean, k_clean, v_clean, q_copy, k_copy, v_copy, shares, both, seen = saved
            g_clean, g_copy = (_by_head(gradient, rows, sight) for rows in (extent.clean_rows, extent.copy_rows))
            slope = torch._softmax_backward_data(g_clean @ v_clean.mT, shares, -1, shares.dtype)
            slopes = torch.cat((g_copy @ v_clean.mT, (g_copy * v_copy).sum(-1, keepdim=True)), dim=-1)
            slopes = torch._softmax_backward_data(slopes, both, -1, both.dtype)
            sideways, own = slopes[..., :-1].contiguous(), slopes[..., -1:]
            of_clean = (
                slope @ k_clean,
                torch.baddbmm(sideways.mT @ q_copy, slope.mT, q_clean),
                torch.baddbmm(seen.mT @ g_copy, shares.mT, g_clean),
            )
            of_copies = (torch.addcmul(sideways @ k_clean, own, k_copy), own * q_copy, both[..., -1:] * g_copy)
            for part, clean, copies in zip(back, of_clean, of_copies, strict=True):
                _put(part, extent.clean_rows, clean)
                _put(part, extent.copy_rows, copies)
        q_back, k_back = (_rotated(part.mul_(sight.scale), sight, -1) for part in back[:2])
        return q_back, k_back, back[2], None


def _scores(q: Tensor, k: Tensor, hidden: Tensor, sight: Sight) -> Tensor:
    """Scores of (heads, rows, head_dim) against (heads, columns, head_dim), -inf where `hidden` (rows, columns) is."""
    return torch.baddbmm(hidden.expand(len(q), -1, -1), q, k.mT, alpha=sight.scale)
