"""Queries, keys and values of a step's rows, on memory and views that all layers of the step share.

A step of two rows is a few hundred operations of a few thousand numbers: what it costs is not their arithmetic but that
there are so many of them, each view and each new tensor included. So these are made once a step, not once a layer.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.cache import CleanTokenCache


class Projections:
    """Takes each layer's projection in turn, turns queries and keys by the rotary embedding, puts keys and values
    behind the clean tokens of the cache. In float32: turned in bfloat16, numbers would be rounded twice more.

    Attributes:
        queries: (rows, heads, head_dim) in the cache's dtype, of the layer taken last.
    """

    def __init__(self, cache: CleanTokenCache, cos: Tensor, sin: Tensor) -> None:
        """`cos`, `sin` (rows, head_dim), float32, of the rows' positions; the sines signed (`signed_rotary_tables`)."""
        rows, head_dim = cos.shape
        heads, half = cache.keys.shape[1], head_dim // 2
        self._given = cos.new_empty(rows, 3, heads, head_dim)
        self._given_flat = self._given.view(rows, -1)
        self._turned = torch.empty_like(self._given)
        self._cos = cos.new_ones(rows, 3, 1, head_dim)  # values are not turned
        self._cos[:, :2] = cos[:, None, None]
        sin = sin[:, None, None]
        turned, given = self._turned[:, :2], self._given[:, :2]
        self._halves = (
            (turned[..., :half], given[..., half:], sin[..., :half]),
            (turned[..., half:], given[..., :half], sin[..., half:]),
        )
        self.queries = torch.empty(rows, heads, head_dim, dtype=cache.keys.dtype, device=cos.device)
        self._turned_queries, self._kept = self._turned[:, 0], self._turned[:, 1:]
        self._places = cache.places(rows)

    def take(self, layer: int, qkv: Tensor) -> None:
        """`qkv` (rows, 3 * width): queries, keys and values, not turned yet."""
        self._given_flat.copy_(qkv)
        torch.mul(self._given, self._cos, out=self._turned)
        for turned, other, sin in self._halves:
            turned.addcmul_(other, sin)
        self._places[layer].copy_(self._kept)
        self.queries.copy_(self._turned_queries)
