"""Attention by explicit visibility matrices, for sequences in which more is seen than in any-order training: clean rows
that see one another (Eso-LM (A)), masks that see the masks before them (the diffusion phase of both variants)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from engine.models.esolm_network import EsoLMShape, apply_rotary, rotary_tables
from engine.training.extent import Extent
from engine.training.objective import Batch


def visibility(extent: Extent, visible: Tensor) -> Tensor:
    """(rows, rows), True where a row of the sequence sees a column; `visible` (copies,): clean rows each copy sees."""
    rows = extent.clean + extent.copies
    sees = torch.ones(rows, rows, dtype=torch.bool, device=visible.device).tril_()
    sees[: extent.joint, : extent.joint] = True
    copies = sees[extent.clean :]
    copies[:, : extent.clean] = torch.arange(extent.clean, device=visible.device) < visible[:, None]
    if not extent.in_line:
        copies[:, extent.clean :] = torch.eye(extent.copies, dtype=torch.bool, device=visible.device)
    return sees


class DenseAttention:
    """One batch's attention, made once and used by every layer."""

    def __init__(self, shape: EsoLMShape, batch: Batch, dtype: torch.dtype) -> None:
        cos, sin = rotary_tables(batch.positions, shape.head_dim, shape.rope_theta)
        self._cos, self._sin = cos.to(dtype), sin.to(dtype)
        self._heads = shape.heads
        self._places = [slice(extent.first, extent.copy_rows.stop) for extent in batch.extents]
        self._sees = [visibility(extent, batch.visible[extent.copy_rows]) for extent in batch.extents]

    def __call__(self, qkv: Tensor) -> Tensor:
        """Queries, keys and values of all rows (rows, 3 * width) -> attended (rows, width)."""
        q, k, v = qkv.view(len(qkv), 3, self._heads, -1).permute(1, 2, 0, 3)  # (heads, rows, head_dim)
        q, k = (apply_rotary(part, self._cos, self._sin) for part in (q, k))
        parts = [
            functional.scaled_dot_product_attention(q[None, :, rows], k[None, :, rows], v[None, :, rows], sees)[0]
            for rows, sees in zip(self._places, self._sees, strict=True)
        ]
        return torch.cat(parts, dim=1).transpose(0, 1).reshape(len(qkv), -1)
