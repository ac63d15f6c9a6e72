"""Attention of a step's rows over the cache, where what may be seen is the same in every layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from engine.cache import CleanTokenCache

Attention: TypeAlias = Callable[[int, int], Tensor]
"""A layer, and the first of the rows that are wanted -> (rows from there on, heads * head_dim); overwritten by the next
call."""

FEW_ROWS = 4
"""Up to so many rows are attended one by one: a head's keys and values are read from memory by the first of them."""

COLUMNS = 64
"""The fused product is set up anew for every number of columns, which costs as much as it does: they come in
multiples of this, the last of them hidden."""


def make_attention(queries: Tensor, cache: CleanTokenCache, hidden_from: Tensor, dtype: torch.dtype) -> Attention:
    """Attention over the clean tokens of a cache and the step's rows behind them.

    In bfloat16 on a CPU the fused kernel reads half of the bytes and takes half of the time; in float32 two plain
    products are faster than it.

    Args:
        queries: (rows, heads, head_dim), already scaled, in the cache's dtype; filled anew before every call.
        hidden_from: (rows, columns), True where a row may not see one of the last so many of them all.
        dtype: of the result.
    """
    length = len(cache) + queries.shape[0]
    if queries.dtype is not torch.bfloat16 or queries.device.type != "cpu":
        return _plain(queries, cache, length, hidden_from, dtype)
    if queries.shape[0] > FEW_ROWS:
        return _fused(queries, cache, length, hidden_from, dtype)
    return _row_by_row(queries, cache, length, hidden_from, dtype)


def _row_by_row(
    queries: Tensor, cache: CleanTokenCache, length: int, hidden_from: Tensor, dtype: torch.dtype
) -> Attention:
    """As if every row were a head of its own with the same keys. All views are made once, for all layers."""
    rows, heads, head_dim = queries.shape
    added = _added(hidden_from, length, length, queries.dtype)[None, :, None]
    q = queries.transpose(0, 1).unsqueeze(2)  # (heads, rows, 1, head_dim)
    every = (cache.keys, cache.values)
    k, v = (part[:, :, None, :length].expand(-1, -1, rows, -1, -1).unbind(0) for part in every)
    result = torch.empty(rows, heads * head_dim, dtype=dtype)
    place = result.view(rows, heads, 1, head_dim).transpose(0, 1)

    def attend(layer: int, first: int) -> Tensor:
        if first == 0:
            place.copy_(_product(q, k[layer], v[layer], added))
            return result
        rest = slice(first, rows)
        place[:, rest] = _product(q[:, rest], k[layer][:, rest], v[layer][:, rest], added[:, rest])
        return result[rest]

    return attend


def _fused(queries: Tensor, cache: CleanTokenCache, length: int, hidden_from: Tensor, dtype: torch.dtype) -> Attention:
    padded = min(-(-length // COLUMNS) * COLUMNS, cache.keys.shape[2])
    added = _added(hidden_from, length, padded, queries.dtype)
    q = queries.transpose(0, 1).unsqueeze(0)  # (1, heads, rows, head_dim)
    every = (cache.keys, cache.values)
    k, v = (part[:, None, :, :padded].unbind(0) for part in every)

    def attend(layer: int, first: int) -> Tensor:
        attended = _product(q[:, :, first:], k[layer], v[layer], added[first:])
        return attended[0].transpose(0, 1).flatten(1).to(dtype)

    return attend


def _product(q: Tensor, k: Tensor, v: Tensor, added: Tensor) -> Tensor:
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=added, scale=1.0)


def _added(hidden_from: Tensor, length: int, columns: int, dtype: torch.dtype) -> Tensor:
    """(rows, columns), to be added to the scores."""
    rows, new = hidden_from.shape
    added = torch.zeros(rows, columns, dtype=dtype)
    added[:, length:] = float("-inf")
    added[:, length - new : length].masked_fill_(hidden_from, float("-inf"))
    return added


def _plain(queries: Tensor, cache: CleanTokenCache, length: int, hidden_from: Tensor, dtype: torch.dtype) -> Attention:
    new = hidden_from.shape[1]
    q = queries.transpose(0, 1)
    k, v = cache.keys[:, :, :length].transpose(2, 3).unbind(0), cache.values[:, :, :length].unbind(0)

    def attend(layer: int, first: int) -> Tensor:
        scores = torch.bmm(q[:, first:], k[layer])  # (heads, rows from first on, length)
        scores[:, :, length - new :].masked_fill_(hidden_from[first:], float("-inf"))
        attended = torch.bmm(scores.softmax(dim=-1), v[layer])
        return attended.transpose(0, 1).flatten(1).to(dtype)

    return attend
