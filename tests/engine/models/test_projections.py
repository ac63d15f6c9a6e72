"""A step's projections are turned by position and kept behind the clean tokens, layer by layer."""

from __future__ import annotations

import pytest
import torch

from engine.cache import CleanTokenCache
from engine.canvas import Placed
from engine.models.esolm_network import EsoLMShape, apply_rotary, rotary_tables
from engine.models.folding import signed_rotary_tables
from engine.models.projections import Projections

HEADS, HEAD_DIM = 2, 8
SHAPE = EsoLMShape(vocab_size=10, hidden_size=HEADS * HEAD_DIM, layers=2, heads=HEADS, context_length=64)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_each_layer_turns_queries_and_keys_and_leaves_values_as_they_are(dtype: torch.dtype) -> None:
    cpu = torch.device("cpu")
    cache = CleanTokenCache(layers=2, heads=HEADS, head_dim=HEAD_DIM, room=16, dtype=dtype, device=cpu)
    cache.append([Placed(1, 0), Placed(2, 1), Placed(3, 2)])
    positions = torch.tensor([7, 30])
    cos, sin = signed_rotary_tables(64, SHAPE, cpu)
    projections = Projections(cache, cos[positions], sin[positions])
    tables = [table[:, None] for table in rotary_tables(positions, HEAD_DIM, SHAPE.rope_theta)]
    for layer in (0, 1):
        given = torch.randn(2, 3, HEADS, HEAD_DIM, generator=torch.Generator().manual_seed(layer)).to(dtype)
        projections.take(layer, given.flatten(1))
        queries, keys = (apply_rotary(part.float(), *tables).to(dtype) for part in (given[:, 0], given[:, 1]))
        torch.testing.assert_close(projections.queries, queries)
        torch.testing.assert_close(cache.keys[layer, :, 3:5].transpose(0, 1), keys)
        assert torch.equal(cache.values[layer, :, 3:5].transpose(0, 1), given[:, 2])
    assert not cache.keys[:, :, :3].any()
    assert not cache.values[:, :, 5:].any()
