from __future__ import annotations

import torch

from engine.models.esolm_network import EsoLMNetwork, EsoLMShape
from engine.training.attention import Extent, attend, attend_plainly, sight_of
from engine.training.forward import hidden_rows
from engine.training.objective import Batch

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
    qkv = torch.randn(3, ROWS, 16)
    pull = torch.randn(ROWS, 16)
    found = []
    for function in (attend, attend_plainly):
        leaf = qkv.clone().requires_grad_()
        out = function(leaf[0], leaf[1], leaf[2], sight)
        (out * pull).sum().backward()
        assert leaf.grad is not None
        found.append((out.detach(), leaf.grad))
    assert torch.allclose(found[0][0], found[1][0], atol=1e-5)
    assert torch.allclose(found[0][1], found[1][1], atol=1e-4)
