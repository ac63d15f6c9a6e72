from __future__ import annotations

import torch
from torch.nn import functional

from engine.training import head
from engine.training.head import cross_entropies, weighted_loss


def material(rows: int = 37, width: int = 16, vocab: int = 50) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(rows, width, generator=generator)
    weight, bias = torch.randn(vocab, width, generator=generator), torch.randn(vocab, generator=generator)
    return x, weight, bias, torch.randint(0, vocab, (rows,), generator=generator), torch.rand(rows, generator=generator)


def test_loss_and_gradients_equal_the_plain_ones(monkeypatch) -> None:
    monkeypatch.setattr(head, "_SLICE_ON_CPU", 10)
    x, weight, bias, targets, weights = material()
    leaves = [part.clone().requires_grad_() for part in (x, weight, bias)]
    plain = (functional.cross_entropy(functional.linear(*leaves), targets, reduction="none") * weights).sum()
    (plain * 0.5).backward()
    sliced = [part.clone().requires_grad_() for part in (x, weight, bias)]
    loss, each = weighted_loss(sliced[0], sliced[1], sliced[2], targets, weights)
    (loss * 0.5).backward()
    assert torch.allclose(loss, plain, rtol=1e-5)
    assert torch.allclose((each * weights).sum(), plain, rtol=1e-5)
    for one, other in zip(sliced, leaves, strict=True):
        assert one.grad is not None
        assert other.grad is not None
        assert torch.allclose(one.grad, other.grad, atol=1e-5)


def test_in_bfloat16_the_loss_stays_close() -> None:
    x, weight, bias, targets, weights = material()
    exact, _ = weighted_loss(x, weight, bias, targets, weights)
    rough, _ = weighted_loss(x.bfloat16(), weight.bfloat16(), bias.bfloat16(), targets, weights)
    assert torch.allclose(exact, rough, rtol=0.02)


def test_gradients_in_bfloat16_stay_close() -> None:
    material_ = material(rows=200, width=64, vocab=500)
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        leaves = [part.to(dtype).clone().requires_grad_() for part in (material_[0] / 4, *material_[1:3])]
        loss, _ = weighted_loss(leaves[0], leaves[1], leaves[2], material_[3], material_[4])
        (loss / 1e6).backward()
        found.append([leaf.grad for leaf in leaves])
    for exact, rough in zip(*found, strict=True):
        assert exact is not None
        assert rough is not None
        assert float((exact - rough.float()).norm() / exact.norm()) < 0.02


def test_cross_entropies_without_rows_are_none() -> None:
    x, weight, bias, targets, _ = material()
    assert cross_entropies(x[:0], weight, bias, targets[:0]).shape == (0,)
    expected = functional.cross_entropy(functional.linear(x, weight, bias), targets, reduction="none")
    assert torch.allclose(cross_entropies(x, weight, bias, targets), expected, atol=1e-5)


def test_logits_of_any_size_give_finite_losses_and_gradients() -> None:
    x, weight, bias, targets, weights = material()
    leaf = (x * 200).requires_grad_()
    loss, each = weighted_loss(leaf, weight, bias, targets, weights)
    loss.backward()
    plain = functional.cross_entropy(functional.linear(x * 200, weight, bias), targets, reduction="none")
    likely = plain < 60
    assert torch.allclose(each[likely], plain[likely], rtol=1e-3, atol=1e-3)
    assert leaf.grad is not None
    assert torch.isfinite(leaf.grad).all()


def test_a_row_filled_up_batch_equals_one_of_another_size(monkeypatch) -> None:
    x, weight, bias, targets, weights = material()
    found = []
    for size in (1, 64):
        monkeypatch.setattr(head, "_FILL", size)
        leaf = x.clone().requires_grad_()
        loss, each = weighted_loss(leaf, weight, bias, targets, weights)
        loss.backward()
        assert each.shape == targets.shape
        found.append((loss.detach(), each, leaf.grad))
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, rtol=1e-5)


def test_a_bias_far_from_zero_is_no_trouble() -> None:
    x, weight, bias, targets, weights = material()
    _, each = weighted_loss(x, weight, bias + 500, targets, weights)
    plain = functional.cross_entropy(functional.linear(x, weight, bias), targets, reduction="none")
    assert torch.allclose(each, plain, rtol=1e-4)
