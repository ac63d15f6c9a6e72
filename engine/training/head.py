"""Cross-entropy straight from hidden rows, in slices, so that the logits of a batch never exist at once.

Logits over 16k ids are most of the memory traffic of a small model: a slice of 1,024 rows stays in the processor's
cache, and its gradient is computed while it is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

_SLICE_ON_CPU, _SLICE_ON_GPU = 1024, 16_384


def cross_entropies(rows: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    """-ln p(target) of each row, float32 (rows,), without gradients. Shapes as in `weighted_loss`."""
    parts = []
    with torch.no_grad():
        for part in _slices(rows):
            logits = functional.linear(rows[part], weight, bias).float()
            parts.append(functional.cross_entropy(logits, targets[part], reduction="none"))
    return torch.cat(parts) if parts else rows.new_zeros(0, dtype=torch.float32)


def weighted_loss(
    rows: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """sum(weights * -ln p(targets)), float32, and -ln p(target) of each row, float32, without gradient.

    Args:
        rows: (rows, width). weight: (vocab, width). bias: (vocab,). targets: (rows,) long. weights: (rows,) float32.
    """
    loss, each = _SlicedLoss.apply(rows, weight, bias, targets, weights)  # type: ignore[no-untyped-call]
    return loss, each


def _slices(rows: Tensor) -> Iterator[slice]:
    size = _SLICE_ON_CPU if rows.device.type == "cpu" else _SLICE_ON_GPU
    for start in range(0, len(rows), size):
        yield slice(start, start + size)


class _SlicedLoss(torch.autograd.Function):
    """Computes the gradients in the forward pass, slice by slice; backward only scales them."""

    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        each = torch.empty(len(rows), dtype=torch.float32, device=rows.device)
        row_gradient = torch.empty_like(rows)
        weight_gradient = torch.zeros(weight.shape, dtype=torch.float32, device=weight.device)
        bias_gradient = torch.zeros(bias.shape, dtype=torch.float32, device=bias.device)
        for part in _slices(rows):
            hidden, chosen, pull = rows[part], targets[part], weights[part]
            logits = functional.linear(hidden, weight, bias)
            # p = parts / total. Only products see the parts, so one factor for each row does in the place of p.
            parts = logits.sub_(logits.amax(-1, keepdim=True)).exp_()
            total = _sums(parts)
            picked = parts.gather(1, chosen[:, None]).squeeze(1).float() / total
            each[part] = -picked.clamp_min(1e-30).log()
            factor = (pull / total).to(rows.dtype)[:, None]
            pulled = pull.to(rows.dtype)[:, None]
            row_gradient[part] = (parts @ weight) * factor - weight[chosen] * pulled
            weight_gradient += parts.t() @ (hidden * factor)
            weight_gradient.index_add_(0, chosen, (hidden * -pulled).float())
            bias_gradient += (parts.t() @ factor).squeeze(1)
            bias_gradient.index_add_(0, chosen, -pull)
        ctx.save_for_backward(row_gradient, weight_gradient, bias_gradient)
        ctx.dtypes = (weight.dtype, bias.dtype)
        ctx.mark_non_differentiable(each)
        return (weights * each).sum(), each

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Any) -> tuple[Tensor, Tensor, Tensor, None, None]:
        rows, weight, bias = ctx.saved_tensors
        weight_dtype, bias_dtype = ctx.dtypes
        scaled = gradient.to(rows.dtype)
        return rows * scaled, (weight * gradient).to(weight_dtype), (bias * gradient).to(bias_dtype), None, None


def _sums(parts: Tensor) -> Tensor:
    """Sum of each row, float32 (rows,). In bfloat16 by way of short sums, whose rounding evens out: torch's own float32
    sum of bfloat16 takes five times as long."""
    if parts.dtype == torch.float32 or parts.shape[1] % 64:
        return parts.sum(-1, dtype=torch.float32)
    return parts.view(len(parts), 64, -1).sum(-1).sum(-1, dtype=torch.float32)
