"""Linear layers for a few rows: prepacked for oneDNN where that is faster, plain otherwise."""

from __future__ import annotations

import warnings
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
    """Weights in 8 bits with a scale per output channel, rows in 8 bits with one scale a call. The result is in
    float32: so is then what lies between two layers, and no time goes into converting it."""
    scales = weight.abs().amax(dim=1).clamp_min(1e-12) / 127
    whole = (weight / scales[:, None]).round_().clamp_(-127, 127).to(torch.int8)
    bias = torch.zeros(len(scales)) if bias is None else bias.float()
    many = _int8_of_many_rows(whole, scales, bias, gelu=gelu)
    if not _multiplies_few_rows():
        return many
    few = _int8_of_few_rows(whole, scales, bias, gelu=gelu)
    most = few_rows(whole.numel())

    def run(x: Tensor) -> Tensor:
        return few(x) if x.shape[0] <= most else many(x)

    return run


def few_rows(weights: int) -> int:
    """Up to how many rows FBGEMM multiplies by so many weights in less time than oneDNN. It takes 40 µs less to set a
    product up and 9 µs more a row and million weights (measured with AMX), so it is right in a small layer for longer.
    Both are then held in memory."""
    return min(PACKED_FOR_ROWS, 2 + 4_500_000 // weights)


def _int8_of_many_rows(whole: Tensor, scales: Tensor, bias: Tensor, *, gelu: bool) -> Linear:
    """By oneDNN, which sets each product up anew: 30 to 50 µs."""
    # WORKAROUND: the operators that torch's own export quantization emits; the quantized modules are to be removed.
    # Rows are unsigned: for signed ones oneDNN has no fast product without AMX and takes hundreds of times as long.
    packed = torch.ops.onednn.qlinear_prepack(whole, [PACKED_FOR_ROWS, whole.shape[1]])
    zeros = torch.zeros(len(scales), dtype=torch.int64)
    zero = torch.tensor(ZERO + 0.5)
    operator = torch.ops.onednn.qlinear_pointwise.default
    activation, algorithm = ("gelu", "tanh") if gelu else ("none", "")
    scalars: list[float] = []

    def run(x: Tensor) -> Tensor:
        x = x.float()
        least, most = torch.aminmax(x)
        scale = max(most.item(), -least.item(), 1e-12) / 127
        rows = torch.add(zero, x, alpha=1 / scale).byte()
        result: Tensor = operator(
            rows, scale, ZERO, packed, scales, zeros, bias, 1.0, 0, torch.float32, activation, scalars, algorithm
        )
        return result

    return run


def _multiplies_few_rows() -> bool:
    """Whether torch has FBGEMM, and FBGEMM the processor's own 8-bit products: its others sum up in 16 bits."""
    is_there = hasattr(torch, "_make_per_channel_quantized_tensor") and hasattr(torch.ops.quantized, "linear_dynamic")
    return is_there and torch.backends.quantized.engine in ("fbgemm", "x86") and _has_vnni()


def _has_vnni() -> bool:
    return hasattr(torch.cpu, "get_capabilities") and bool(torch.cpu.get_capabilities().get("avx512_vnni", False))


def _int8_of_few_rows(whole: Tensor, scales: Tensor, bias: Tensor, *, gelu: bool) -> Linear:
    """By FBGEMM, which finds the rows' scale itself: one operator instead of six."""
    # WORKAROUND https://github.com/pytorch/pytorch/issues/184982: torch means to remove quantized tensors, and warns of
    # it. Where they are gone, `_multiplies_few_rows` says so.
    zeros = torch.zeros(len(scales), dtype=torch.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        quantized = torch._make_per_channel_quantized_tensor(whole, scales.double(), zeros, 0)
    packed = torch.ops.quantized.linear_prepack(quantized, bias)
    operator = torch.ops.quantized.linear_dynamic.default

    def run(x: Tensor) -> Tensor:
        result: Tensor = operator(x.float(), packed)
        return functional.gelu(result, approximate="tanh") if gelu else result

    return run


def _plain(weight: Tensor, bias: Tensor | None, *, gelu: bool) -> Linear:
    def run(x: Tensor) -> Tensor:
        result = functional.linear(x, weight, bias)
        return functional.gelu(result, approximate="tanh") if gelu else result

    return run
