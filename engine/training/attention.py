"""The attention of a training batch, with a backward pass written out for CPUs.

A batch is flat: sequence after sequence, each of them its clean rows and then its mask copies
(engine.training.objective). Clean row i sees clean rows 0..i of its sequence; a mask copy sees the first so many clean
rows and itself, so mask copies are never columns. Nothing is padded, and nothing but attention knows where a sequence
ends.

torch's fused kernels spend most of their time in the backward pass on a CPU, and autograd through slices fills and adds
whole tensors; products written out, sequence by sequence, took half the time of either (docs/training-log.md).
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
        cos, sin: (rows, head_dim / 2), in the network's dtype.
        causal: (longest clean, longest clean) additive, 0 or -inf.
        prefixes: per sequence (copies, clean + 1) additive; the last column is the copy itself.
    """

    heads: int
    extents: Sequence[Extent]
    cos: Tensor
    sin: Tensor
    causal: Tensor
    prefixes: Sequence[Tensor]


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
    cos, sin = rotary_tables(positions, head_dim, theta)
    half = head_dim // 2
    longest = max(extent.clean for extent in extents)
    causal = torch.full((longest, longest), float("-inf"), dtype=dtype, device=positions.device).triu_(1)
    prefixes = []
    for extent in extents:
        places = torch.arange(extent.clean + 1, device=positions.device)
        hidden = (places >= visible[extent.copy_rows, None]) & (places < extent.clean)
        zeros = torch.zeros(hidden.shape, dtype=dtype, device=positions.device)
        prefixes.append(zeros.masked_fill_(hidden, float("-inf")))
    return Sight(heads, extents, cos[:, :half].to(dtype), sin[:, :half].to(dtype), causal, prefixes)


def attend(qkv: Tensor, sight: Sight) -> Tensor:
    """`qkv` (rows, 3 * width), before rotary -> attended (rows, width)."""
    if qkv.device.type == "cpu":
        out: Tensor = _FlatAttention.apply(qkv, sight)  # type: ignore[no-untyped-call]
        return out
    return attend_plainly(qkv, sight)


def attend_plainly(qkv: Tensor, sight: Sight) -> Tensor:
    """The same by autograd and torch's own kernels, on any device."""
    q, k, v = qkv.view(len(qkv), 3, sight.heads, -1).permute(1, 2, 0, 3).unbind(0)  # (heads, rows, head_dim)
    q, k = rotated(q, sight.cos, sight.sin), rotated(k, sight.cos, sight.sin)
    parts: list[Tensor] = []
    for extent, prefix in zip(sight.extents, sight.prefixes, strict=True):
        clean, copies = extent.clean_rows, extent.copy_rows
        parts.append(
            functional.scaled_dot_product_attention(q[None, :, clean], k[None, :, clean], v[None, :, clean],
                                                    is_causal=True)[0]
        )  # fmt: skip
        own = (q[:, copies] * k[:, copies]).sum(-1, keepdim=True)
        scores = torch.cat((q[:, copies] @ k[:, clean].transpose(-1, -2), own), dim=-1) * q.shape[-1] ** -0.5
        shares = torch.softmax(scores + prefix, dim=-1)
        parts.append(shares[..., :-1] @ v[:, clean] + shares[..., -1:] * v[:, copies])
    return torch.cat(parts, dim=1).transpose(0, 1).reshape(len(qkv), -1)


def rotated(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding, half against half: `x` (heads, rows, head_dim), tables (rows, head_dim / 2)."""
    low, high = x.chunk(2, dim=-1)
    return torch.cat((low * cos - high * sin, high * cos + low * sin), dim=-1)


def _rotate_into(out: Tensor, x: Tensor, cos: Tensor, sin: Tensor, direction: int) -> None:
    """Writes rotary of `x` into `out`, both (heads, rows, head_dim) of any strides; direction -1 turns it back."""
    half = x.shape[-1] // 2
    low, high = x[..., :half], x[..., half:]
    torch.mul(low, cos, out=out[..., :half])
    out[..., :half].addcmul_(high, sin, value=-direction)
    torch.mul(high, cos, out=out[..., half:])
    out[..., half:].addcmul_(low, sin, value=direction)


class _FlatAttention(torch.autograd.Function):
    """1. Rotary, head by head; 2. scores and shares of each sequence; 3. values. Backward goes the same way back."""

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, sight: Sight) -> Tensor:
        rows, triple = qkv.shape
        parts = qkv.view(rows, 3, sight.heads, -1).permute(1, 2, 0, 3)  # (3, heads, rows, head_dim)
        scale = parts.shape[-1] ** -0.5
        turned = torch.empty(parts.shape, dtype=qkv.dtype)
        _rotate_into(turned[0], parts[0], sight.cos * scale, sight.sin * scale, 1)
        _rotate_into(turned[1], parts[1], sight.cos, sight.sin, 1)
        turned[2].copy_(parts[2])
        out = torch.empty((rows, sight.heads, parts.shape[-1]), dtype=qkv.dtype)
        by_head = out.transpose(0, 1)
        saved: list[Tensor] = []
        for extent, prefix in zip(sight.extents, sight.prefixes, strict=True):
            q, k, v = turned[:, :, extent.clean_rows]
            q_copy, k_copy, v_copy = turned[:, :, extent.copy_rows]
            shares = torch.softmax((q @ k.mT).add_(sight.causal[: extent.clean, : extent.clean]), dim=-1)
            own = (q_copy * k_copy).sum(-1, keepdim=True)
            copy_shares = torch.softmax(torch.cat((q_copy @ k.mT, own), dim=-1).add_(prefix), dim=-1)
            by_head[:, extent.clean_rows] = shares @ v
            by_head[:, extent.copy_rows] = (copy_shares[..., :-1] @ v).addcmul_(copy_shares[..., -1:], v_copy)
            saved += (shares, copy_shares)
        ctx.save_for_backward(turned, *saved)
        ctx.sight = sight
        return out.view(rows, triple // 3)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        turned, *saved = ctx.saved_tensors
        sight: Sight = ctx.sight
        _, heads, rows, dim = turned.shape
        given = gradient.view(rows, heads, dim).transpose(0, 1).contiguous()
        back = torch.empty_like(turned)
        for number, extent in enumerate(sight.extents):
            q, k, v = turned[:, :, extent.clean_rows]
            q_copy, k_copy, v_copy = turned[:, :, extent.copy_rows]
            q_back, k_back, v_back = back[:, :, extent.clean_rows]
            q_copy_back, k_copy_back, v_copy_back = back[:, :, extent.copy_rows]
            g, g_copy = given[:, extent.clean_rows], given[:, extent.copy_rows]
            shares, copy_shares = saved[2 * number], saved[2 * number + 1]
            torch.add(shares.mT @ g, copy_shares[..., :-1].mT @ g_copy, out=v_back)
            torch.mul(copy_shares[..., -1:], g_copy, out=v_copy_back)
            slope = torch._softmax_backward_data(g @ v.mT, shares, -1, shares.dtype)
            own = (g_copy * v_copy).sum(-1, keepdim=True)
            slopes = torch.cat((g_copy @ v.mT, own), dim=-1)
            slopes = torch._softmax_backward_data(slopes, copy_shares, -1, slopes.dtype)
            seen, own = slopes[..., :-1], slopes[..., -1:]
            torch.matmul(slope, k, out=q_back)
            torch.add(slope.mT @ q, seen.mT @ q_copy, out=k_back)
            torch.addcmul(seen @ k, own, k_copy, out=q_copy_back)
            torch.mul(own, q_copy, out=k_copy_back)
        out = torch.empty((rows, 3, heads, dim), dtype=gradient.dtype)
        by_part = out.permute(1, 2, 0, 3)
        scale = dim**-0.5
        _rotate_into(by_part[0], back[0], sight.cos * scale, sight.sin * scale, -1)
        _rotate_into(by_part[1], back[1], sight.cos, sight.sin, -1)
        by_part[2].copy_(back[2])
        return out.view(rows, 3 * heads * dim), None
