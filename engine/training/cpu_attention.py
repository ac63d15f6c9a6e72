"""The attention of a training batch on a CPU, with its backward pass written out.

Per sequence there are six small products and two passes over its scores, and all else is done for all rows at once:

1. Queries, keys and values are gathered to blocks, one for each sequence and head: its clean rows and its mask copies,
   each padded to one of few sizes, for a bfloat16 product of a new size is first compiled, which takes several times as
   long as the product.
2. parts = exp(scores), -inf where a row does not see a column; nothing is divided by a row's total yet.
3. A column of ones beside the values makes the product that weighs them give the totals as well.
4. A mask copy's view of itself, a column of no block, is added to all rows at once.

Backward, the gradient of a row is divided by its total first, and minus its product with what was attended stands
beside it in the place of the ones: so the slope of the scores is parts times one product. Exponentials of scores
as they are can leave the range of numbers; the totals show it, and then a row's largest score is taken from its scores.

torch's fused kernels spend most of their time in the backward pass on a CPU, and autograd through slices fills and adds
whole tensors (docs/training-log.md).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from engine.training.extent import Extent

_SIZES = (0, *range(32, 256, 32), *range(256, 512, 64), *range(512, 1024, 128))
"""What the rows of a block are padded to; beyond, multiples of 256."""
_BESIDE = 32
"""Columns beside the values, of which one is used: products like multiples of 32."""
_LEAST, _MOST = 1e-20, 1e15
"""A total below may have lost large shares to underflow. One beyond may have overflowed, and makes numbers of gradients
that it divides that bfloat16 products take for zero."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the rows of a batch lie in blocks. Blocks are flat: (block rows, columns), sequence after sequence, in it
    head after head.

    Attributes:
        sizes: per sequence rows of a block (clean ones and copies, padded) and columns (clean ones, padded).
        rows, columns: for each row of the queries' blocks, and of the keys', its line in a (rows * heads, head_dim)
            tensor. padding: indices into `rows` of what stands for nothing.
        rows_back, columns_back: (rows * heads,) the opposite way; what stands in no block comes from a line behind.
        hidden: per sequence (block rows, columns), 0 or -inf.
        own_hidden: (rows * heads, 1) float32, 0 for mask copies, which see themselves by no column, else -inf.
    """

    heads: int
    sizes: Sequence[tuple[int, int]]
    rows: Tensor
    columns: Tensor
    padding: Tensor
    rows_back: Tensor
    columns_back: Tensor
    hidden: Sequence[Tensor]
    own_hidden: Tensor

    def by_rows(self, flat: Tensor) -> Iterator[Tensor]:
        """Blocks of queries and the like, (heads, rows, width) per sequence."""
        parts = torch.split(flat, [self.heads * rows for rows, _ in self.sizes])
        return (part.view(self.heads, rows, part.shape[-1]) for part, (rows, _) in zip(parts, self.sizes, strict=True))

    def by_columns(self, flat: Tensor) -> Iterator[Tensor]:
        """Blocks of keys and values."""
        parts = torch.split(flat, [self.heads * columns for _, columns in self.sizes])
        return (
            part.view(self.heads, columns, part.shape[-1]) for part, (_, columns) in zip(parts, self.sizes, strict=True)
        )

    def scores(self, flat: Tensor) -> Iterator[Tensor]:
        """Blocks of scores."""
        parts = torch.split(flat, [self.heads * rows * columns for rows, columns in self.sizes])
        return (part.view(self.heads, *size) for part, size in zip(parts, self.sizes, strict=True))

    @property
    def score_count(self) -> int:
        """Scores of all blocks."""
        return self.heads * sum(rows * columns for rows, columns in self.sizes)


def layout_of(visible: Tensor, extents: Sequence[Extent], count: int, heads: int, dtype: torch.dtype) -> Layout:
    """`visible` (rows or fewer,); `count` rows, of which those behind the last sequence attend to nothing."""
    rows: list[Tensor] = []
    columns: list[Tensor] = []
    sizes: list[tuple[int, int]] = []
    hidden: list[Tensor] = []
    own_hidden = torch.full((count, heads), float("-inf"))
    for extent in extents:
        clean, copied = padded(extent.clean), padded(extent.copies)
        places = torch.full((clean + copied,), -1)
        places[: extent.clean] = torch.arange(extent.clean) + extent.first
        places[clean : clean + extent.copies] = torch.arange(extent.copies) + extent.copy_rows.start
        seen = torch.arange(1, clean + copied + 1)
        seen[clean:] = functional.pad(visible[extent.copy_rows], (0, copied - extent.copies))
        unseen = torch.arange(clean) >= seen[:, None]
        hidden.append(torch.zeros(unseen.shape, dtype=dtype).masked_fill_(unseen, float("-inf")))
        sizes.append((clean + copied, clean))
        own_hidden[extent.copy_rows] = 0
        lines = torch.where(places >= 0, places * heads, -heads) + torch.arange(heads)[:, None]
        rows.append(lines.flatten())
        columns.append(lines[:, :clean].flatten())
    all_rows, all_columns = torch.cat(rows), torch.cat(columns)
    return Layout(
        heads,
        sizes,
        all_rows.clamp_min(0),
        all_columns.clamp_min(0),
        (all_rows < 0).nonzero().flatten(),
        _inverse(all_rows, count * heads, len(all_rows)),
        _inverse(all_columns, count * heads, len(all_columns)),
        hidden,
        own_hidden.view(-1, 1),
    )


def padded(count: int) -> int:
    """The rows that a block of `count` rows is padded to."""
    return _SIZES[bisect_left(_SIZES, count)] if count <= _SIZES[-1] else -(-count // 256) * 256


def _inverse(lines: Tensor, count: int, otherwise: int) -> Tensor:
    """For each of `count` lines the place at which `lines` has it."""
    found = torch.full((count,), otherwise)
    real = (lines >= 0).nonzero().flatten()
    found[lines[real]] = real
    return found


def block_attention(q: Tensor, k: Tensor, v: Tensor, layout: Layout, scale: float) -> Tensor:
    """`q`, `k`, `v` (rows, width), after rotary -> attended (rows, width); rows of no sequence give finite
    numbers that mean nothing, and get no gradient."""
    out: Tensor = _BlockAttention.apply(q, k, v, layout, scale)  # type: ignore[no-untyped-call]
    return out


class _BlockAttention(torch.autograd.Function):
    """Steps 1 to 4. Lines are (rows * heads, head_dim or 1); blocks are what `Layout` says."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, layout: Layout, scale: float) -> Tensor:
        qs, ks, vs = (_lines(part, layout) for part in (q, k, v))
        values = functional.pad(vs, (0, _BESIDE))
        values[:, vs.shape[1]] = 1
        queries = _take(qs, layout.rows).index_fill_(0, layout.padding, 0)
        blocks = _Blocks(queries, _take(ks, layout.columns), _take(values, layout.columns))
        own = (qs * ks).sum(-1, keepdim=True, dtype=torch.float32).mul_(scale).add_(layout.own_hidden)
        parts, sums, own_parts = _weighed(blocks, own, layout, scale)
        total = sums[:, vs.shape[1], None].float() + own_parts
        low, high = total.aminmax()
        if not (low > _LEAST and high < _MOST):
            parts, sums, own_parts = _weighed(blocks, own, layout, scale, _largest(blocks, own, layout, scale))
            total = sums[:, vs.shape[1], None].float() + own_parts
        own_parts = own_parts.to(q.dtype)
        inverse = total.reciprocal_().to(q.dtype)
        outs = torch.addcmul(sums[:, :-_BESIDE], own_parts, vs).mul_(inverse)
        ctx.save_for_backward(qs, ks, vs, *blocks, parts, own_parts, inverse, outs)
        ctx.layout, ctx.scale = layout, scale
        return outs.reshape(q.shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        qs, ks, vs, q_blocks, k_blocks, v_blocks, parts, own_parts, inverse, outs = ctx.saved_tensors
        layout, scale, dim = ctx.layout, ctx.scale, qs.shape[1]
        gs = _lines(gradient, layout) * inverse
        minus_product = -(gs * outs).sum(-1, keepdim=True)
        beside = functional.pad(gs, (0, _BESIDE))
        beside[:, dim : dim + 1] = minus_product
        g_blocks = _take(beside, layout.rows).index_fill_(0, layout.padding, 0)
        q_back, k_back, v_back = _back(_Blocks(q_blocks, k_blocks, v_blocks), parts, g_blocks, layout)
        slope = ((gs * vs).sum(-1, keepdim=True) + minus_product).mul_(own_parts)
        back = (
            torch.addcmul(_take(q_back, layout.rows_back), slope, ks).mul_(scale),
            torch.addcmul(_take(k_back, layout.columns_back), slope, qs).mul_(scale),
            torch.addcmul(_take(v_back, layout.columns_back)[:, :dim], own_parts, gs),
        )
        return back[0].view(gradient.shape), back[1].view(gradient.shape), back[2].reshape(gradient.shape), None, None


class _Blocks(NamedTuple):
    """Of all sequences: queries, keys, and values with their column of ones."""

    q: Tensor
    k: Tensor
    v: Tensor


def _weighed(
    blocks: _Blocks, own: Tensor, layout: Layout, scale: float, largest: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Steps 2 and 3.

    Args:
        own: (lines, 1) float32, what a mask copy scores itself, else -inf.
        largest: (block rows + 1, 1), what is taken from scores.

    Returns:
        Parts of all blocks; lines (lines, head_dim + 32), the weighed values and their total; own parts (lines, 1).
    """
    parts = blocks.q.new_empty(layout.score_count)
    sums = blocks.q.new_empty(len(blocks.q) + 1, blocks.v.shape[1])
    sums[-1] = 1  # of rows of no sequence
    each = zip(
        layout.hidden,
        layout.scores(parts),
        layout.by_rows(blocks.q),
        layout.by_columns(blocks.k),
        layout.by_columns(blocks.v),
        layout.by_rows(sums[:-1]),
        repeat(None) if largest is None else layout.by_rows(largest[:-1]),
        strict=False,
    )
    for hidden, part, q, k, v, out, shift in each:
        torch.baddbmm(hidden.expand(layout.heads, -1, -1), q, k.mT, alpha=scale, out=part)
        if shift is not None:
            part.sub_(shift)
        torch.bmm(part.exp_(), v, out=out)
    own = own if largest is None else own - _take(largest, layout.rows_back)
    return parts, _take(sums, layout.rows_back), own.exp()


def _largest(blocks: _Blocks, own: Tensor, layout: Layout, scale: float) -> Tensor:
    """(block rows + 1, 1), the largest score of each, its own among them."""
    found = own.new_zeros(len(blocks.q) + 1, 1)
    queries, keys, outs = layout.by_rows(blocks.q), layout.by_columns(blocks.k), layout.by_rows(found[:-1])
    each = zip(layout.hidden, queries, keys, outs, strict=True)
    for hidden, q, k, out in each:
        out.copy_(torch.baddbmm(hidden.expand(layout.heads, -1, -1), q, k.mT, alpha=scale).amax(-1, keepdim=True))
    found[:-1] = torch.maximum(found[:-1], _take(own, layout.rows)).index_fill_(0, layout.padding, 0)
    return found


def _back(blocks: _Blocks, parts: Tensor, g_blocks: Tensor, layout: Layout) -> tuple[Tensor, ...]:
    """Gradients of the blocks' queries, keys and values, with a line of zeros behind them."""
    back = tuple(block.new_empty(len(block) + 1, block.shape[1]) for block in blocks)
    for block in back:
        block[-1] = 0
    each = zip(
        layout.scores(parts),
        layout.by_rows(g_blocks),
        layout.by_rows(blocks.q),
        layout.by_columns(blocks.k),
        layout.by_columns(blocks.v),
        layout.by_rows(back[0][:-1]),
        layout.by_columns(back[1][:-1]),
        layout.by_columns(back[2][:-1]),
        strict=True,
    )
    for part, g, q, k, v, q_back, k_back, v_back in each:
        slope = torch.bmm(g, v.mT).mul_(part)
        torch.bmm(slope, k, out=q_back)
        torch.bmm(slope.mT, q, out=k_back)
        torch.bmm(part.mT, g, out=v_back)
    return back


def _lines(flat: Tensor, layout: Layout) -> Tensor:
    return flat.reshape(len(flat) * layout.heads, -1)


def _take(lines: Tensor, places: Tensor) -> Tensor:
    """Lines at `places`: as an embedding, which copies them three times as fast as an index."""
    return functional.embedding(places, lines)
