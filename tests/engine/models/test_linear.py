"""Prepacked linear layers give what plain ones give."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from torch.nn import functional

from engine.device import Placement, computes_int8
from engine.models.linear import PACKED_FOR_ROWS, _multiplies_few_rows, few_rows, make_linear


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize("rows", [1, 5, 33])
def test_a_frozen_layer_equals_the_plain_product(dtype: torch.dtype, gelu: bool, rows: int) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(48, 32, generator=generator) / 6
    bias = torch.randn(48, generator=generator)
    x = torch.randn(rows, 32, generator=generator)
    layer = make_linear(weight, bias, Placement(torch.device("cpu"), dtype, 1), gelu=gelu)
    expected = functional.linear(x, weight, bias)
    if gelu:
        expected = functional.gelu(expected, approximate="tanh")
    result = layer(x.to(dtype))
    assert result.dtype is dtype
    assert torch.allclose(result.float(), expected, atol=1e-5 if dtype is torch.float32 else 0.06)


def test_bfloat16_works_on_a_processor_that_does_not_compute_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.models.linear.computes_bfloat16", lambda _device: False)
    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", None)
    layer = make_linear(torch.eye(16), None, Placement(torch.device("cpu"), torch.bfloat16, 1))
    assert torch.equal(layer(torch.ones(2, 16, dtype=torch.bfloat16)).float(), torch.ones(2, 16))


def test_a_layer_without_bias_works_in_bfloat16() -> None:
    layer = make_linear(torch.eye(16), None, Placement(torch.device("cpu"), torch.bfloat16, 1))
    assert torch.equal(layer(torch.ones(2, 16, dtype=torch.bfloat16)).float(), torch.ones(2, 16))


@pytest.mark.skipif(not computes_int8(torch.device("cpu")), reason="the processor has neither VNNI nor AMX")
@pytest.mark.parametrize("gelu", [False, True])
@pytest.mark.parametrize("rows", [1, 5, PACKED_FOR_ROWS, PACKED_FOR_ROWS + 1])
@pytest.mark.parametrize("by_fbgemm", [True, False])
def test_an_int8_layer_is_within_two_percent(
    rows: int, gelu: bool, by_fbgemm: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not by_fbgemm:
        monkeypatch.setattr("engine.models.linear._multiplies_few_rows", lambda: False)
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(48, 64, generator=generator) / 8
    bias = torch.randn(48, generator=generator)
    x = torch.randn(rows, 64, generator=generator)
    layer = make_linear(weight, bias, Placement(torch.device("cpu"), torch.float32, 1, int8=True), gelu=gelu)
    expected = functional.linear(x, weight, bias)
    if gelu:
        expected = functional.gelu(expected, approximate="tanh")
    assert (layer(x).float() - expected).norm() / expected.norm() < 0.02
    assert torch.equal(layer(torch.zeros(1, 64)).float().isfinite(), torch.ones(1, 48, dtype=torch.bool))


@pytest.mark.skipif(not computes_int8(torch.device("cpu")), reason="the processor has neither VNNI nor AMX")
@pytest.mark.parametrize("rows", [1, 2, 9, 40])
def test_an_int8_layer_gives_as_many_rows_as_it_gets_in_float32(rows: int) -> None:
    layer = make_linear(torch.eye(64), None, Placement(torch.device("cpu"), torch.bfloat16, 1, int8=True))
    result = layer(torch.ones(rows, 64, dtype=torch.bfloat16))
    assert result.dtype is torch.float32
    assert torch.allclose(result, torch.ones(rows, 64), atol=1e-3)


@pytest.mark.skipif(not computes_int8(torch.device("cpu")), reason="the processor has neither VNNI nor AMX")
def test_an_int8_layer_tells_nobody_that_torch_means_to_remove_quantized_tensors() -> None:
    code = f"import warnings; warnings.simplefilter('error'){_INT8_LAYER}"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("missing", ["_make_per_channel_quantized_tensor", "get_capabilities"])
def test_without_quantized_tensors_or_what_the_processor_can_do_onednn_multiplies_all(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(torch.cpu if missing == "get_capabilities" else torch, missing)
    assert not _multiplies_few_rows()


def test_the_smaller_a_layer_the_more_rows_are_few() -> None:
    rows = [few_rows(weights) for weights in (1, 512 * 512, 512 * 2048, 512 * 16_384)]
    assert rows == sorted(rows, reverse=True)
    assert rows[0] == PACKED_FOR_ROWS
    assert rows[-1] == 2


_INT8_LAYER = """
import torch
from engine.device import Placement
from engine.models.linear import make_linear
layer = make_linear(torch.eye(64), None, Placement(torch.device("cpu"), torch.float32, 1, int8=True))
for rows in (1, 2, 9):
    assert torch.allclose(layer(torch.ones(rows, 64)), torch.ones(rows, 64), atol=1e-3)
"""


@pytest.mark.skipif(not computes_int8(torch.device("cpu")), reason="the processor has neither VNNI nor AMX")
@pytest.mark.parametrize("instructions", ["DEFAULT", "AVX512_CORE_VNNI", "AVX2_VNNI"])
def test_an_int8_layer_of_onednn_never_takes_the_slow_reference_product(instructions: str) -> None:
    code = f"from engine.models import linear; linear._multiplies_few_rows = lambda: False{_INT8_LAYER}"
    limits = {"ONEDNN_MAX_CPU_ISA": instructions, "ONEDNN_VERBOSE": "1"}
    told = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | limits, capture_output=True, text=True, check=True
    ).stdout
    products = [line for line in told.splitlines() if ",exec,cpu,matmul," in line]
    assert len(products) == 3
    assert not any(",ref" in line for line in products)
