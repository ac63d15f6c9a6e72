"""The processes of one run: this one alone, or one of several that `torchrun` has started (data parallel).

All of them walk through the same steps with the same weights. Each computes the gradients of its share of a step's
batches; sums over all of them make the update. Only the first one writes files and decides how far the run is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

import torch
import torch.distributed
from torch import Tensor

from engine.errors import TrainingError

_PATIENCE = timedelta(hours=12)
"""How long a process waits for the others: the first one packs the corpus while they wait."""


class Peers(Protocol):
    """What a process needs of the others.

    Attributes:
        rank: 0 for the one that writes. size: how many there are. local_rank, local_size: the same on this machine.
    """

    rank: int
    size: int
    local_rank: int
    local_size: int

    def first(self, value: float) -> float:
        """The first process's value, in all of them. Raises TrainingError when another process has ended."""
        ...

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any of them. Raises TrainingError when another process has ended."""
        ...

    def add_up(self, values: Tensor) -> Tensor:
        """The sum over all processes, in all of them. Raises TrainingError when another process has ended."""
        ...

    def wait(self) -> None:
        """Returns when all have come here. Raises TrainingError when another process has ended."""
        ...


class Alone:
    """A run of one process; implements `Peers`."""

    rank = 0
    size = 1
    local_rank = 0
    local_size = 1

    def first(self, value: float) -> float:
        """`value`."""
        return value

    def any(self, flag: bool) -> bool:
        """`flag`."""
        return flag

    def add_up(self, values: Tensor) -> Tensor:
        """`values`."""
        return values

    def wait(self) -> None:
        """Nobody to wait for."""


class Group:
    """One of several processes of torch.distributed's default group; implements `Peers`."""

    def __init__(self) -> None:
        self.rank = torch.distributed.get_rank()
        self.size = torch.distributed.get_world_size()
        self.local_rank = int(os.environ.get("LOCAL_RANK", "0"))
        self.local_size = int(os.environ.get("LOCAL_WORLD_SIZE", str(self.size)))

    def first(self, value: float) -> float:
        """See `Peers.first`."""
        shared = torch.tensor([value], dtype=torch.float64)
        _together(lambda: torch.distributed.broadcast(shared, src=0))
        return float(shared)

    def any(self, flag: bool) -> bool:
        """See `Peers.any`."""
        shared = torch.tensor([flag], dtype=torch.int32)
        _together(lambda: torch.distributed.all_reduce(shared, torch.distributed.ReduceOp.MAX))
        return bool(shared)

    def add_up(self, values: Tensor) -> Tensor:
        """See `Peers.add_up`."""
        shared = values.clone()
        _together(lambda: torch.distributed.all_reduce(shared))
        return shared

    def wait(self) -> None:
        """See `Peers.wait`."""
        self.any(False)


def count() -> int:
    """How many processes `torchrun` has started for this run; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


@contextmanager
def joined() -> Iterator[Peers]:
    """This process among those that `torchrun` has started: over gloo between CPUs, over NCCL between NVIDIA GPUs.

    Raises:
        TrainingError: they do not find each other.
    """
    if count() == 1:
        yield Alone()
        return
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    try:
        torch.distributed.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=_PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise TrainingError(f"The processes of this run do not find each other: {error}.") from error
    try:
        yield Group()
    finally:
        torch.distributed.destroy_process_group()


def add_up_gradients(peers: Peers, parameters: Sequence[torch.nn.Parameter]) -> None:
    """Puts the sum over all processes into every gradient, in one exchange of float32."""
    if peers.size == 1:
        return
    gradients = [
        parameter.grad if parameter.grad is not None else torch.zeros_like(parameter) for parameter in parameters
    ]
    total = peers.add_up(torch.cat([gradient.float().flatten() for gradient in gradients]))
    parts = torch.split(total, [gradient.numel() for gradient in gradients])
    for parameter, gradient, part in zip(parameters, gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))
        parameter.grad = gradient


def _together(exchange: Callable[[], object]) -> None:
    try:
        exchange()
    except RuntimeError as error:
        raise TrainingError(
            "Another process of this run has ended, so this one ends too; the last checkpoint is whole."
        ) from error
