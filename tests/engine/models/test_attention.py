"""Attention over the cache equals attention with the mask written out, in both precisions, for few and many rows."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.models.attention import COLUMNS, FEW_ROWS, make_attention

HEADS, HEAD_DIM, ROOM = 3, 16, 2 * COLUMNS + 7
"""The room is no multiple of the columns: the last ones are cut."""


def explicit(queries: Tensor, keys: Tensor, values: Tensor, visible: Tensor) -> Tensor:
    scores = torch.einsum("rhd,hcd->hrc", queries.double(), keys.double())
    weights = scores.masked_fill(~visible, float("-inf")).softmax(-1)
    return torch.einsum("hrc,hcd->rhd", weights, values.double()).flatten(1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("rows", [1, 2, FEW_ROWS, FEW_ROWS + 1, 40])
@pytest.mark.parametrize("cached", [0, 30, COLUMNS, 2 * COLUMNS - 40])
def test_a_row_sees_the_cache_and_what_is_not_hidden_from_it(dtype: torch.dtype, rows: int, cached: int) -> None:
    generator = torch.Generator().manual_seed(rows)
    queries = (torch.randn(rows, HEADS, HEAD_DIM, generator=generator) / 4).to(dtype)
    keys = torch.randn(HEADS, ROOM, HEAD_DIM, generator=generator).to(dtype)
    values = torch.randn(HEADS, ROOM, HEAD_DIM, generator=generator).to(dtype)
    hidden_from = torch.rand(rows, rows, generator=generator) > 0.5
    hidden_from.fill_diagonal_(False)
    length = cached + rows
    visible = torch.cat((torch.ones(rows, cached, dtype=torch.bool), ~hidden_from), dim=1)
    attention = make_attention(length, hidden_from, dtype)
    for wanted in (slice(0, rows), slice(rows // 2, rows)):
        result = attention(queries[wanted], keys, values, wanted)
        expected = explicit(queries[wanted], keys[:, :length], values[:, :length], visible[wanted])
        assert result.dtype is dtype
        assert (result.double() - expected).abs().max() <= (1e-5 if dtype is torch.float32 else 0.03)


def test_what_lies_behind_the_rows_in_the_cache_changes_nothing() -> None:
    queries = torch.ones(8, HEADS, HEAD_DIM).bfloat16()
    keys, values = torch.ones(2, HEADS, ROOM, HEAD_DIM)
    attention = make_attention(20, torch.zeros(8, 8, dtype=torch.bool), torch.bfloat16)
    one = attention(queries, keys.bfloat16(), values.bfloat16(), slice(0, 8))
    keys[:, 20:], values[:, 20:] = 9.0, -9.0
    assert torch.equal(one, attention(queries, keys.bfloat16(), values.bfloat16(), slice(0, 8)))
