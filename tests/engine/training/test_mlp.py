from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from engine.training.mlp import mlp


def material(dtype: torch.dtype) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = ((21, 16), (64, 16), (64,), (16, 64), (16,))
    return [torch.randn(shape, generator=generator).to(dtype) for shape in shapes]


def plainly(x: Tensor, up: Tensor, up_bias: Tensor, down: Tensor, down_bias: Tensor) -> Tensor:
    return functional.linear(functional.gelu(functional.linear(x, up, up_bias), approximate="tanh"), down, down_bias)


@pytest.mark.parametrize(("dtype", "off"), [(torch.float32, 1e-5), (torch.bfloat16, 0.02)])
def test_in_parts_it_has_the_output_and_gradients_of_the_plain_one(dtype: torch.dtype, off: float) -> None:
    found = []
    for function, kind in ((plainly, torch.float32), (mlp, dtype)):
        leaves = [part.to(kind).requires_grad_() for part in material(torch.bfloat16)]
        out = function(*leaves)
        out.float().square().sum().backward()
        found.append([out.detach(), *(leaf.grad for leaf in leaves)])
    for wanted, got in zip(*found, strict=True):
        assert wanted is not None
        assert got is not None
        assert got.dtype == dtype
        assert (got.float() - wanted).norm() <= off * wanted.norm()


def test_the_two_forms_of_gelu_differ_by_less_than_bfloat16_can_tell() -> None:
    x = torch.linspace(-6, 6, 20_001)
    exact, tanh = functional.gelu(x), functional.gelu(x, approximate="tanh")
    assert float((exact - tanh).abs().max()) < 5e-4
    rounding = exact.abs() * 2**-8
    near_one = x > 0.2
    assert torch.all((exact - tanh).abs()[near_one] < rounding[near_one])
