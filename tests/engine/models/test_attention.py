"""Attention over the cache equals attention with the mask written out, in both precisions, for few and many rows."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.cache import CleanTokenCache
from engine.canvas import Placed
from engine.models.attention import COLUMNS, FEW_ROWS, make_attention

LAYERS, HEADS, HEAD_DIM, ROOM = 2, 3, 16, 2 * COLUMNS + 7
"""The room is no multiple of the columns: the last ones are cut."""


def explicit(queries: Tensor, keys: Tensor, values: Tensor, visible: Tensor) -> Tensor:
    scores = torch.einsum("rhd,hcd->hrc", queries.double(), keys.double())
    weights = scores.masked_fill(~visible, float("-inf")).softmax(-1)
    return torch.einsum("hrc,hcd->rhd", weights, values.double()).flatten(1)


def filled(tokens: int, dtype: torch.dtype, generator: torch.Generator) -> CleanTokenCache:
    cpu = torch.device("cpu")
    cache = CleanTokenCache(layers=LAYERS, heads=HEADS, head_dim=HEAD_DIM, room=ROOM, dtype=dtype, device=cpu)
    cache.keys.copy_(torch.randn(LAYERS, HEADS, ROOM, HEAD_DIM, generator=generator))
    cache.values.copy_(torch.randn(LAYERS, HEADS, ROOM, HEAD_DIM, generator=generator))
    cache.append([Placed(0, position) for position in range(tokens)])
    return cache


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [1, 2, FEW_ROWS, FEW_ROWS + 1, 40])
@pytest.mark.parametrize("cached", [0, 30, COLUMNS, 2 * COLUMNS - 40])
def test_a_row_sees_the_cache_and_what_is_not_hidden_from_it(dtype: torch.dtype, rows: int, cached: int) -> None:
    generator = torch.Generator().manual_seed(rows)
    queries = (torch.randn(rows, HEADS, HEAD_DIM, generator=generator) / 4).to(dtype)
    cache = filled(cached, dtype, generator)
    hidden_from = torch.rand(rows, rows, generator=generator) > 0.5
    hidden_from.fill_diagonal_(False)
    length = cached + rows
    visible = torch.cat((torch.ones(rows, cached, dtype=torch.bool), ~hidden_from), dim=1)
    attention = make_attention(queries, cache, hidden_from, dtype)
    for layer in range(LAYERS):
        for first in (0, rows // 2):
            result = attention(layer, first)
            keys, values = cache.keys[layer, :, :length], cache.values[layer, :, :length]
            expected = explicit(queries[first:], keys, values, visible[first:])
            assert result.dtype is dtype
            assert (result.double() - expected).abs().max() <= (1e-5 if dtype is torch.float32 else 0.03)


def test_what_lies_behind_the_rows_in_the_cache_changes_nothing() -> None:
    cache = filled(12, torch.bfloat16, torch.Generator())
    attention = make_attention(
        torch.ones(8, HEADS, HEAD_DIM).bfloat16(), cache, torch.zeros(8, 8, dtype=torch.bool), torch.float32
    )
    one = attention(0, 0).clone()
    cache.keys[:, :, 20:], cache.values[:, :, 20:] = 9.0, -9.0
    assert torch.equal(one, attention(0, 0))


@pytest.mark.parametrize("rows", [2, FEW_ROWS + 1])
def test_every_call_attends_with_the_queries_of_that_moment(rows: int) -> None:
    generator = torch.Generator().manual_seed(0)
    queries = torch.zeros(rows, HEADS, HEAD_DIM).bfloat16()
    cache = filled(30, torch.bfloat16, generator)
    attention = make_attention(queries, cache, torch.zeros(rows, rows, dtype=torch.bool), torch.float32)
    even = attention(0, 0).clone()
    assert torch.allclose(even[0], cache.values[0, :, : 30 + rows].float().mean(dim=1).flatten(), atol=0.02)
    queries.copy_(torch.randn(rows, HEADS, HEAD_DIM, generator=generator))
    assert not torch.allclose(attention(0, 0), even, atol=0.02)
