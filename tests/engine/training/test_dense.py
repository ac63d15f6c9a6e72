from __future__ import annotations

import torch

from engine.models.esolm_network import EsoLMNetwork, EsoLMShape
from engine.training.attention import attend, sight_of
from engine.training.bpe import special_tokens
from engine.training.dense import DenseAttention, visibility
from engine.training.extent import Extent
from engine.training.objective import Row, collate


def matrix(extent: Extent, visible: list[int]) -> list[str]:
    sees = visibility(extent, torch.tensor(visible, dtype=torch.long))
    return ["".join("x" if seen else "." for seen in row) for row in sees.tolist()]


def test_any_order_rows_see_their_prefix_and_copies_themselves() -> None:
    assert matrix(Extent(0, 3, 2), [1, 2]) == ["x....", "xx...", "xxx..", "x..x.", "xx..x"]


def test_joint_rows_see_one_another() -> None:
    assert matrix(Extent(5, 3, 1, joint=2), [3]) == ["xx..", "xx..", "xxx.", "xxxx"]


def test_copies_in_line_see_the_copies_before_them() -> None:
    assert matrix(Extent(0, 2, 2, in_line=True), [2, 2]) == ["x...", "xx..", "xxx.", "xxxx"]


def test_without_joint_rows_it_is_the_attention_by_extents() -> None:
    special = special_tokens(300)
    rows = [Row([5, 6, 7, 8], [3, 0, 2, 1], [5, 6, 7, 8], [1, 3], [], 1), Row([9, 4], [0, 1], [9, 4], [0, 1], [], 0)]
    batch = collate(rows, special)
    network = EsoLMNetwork(EsoLMShape(300, 16, 1, 2, 32))
    qkv = torch.randn(len(batch.ids), 48, generator=torch.Generator().manual_seed(0))
    sight = sight_of(
        batch.positions, batch.visible, batch.extents, heads=2, head_dim=8, theta=10_000.0, dtype=torch.float32
    )
    dense = DenseAttention(network.shape, batch, torch.float32)
    q, k, v = qkv.chunk(3, dim=1)
    assert torch.allclose(dense(qkv), attend(q, k, v, sight), atol=1e-5)
