from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch.nn import functional

from engine.models.esolm_network import EsoLMNetwork, EsoLMShape
from engine.training.attention import Sight, attend, attend_plainly, sight_of
from engine.training.cpu_attention import padded
from engine.training.extent import Extent
from engine.training.forward import hidden_rows
from engine.training.objective import Batch

Attend = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, Sight], torch.Tensor]
EXTENTS = (Extent(0, 20, 9), Extent(29, 7, 3), Extent(39, 12, 1))
ROWS, VOCAB = 52, 300


def random_batch() -> tuple[Batch, torch.Tensor]:
    """A batch in which every row is read, and who sees whom as one table."""
    torch.manual_seed(0)
    visible = torch.zeros(ROWS, dtype=torch.long)
    table = torch.zeros(1, 1, ROWS, ROWS, dtype=torch.bool)
    for extent in EXTENTS:
        clean = torch.arange(ROWS)[extent.clean_rows]
        for row in clean.tolist():
            table[0, 0, row, extent.first : row + 1] = True
        for row in torch.arange(ROWS)[extent.copy_rows].tolist():
            visible[row] = torch.randint(0, extent.clean + 1, ())
            table[0, 0, row, extent.first : extent.first + int(visible[row])] = True
            table[0, 0, row, row] = True
    rows = torch.arange(ROWS)
    ids, positions = torch.randint(0, VOCAB, (ROWS,)), torch.randint(0, 500, (ROWS,))
    return Batch(ids, positions, visible, EXTENTS, rows, rows, rows.float(), rows), table


def compare(
    qkv: torch.Tensor, pull: torch.Tensor, sight: Sight, functions: Sequence[Attend], share: float = 1e-4
) -> None:
    """What two attentions give and their gradients, to a share of the largest."""
    found = []
    for function in functions:
        leaf = qkv.clone().requires_grad_()
        out = function(leaf[0], leaf[1], leaf[2], sight)
        (out * pull).sum().backward()
        assert leaf.grad is not None
        found.append((out.detach(), *leaf.grad))
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, rtol=0, atol=share * float(other.abs().max()))


def test_the_training_pass_and_its_gradients_equal_the_plain_network() -> None:
    batch, table = random_batch()
    network = EsoLMNetwork(EsoLMShape(VOCAB, 64, 3, 2, 1024))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    pull = torch.randn(len(batch.rows), VOCAB)
    plain = network(batch.ids[None], batch.positions[None], table).reshape(-1, VOCAB)
    (plain * pull).sum().backward()
    wanted = {name: parameter.grad for name, parameter in network.named_parameters()}
    network.zero_grad()
    fast = network.output_layer.linear(hidden_rows(network, batch))
    (fast * pull).sum().backward()
    assert torch.allclose(plain, fast, atol=1e-4)
    for name, parameter in network.named_parameters():
        expected = wanted[name]
        assert expected is not None
        assert parameter.grad is not None
        assert torch.allclose(parameter.grad, expected, atol=1e-4 * float(expected.abs().max()), rtol=1e-3), name


def test_the_backward_pass_written_out_equals_autograd() -> None:
    batch, _ = random_batch()
    sight = sight_of(
        batch.positions, batch.visible, EXTENTS, heads=2, head_dim=8, theta=10_000.0, dtype=torch.float32
    )  # fmt: skip
    compare(torch.randn(3, ROWS, 16), torch.randn(ROWS, 16), sight, (attend, attend_plainly))


def test_scores_beyond_the_range_of_exp_give_the_same_attention_and_gradients() -> None:
    batch, _ = random_batch()
    sight = sight_of(
        batch.positions, batch.visible, EXTENTS, heads=2, head_dim=8, theta=10_000.0, dtype=torch.float32
    )  # fmt: skip
    for size in (5.0, -5.0):
        qkv = torch.randn(3, ROWS, 16)
        qkv[0] += size * qkv[1]
        qkv[1] *= 10
        assert float((qkv[0] * qkv[1]).view(ROWS, 2, 8).sum(-1).abs().max()) * sight.scale > 200
        compare(qkv, torch.randn(ROWS, 16), sight, (attend, attend_plainly), share=1e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("size", [1.0, 20.0])
def test_rows_behind_the_last_sequence_change_nothing_and_get_no_gradient(size: float, dtype: torch.dtype) -> None:
    """However large their scores are: 20 means own scores beyond the range of exp."""
    batch, _ = random_batch()
    more = 12
    positions = functional.pad(batch.positions, (0, more))
    sight, longer = (
        sight_of(places, batch.visible, EXTENTS, heads=2, head_dim=8, theta=10_000.0, dtype=dtype)
        for places in (batch.positions, positions)
    )
    qkv, pull = torch.randn(3, ROWS + more, 16), torch.randn(ROWS, 16).to(dtype)
    qkv[:2, ROWS:] = size
    leaf = qkv.to(dtype).requires_grad_()
    out = attend(leaf[0], leaf[1], leaf[2], longer)
    assert torch.isfinite(out).all()
    (out[:ROWS] * pull).sum().backward()
    short = leaf.detach()[:, :ROWS].clone().requires_grad_()
    plain = attend(short[0], short[1], short[2], sight)
    (plain * pull).sum().backward()
    assert torch.equal(out[:ROWS], plain)
    assert leaf.grad is not None
    assert short.grad is not None
    assert torch.equal(leaf.grad[:, :ROWS], short.grad)
    assert not leaf.grad[:, ROWS:].any()


@pytest.mark.parametrize("size", [0.3, 3.0])
def test_in_bfloat16_attention_and_its_gradients_stay_close(size: float) -> None:
    batch, _ = random_batch()
    qkv, pull = torch.randn(3, ROWS, 16).bfloat16().float(), torch.randn(ROWS, 16).bfloat16().float()
    qkv[0] += size * qkv[1]
    qkv = qkv.bfloat16().float()
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        sight = sight_of(batch.positions, batch.visible, EXTENTS, heads=2, head_dim=8, theta=10_000.0, dtype=dtype)
        leaf = qkv.to(dtype).clone().requires_grad_()
        out = attend(leaf[0], leaf[1], leaf[2], sight)
        (1e-8 * (out * pull.to(dtype)).sum()).backward()  # as small as in a step of many targets
        assert leaf.grad is not None
        found.append((out.detach().float(), *leaf.grad.float()))
    for exact, rough in zip(*found, strict=True):
        assert float((exact - rough).norm() / exact.norm()) < 0.06


def test_sequences_without_mask_copies_attend_too() -> None:
    batch, _ = random_batch()
    extents = (Extent(0, 20, 0), Extent(20, 25, 7))
    sight = sight_of(batch.positions, batch.visible, extents, heads=2, head_dim=8, theta=1e4, dtype=torch.float32)
    compare(torch.randn(3, ROWS, 16), torch.randn(ROWS, 16), sight, (attend, attend_plainly))


def test_blocks_have_few_sizes_and_room_for_every_row() -> None:
    sizes = [padded(count) for count in range(3000)]
    assert all(count <= size for count, size in enumerate(sizes))
    assert all(size - count < max(32, count / 3) for count, size in enumerate(sizes))
    assert len(set(sizes)) < 30
