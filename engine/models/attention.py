"""Attention of a step's rows over the cache, where what may be seen is the same in every layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

Attention: TypeAlias = Callable[[Tensor, Tensor, Tensor, slice], Tensor]
"""Queries (rows, heads, head_dim), already scaled, of the step's rows in the slice; a layer's keys and values
(heads, room, head_dim) -> (rows, heads * head_dim)."""

FEW_ROWS = 4
"""Up to so many rows are attended one by one: a head's keys and values are read from memory by the first of them."""

COLUMNS = 64
"""The fused product is set up anew for every number of columns, which costs as much as it does: they come in
multiples of this, the last of them hidden."""


def make_attention(length: int, hidden_from: Tensor, dtype: torch.dtype) -> Attention:
    """Attention over the first `length` rows of a cache.

    Args:
        length: clean tokens in the cache and the step's rows behind them.
        hidden_from: (rows, columns), True where a row may not see one of the last so many of the `length`.
        dtype: of queries, keys and values. In bfloat16 on a CPU the fused kernel reads half of the bytes and takes half
            of the time; in float32 two plain products are faster than it.
    """
    if dtype is torch.bfloat16 and hidden_from.device.type == "cpu":
        return _fused(length, hidden_from, dtype)
    return _plain(length, hidden_from)


def _fused(length: int, hidden_from: Tensor, dtype: torch.dtype) -> Attention:
    rows, new = hidden_from.shape
    padded = -(-length // COLUMNS) * COLUMNS
    added = torch.zeros(rows, padded, dtype=dtype)  # to the scores
    added[:, length:] = float("-inf")
    added[:, length - new : length].masked_fill_(hidden_from, float("-inf"))

    def attend(queries: Tensor, keys: Tensor, values: Tensor, wanted: slice) -> Tensor:
        count, heads, head_dim = queries.shape
        if count > FEW_ROWS:
            seen = min(padded, keys.shape[1])
            q, k, v = queries.transpose(0, 1).unsqueeze(0), keys[None, :, :seen], values[None, :, :seen]
            mask = added[wanted, :seen]
        else:  # (heads, rows, 1, head_dim): as if every row were a head of its own with the same keys
            q = queries.transpose(0, 1).unsqueeze(2)
            k = keys[:, None, :length].expand(-1, count, -1, -1)
            v = values[:, None, :length].expand(-1, count, -1, -1)
            mask = added[None, wanted, None, :length]
        attended = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=1.0)
        attended = attended[0] if count > FEW_ROWS else attended[:, :, 0]
        return attended.transpose(0, 1).reshape(count, heads * head_dim)

    return attend


def _plain(length: int, hidden_from: Tensor) -> Attention:
    new = hidden_from.shape[1]

    def attend(queries: Tensor, keys: Tensor, values: Tensor, wanted: slice) -> Tensor:
        scores = torch.bmm(queries.transpose(0, 1), keys[:, :length].transpose(1, 2))  # (heads, wanted, length)
        scores[:, :, length - new :].masked_fill_(hidden_from[wanted], float("-inf"))
        attended = torch.bmm(scores.softmax(dim=-1), values[:, :length])
        return attended.transpose(0, 1).reshape(queries.shape[0], -1)

    return attend
