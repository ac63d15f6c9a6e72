"""Linear layers for a few rows: prepacked for oneDNN where that is faster, plain otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from engine.device import Placement, computes_bfloat16

Linear: TypeAlias = Callable[[Tensor], Tensor]
"""(rows, in) -> (rows, out), bias and activation included."""

PACKED_FOR_ROWS = 16

ZERO = 128
"""The 8-bit number that stands for zero in a row. Always the same: oneDNN sets a product up anew for another one."""


def make_linear(weight: Tensor, bias: Tensor | None, placement: Placement, *, gelu: bool = False) -> Linear:
    """A frozen layer of `weight` (out, in) and `bias` (out) at the placement's dtype, with GELU(tanh) behind it if
    asked. bfloat16 on a CPU is prepacked once: a step of 8 rows then takes half the time of `F.linear`."""
    if placement.int8:
        return _int8(weight.float(), bias, gelu=gelu)
    weight = weight.to(placement.device, placement.dtype).contiguous()
    bias = None if bias is None else bias.to(placement.device, placement.dtype)
    packed = placement.device.type == "cpu" and placement.dtype is torch.bfloat16
    if packed and torch._C._has_mkldnn and computes_bfloat16(placement.device) and _packs_bfloat16():
        return _packed(weight, bias, gelu=gelu)
    return _plain(weight, bias, gelu=gelu)


def _packs_bfloat16() -> bool:
    """Whether oneDNN does, which may be told to use less than the processor has (ONEDNN_MAX_CPU_ISA)."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _packed(weight: Tensor, bias: Tensor | None, *, gelu: bool) -> Linear:
    # WORKAROUND https://github.com/pytorch/pytorch: these are the operators torch.compile's freezing emits; there is no
    # public name for a prepacked linear layer. tests/engine/models/test_linear.py holds them to the plain result.
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, PACKED_FOR_ROWS)
    operator = torch.ops.mkldnn._linear_pointwise.default
    activation, algorithm = ("gelu", "tanh") if gelu else ("none", "")
    scalars: list[float] = []

    def run(x: Tensor) -> Tensor:
        result: Tensor = operator(x, packed, bias, activation, scalars, algorithm)
        return result

    return run


def _int8(weight: Tensor, bias: Tensor | None, *, gelu: bool) -> Linear:
    """Weights in 8 bits with a scale per output channel, rows in 8 bits with one scale a call (dynamic, symmetric). The
    result is in float32: so is then what lies between two layers, and no time goes into converting it."""
    # WORKAROUND: the operators that torch's own export quantization emits; the quantized modules are to be removed.
    # Rows are unsigned: for signed ones oneDNN has no fast product without AMX and takes hundreds of times as long.
    scales = weight.abs().amax(dim=1).clamp_min(1e-12) / 127
    whole = (weight / scales[:, None]).round_().clamp_(-127, 127).to(torch.int8)
    packed = torch.ops.onednn.qlinear_prepack(whole, [PACKED_FOR_ROWS, weight.shape[1]])
    zeros = torch.zeros(len(scales), dtype=torch.int64)
    bias = torch.zeros(len(scales)) if bias is None else bias.float()
    operator = torch.ops.onednn.qlinear_pointwise.default
    activation, algorithm = ("gelu", "tanh") if gelu else ("none", "")
    scalars: list[float] = []

    def run(x: Tensor) -> Tensor:
        x = x.float()
        least, most = torch.aminmax(x)
        scale = max(float(most), -float(least), 1e-12) / 127
        rows = torch.add(ZERO + 0.5, x, alpha=1 / scale).to(torch.uint8)
        result: Tensor = operator(
            rows, scale, ZERO, packed, scales, zeros, bias, 1.0, 0, torch.float32, activation, scalars, algorithm
        )
        return result

    return run


def _plain(weight: Tensor, bias: Tensor | None, *, gelu: bool) -> Linear:
    def run(x: Tensor) -> Tensor:
        result = functional.linear(x, weight, bias)
        return functional.gelu(result, approximate="tanh") if gelu else result

    return run
