"""The MLP of a block as a CPU trains it fast: in parts as wide as the network, with the backward pass written out.

A gradient of a weight is a product with a transposed matrix of all rows. For one of four times the network's width it
takes five times as long as the forward product, for four of the network's width not twice as long
(docs/training-log.md).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


def mlp(x: Tensor, up: Tensor, up_bias: Tensor, down: Tensor, down_bias: Tensor) -> Tensor:
    """gelu(x @ up.T + up_bias) @ down.T + down_bias.

    In bfloat16 on a CPU, GELU is the exact one and not its tanh form: it takes a quarter of the time there, and the two
    differ by less than 0.0005.

    Args:
        x: (rows, width). up: (inner, width). up_bias: (inner,). down: (width, inner). down_bias: (width,).
    """
    if x.device.type == "cpu":
        out: Tensor = _MLP.apply(x, up, up_bias, down, down_bias)  # type: ignore[no-untyped-call]
        return out
    return functional.linear(functional.gelu(functional.linear(x, up, up_bias), approximate="tanh"), down, down_bias)


def _form(x: Tensor) -> str:
    return "none" if x.dtype == torch.bfloat16 else "tanh"


class _MLP(torch.autograd.Function):
    """For each part: 1. up, 2. GELU, 3. down, added up. Backward goes the same way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, up: Tensor, up_bias: Tensor, down: Tensor, down_bias: Tensor) -> Tensor:
        width, form = x.shape[1], _form(x)
        out = down_bias.repeat(len(x), 1)
        saved: list[Tensor] = [x]
        parts = zip(torch.split(up, width), torch.split(up_bias, width), torch.split(down, width, 1), strict=True)
        for up_part, bias_part, down_part in parts:
            before = functional.linear(x, up_part, bias_part)
            after = functional.gelu(before, approximate=form)
            out.addmm_(after, down_part.t())
            saved += (up_part, down_part, before, after)
        ctx.save_for_backward(*saved)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        x, *saved = ctx.saved_tensors
        form = _form(x)
        back = torch.zeros_like(x)
        ups: list[Tensor] = []
        biases: list[Tensor] = []
        downs: list[Tensor] = []
        for first in range(0, len(saved), 4):
            up_part, down_part, before, after = saved[first : first + 4]
            downs.append(gradient.t() @ after)
            slope = torch.ops.aten.gelu_backward(gradient @ down_part, before, approximate=form)
            ups.append(slope.t() @ x)
            biases.append(slope.sum(0))
            back.addmm_(slope, up_part)
        return back, torch.cat(ups), torch.cat(biases), torch.cat(downs, dim=1), gradient.sum(0)
