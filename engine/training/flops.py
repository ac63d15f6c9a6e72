"""How much arithmetic training does, and how much the machine could do, in floating-point operations.

A multiplication and an addition are two operations. A step costs three times its forward pass (the backward pass has
two products for each). Norms, activations and the softmax are left out, as is usual (Kaplan et al. 2020, section 2.1).
"""

from __future__ import annotations

import time

import torch

from engine.models.esolm_network import EsoLMShape
from engine.training.objective import Batch

_ROUNDS = 8
_SIZE = {"cpu": 1024, "cuda": 8192}


def flops_of(batch: Batch, shape: EsoLMShape) -> float:
    """Operations of a forward and backward pass over a batch; its padding is not counted."""
    width = shape.hidden_size
    per_row = shape.layers * (4 + 2 * shape.mlp_ratio) * width**2
    pairs = sum(extent.clean * (extent.clean + 1) / 2 + extent.copies for extent in batch.extents)
    pairs += float(batch.visible.sum())
    used = float((batch.weights != 0).sum())
    forward = 2 * (batch.used_rows * per_row + used * width * shape.vocab_size + 2 * shape.layers * pairs * width)
    return 3 * forward


def measured_peak(device: torch.device, dtype: torch.dtype, workers: int) -> float:
    """Operations a second of a large matrix product: the best of a few; on a CPU on one thread, times the workers."""
    size = _SIZE.get(device.type, 2048)
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    threads = torch.get_num_threads()
    if device.type == "cpu":
        torch.set_num_threads(1)
    try:
        best = min(_seconds(left, right, device) for _ in range(_ROUNDS))
    finally:
        torch.set_num_threads(threads)
    return 2 * size**3 / best * (workers if device.type == "cpu" else 1)


def _seconds(left: torch.Tensor, right: torch.Tensor, device: torch.device) -> float:
    _wait_for(device)
    started = time.perf_counter()
    left @ right
    _wait_for(device)
    return time.perf_counter() - started


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
