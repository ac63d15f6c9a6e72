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
_FILL = 256
_LEAST = 1e-20
"""A total below it may have lost likely words to underflow."""
_FARTHEST = 80.0


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
    """Computes the gradients in the forward pass, slice by slice; backward only scales them.

    p(j) = exp(h . w_j) boost_j / total with boost = exp(bias - its largest): on a CPU nothing but exp passes over the
    logits, which are not shifted by the bias, and by their maximum only where that is needed. The boosts are a column
    beside the weights, so that the product that makes the rows' gradient gives the totals too; the rows' factors are
    one beside the rows, for the bias's gradient.
    """

    @staticmethod
    def forward(
        ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        (count, width), vocab, dtype = rows.shape, len(weight), rows.dtype
        hidden, chosen, pulls = _filled_up(rows, targets, weights)
        boost = (bias.float() - bias.float().max()).exp()
        beside = weight.new_zeros(vocab, _columns(width))
        beside[:, :width], beside[:, width] = weight * boost[:, None], boost
        each = torch.empty(len(hidden), dtype=torch.float32, device=rows.device)
        row_gradient = torch.empty_like(hidden)
        gradient = torch.zeros(beside.shape, dtype=torch.float32, device=rows.device)
        for part in _slices(hidden):
            parts, sums = _parts(hidden[part], weight, beside)
            total, pull = sums[:, width].float(), pulls[part]
            picked = parts.gather(1, chosen[part, None]).squeeze(1).float() * boost[chosen[part]] / total
            each[part] = -picked.clamp_min(1e-30).log()
            factor = (pull / total).to(dtype)[:, None]
            row_gradient[part] = sums[:, :width] * factor - weight[chosen[part]] * pull.to(dtype)[:, None]
            scaled = hidden.new_zeros(len(factor), _columns(width))
            scaled[:, :width], scaled[:, width] = hidden[part] * factor, factor[:, 0]
            gradient += parts.t() @ scaled
        gradient *= boost[:, None]
        weight_gradient, bias_gradient = gradient[:, :width].contiguous(), gradient[:, width].contiguous()
        weight_gradient.index_add_(0, chosen, (hidden * -pulls.to(dtype)[:, None]).float())
        bias_gradient.index_add_(0, chosen, -pulls)
        ctx.save_for_backward(row_gradient[:count], weight_gradient, bias_gradient)
        ctx.dtypes = (weight.dtype, bias.dtype)
        each = each[:count]
        ctx.mark_non_differentiable(each)
        return (weights * each).sum(), each

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Any) -> tuple[Tensor, Tensor, Tensor, None, None]:
        rows, weight, bias = ctx.saved_tensors
        weight_dtype, bias_dtype = ctx.dtypes
        scaled = gradient.to(rows.dtype)
        return rows * scaled, (weight * gradient).to(weight_dtype), (bias * gradient).to(bias_dtype), None, None


def _columns(width: int) -> int:
    """Of a matrix with a column beside it: products like multiples of 32."""
    return width + 32


def _filled_up(rows: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same with rows of zeros up to a multiple of `_FILL`, of weight 0: each new size of a product costs time."""
    extra = -len(rows) % _FILL
    pad = functional.pad
    return pad(rows, (0, 0, 0, extra)), pad(targets, (0, extra)), pad(weights, (0, extra))


def _parts(hidden: Tensor, weight: Tensor, beside: Tensor) -> tuple[Tensor, Tensor]:
    """Exp of the logits without bias, each row perhaps times a factor of its own, and their product with `beside`.

    On a CPU exp is taken of the logits as they are; where one of them is beyond its range, and on a GPU, where asking
    would wait for it, of their distance to the row's largest with its bias.
    """
    parts = hidden @ weight.t()
    if parts.device.type == "cpu":
        sums = parts.exp_() @ beside
        if bool(torch.isfinite(sums).all()) and bool((sums[:, weight.shape[1]] > _LEAST).all()):
            return parts, sums
        torch.mm(hidden, weight.t(), out=parts)
    largest = (parts + beside[:, weight.shape[1]].log()).amax(-1, keepdim=True)
    parts.sub_(largest).clamp_(max=_FARTHEST).exp_()  # beyond, its bias makes a word impossible
    return parts, parts @ beside
