"""What a machine can give, and how long work takes on it: the yardsticks of the benchmarks."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from engine.types import ModelInfo


def median_seconds(work: Callable[[], object], repeats: int) -> float:
    """Of one call, with all that the device still has to do for it."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        wait_for_the_device()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def wait_for_the_device() -> None:
    """A GPU works on after the call that gave it work; a CPU does not."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def read_bandwidth(device: str) -> float:
    """Bytes a second that are read from the device's memory, with the threads the engine uses."""
    block = torch.zeros(64 * 2**20, dtype=torch.float32, device=device)
    median_seconds(block.sum, 1)
    return block.numel() * 4 / min(median_seconds(block.sum, 1) for _ in range(5))


def peak_flops(info: ModelInfo) -> float:
    """FLOP a second of a large product in that precision; for int8 that of bfloat16."""
    kind = torch.float32 if info.dtype == "float32" else torch.bfloat16
    a, b = (torch.ones(1024, 1024, dtype=kind, device=info.device) for _ in range(2))
    median_seconds(lambda: torch.mm(a, b), 1)
    return 2 * 1024**3 / min(median_seconds(lambda: torch.mm(a, b), 1) for _ in range(5))
