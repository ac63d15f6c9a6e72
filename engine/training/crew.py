"""Other processes on this machine that take part in a run on its CPU, one for each core.

A step is tens of thousands of small operators, and each takes Python's lock twice: threads of one process wait for each
other more than they compute (docs/training-log.md). `torchrun` does the same across machines and GPUs.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from engine.device import place
from engine.errors import EngineError, TrainingError
from engine.training import peers
from engine.training.config import TrainConfig
from engine.types import ModelChoice

_MOST = 8
"""Processes of one run: a step's rows are dealt out to them, and too few rows are not worth a process."""
_LAST_SECONDS = 20.0
"""How long the others may take to end when this one has."""


def crew_size(config: TrainConfig) -> int:
    """How many processes a run is to have that `torchrun` has not started: one for each core, on a CPU, where the
    config leaves the number of workers open."""
    if config.workers or peers.count() > 1 or place(ModelChoice(device=config.device)).device.type != "cpu":
        return 1
    return max(1, min(_MOST, os.cpu_count() or 1))


@contextmanager
def crew(size: int, part: Callable[..., object], *arguments: object) -> Iterator[None]:
    """`size` - 1 other processes, each of which calls `part(*arguments)`. In all of them, and in this one until the
    context ends, the environment is what `torchrun` makes it (`peers.joined`). `part` must be importable.

    Raises:
        TrainingError: one of them does not start.
    """
    if size == 1:
        yield
        return
    group = {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "WORLD_SIZE": str(size),
        "LOCAL_WORLD_SIZE": str(size),
    }  # fmt: skip
    others: list[tuple[SpawnProcess, Connection]] = []
    before = {name: os.environ.get(name) for name in (*group, "RANK", "LOCAL_RANK")}
    try:
        others.extend(_started(group | _ranked(rank), part, arguments) for rank in range(1, size))
        for other in others:
            _check_ready(*other)
        os.environ.update(group | _ranked(0))
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        for process, heard in others:
            heard.close()
            process.join(_LAST_SECONDS)
            process.kill()


def _started(
    names: dict[str, str], part: Callable[..., object], arguments: tuple[object, ...]
) -> tuple[SpawnProcess, Connection]:
    """One other process, and where it says that it has got as far as its part of the run."""
    context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    heard, told = context.Pipe(duplex=False)
    process = context.Process(target=_begin, args=(told, names, part, arguments), daemon=True)
    process.start()
    told.close()
    return process, heard


def _check_ready(process: SpawnProcess, heard: Connection) -> None:
    wait([heard, process.sentinel])
    with suppress(EOFError):
        heard.recv()
        return
    process.join()
    raise TrainingError(
        f"A process of this run could not be started (status {process.exitcode}). Nothing is lost; a config with "
        "workers = 1 does without."
    )


def _begin(told: Connection, names: dict[str, str], part: Callable[..., object], arguments: tuple[object, ...]) -> None:
    """In another process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # until its part of the run looks for it
    os.environ.update(names)
    told.send(True)
    told.close()
    with suppress(EngineError):  # the first process says what was wrong
        part(*arguments)


def _ranked(rank: int) -> dict[str, str]:
    return {"RANK": str(rank), "LOCAL_RANK": str(rank)}


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
