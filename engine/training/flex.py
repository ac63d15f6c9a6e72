"""Who sees whom in a flat batch, for FlexAttention: the path of GPUs (engine.training.attention is that of CPUs).

FlexAttention walks over blocks of 128 rows by 128 columns. Blocks in which nobody sees anybody are left out, blocks in
which everybody sees everybody need no mask, and only in the others is `Blocks.mask_mod` asked for every pair. The table
of blocks is made by `blocks_of` beside the batch, on a CPU, not by torch from the mask, which would need rows × rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from engine.training.attention import rotated
from engine.training.extent import Extent

BLOCK = 128
"""Rows and columns of a block."""
Attention = Callable[..., Any]
"""What `flex_attention` does, called like it with `block_mask`."""
_NEVER = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Blocks:
    """A batch's masks, int32.

    Row q sees column k if both belong to the same sequence and place[k] < limit[q], or if q is k.

    Attributes:
        sequence: (rows,) number of its sequence; each row of padding is one of its own.
        place: (rows,) place of a clean row in its sequence's order; larger than any limit for a mask copy.
        limit: (rows,) how many clean rows of its sequence a row sees (a clean one itself included).
        partial_counts, full_counts: (blocks,) how many column blocks a row block sees in part, or wholly.
        partial, full: (blocks, blocks) their numbers, in the first columns.
    """

    sequence: Tensor
    place: Tensor
    limit: Tensor
    partial_counts: Tensor
    partial: Tensor
    full_counts: Tensor
    full: Tensor

    def mapped(self, function: Callable[[Tensor], Tensor]) -> Blocks:
        """The same of all tensors changed by a function."""
        return Blocks(*map(function, self.tensors()))

    def tensors(self) -> list[Tensor]:
        """All of them, in the order of the attributes."""
        return [getattr(self, name) for name in self.__slots__]

    def mask_mod(self) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
        """FlexAttention's question: (batch, head, row, column) -> whether the row sees the column."""
        sequence, place, limit = self.sequence, self.place, self.limit

        def sees(_batch: Tensor, _head: Tensor, row: Tensor, column: Tensor) -> Tensor:
            return ((sequence[row] == sequence[column]) & (place[column] < limit[row])) | (row == column)

        return sees

    def block_mask(self) -> BlockMask:
        """The table as torch wants it."""
        rows = len(self.sequence)
        made: Any = BlockMask.from_kv_blocks(
            self.partial_counts[None, None],
            self.partial[None, None],
            self.full_counts[None, None],
            self.full[None, None],
            BLOCK_SIZE=BLOCK,
            mask_mod=self.mask_mod(),
            seq_lengths=(rows, rows),
        )
        result: BlockMask = made
        return result


def blocks_of(visible: Tensor, extents: Sequence[Extent], rows: int) -> Blocks:
    """The table of a batch that is padded to `rows`, a multiple of `BLOCK`; `visible` is that of the batch."""
    sequence = np.arange(len(extents), len(extents) + rows, dtype=np.int32)
    place = np.full(rows, _NEVER, dtype=np.int32)
    limit = np.zeros(rows, dtype=np.int32)
    for number, extent in enumerate(extents):
        sequence[extent.first : extent.first + extent.clean + extent.copies] = number
        place[extent.clean_rows] = np.arange(extent.clean)
        limit[extent.clean_rows] = np.arange(1, extent.clean + 1)
        limit[extent.copy_rows] = visible[extent.copy_rows].numpy()
    partial, full = _seen_blocks(sequence, place, limit)
    return Blocks(*map(torch.from_numpy, (sequence, place, limit, *_ordered(partial), *_ordered(full))))


def _seen_blocks(
    sequence: NDArray[np.int32], place: NDArray[np.int32], limit: NDArray[np.int32]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(row blocks, column blocks): where somebody may see somebody but not all do, and where all do."""
    by_block = (-1, BLOCK)
    sequences, places, limits = sequence.reshape(by_block), place.reshape(by_block), limit.reshape(by_block)
    clean = places != _NEVER
    first_row, last_row = sequences.min(1)[:, None], sequences.max(1)[:, None]
    first_column = np.where(clean, sequences, _NEVER).min(1)[None]
    last_column = np.where(clean, sequences, -1).max(1)[None]
    shared = (first_row <= last_column) & (first_column <= last_row)
    one = (first_row == last_row) & (first_column == last_column) & (first_row == first_column)
    least_place, most_place = places.min(1)[None], places.max(1)[None]
    least_limit, most_limit = limits.min(1)[:, None], limits.max(1)[:, None]
    seen = shared & ~(one & (least_place >= most_limit)) | np.eye(len(sequences), dtype=bool)
    full = one & clean.all(1)[None] & (most_place < least_limit)
    return seen & ~full, full


def _ordered(table: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Counts, and the numbers of the set columns before all others."""
    counts = table.sum(1, dtype=np.int32)
    return counts, np.argsort(~table, axis=1, kind="stable").astype(np.int32)


def attend_in_blocks(
    qkv: Tensor, cos: Tensor, sin: Tensor, heads: int, mask: BlockMask, attention: Attention = flex_attention
) -> Tensor:
    """`qkv` (rows, 3 * width), before rotary -> attended (rows, width). Worth its while when compiled.

    Args:
        cos, sin: (rows, head_dim / 2), float32.
    """
    q, k, v = qkv.view(len(qkv), 3, heads, -1).permute(1, 2, 0, 3).unbind(0)  # (heads, rows, head_dim)
    q, k = (rotated(part, cos, sin).to(v.dtype) for part in (q, k))
    out: Tensor = attention(q[None], k[None], v[None], block_mask=mask)
    return out[0].transpose(0, 1).reshape(len(qkv), -1)
