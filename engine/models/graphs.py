"""Steps recorded once and replayed: a CUDA graph launches hundreds of small kernels as one.

A recording is the work's operations on the memory they ran on. What differs between two replays has to be *in* that
memory, which `engine.models.static_step` sees to.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Protocol, TypeAlias

import torch
from torch import Tensor

from engine.device import is_out_of_memory

if TYPE_CHECKING:
    from torch.cuda import _POOL_HANDLE

log = logging.getLogger(__name__)

Work: TypeAlias = Callable[[], Tensor]
"""Operations on fixed memory; returns a result that the next run of any work may overwrite."""

MOST_GRAPHS = 128


class Recorder(Protocol):
    """Makes recordings."""

    def record(self, work: Work) -> Work:
        """Records `work` without running it, or runs it as well; the result repeats it.

        Raises:
            RuntimeError: it cannot be recorded. torch.OutOfMemoryError: there is no memory for it.
        """
        ...

    def reset(self) -> None:
        """All recordings are gone; what they shared can go, too."""
        ...


class CudaRecorder:
    """Records CUDA graphs. They share their memory, since no two of them ever run at once."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream: torch.cuda.Stream | None = None
        self._pool: _POOL_HANDLE | None = None

    def record(self, work: Work) -> Work:
        """See `Recorder.record`; nothing is run."""
        if self._pool is None:
            self._pool = torch.cuda.graph_pool_handle()
        if self._stream is None:
            # torch's own one belongs to the device that was used first
            self._stream = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        graph = torch.cuda.CUDAGraph()
        back = torch.cuda.stream(torch.cuda.current_stream(self._device))  # also where a recording breaks off
        recording = torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local")
        with torch.cuda.device(self._device), back, recording:
            result = work()

        def replay() -> Tensor:
            graph.replay()
            return result

        return replay

    def reset(self) -> None:
        """See `Recorder.reset`. (A pool whose graphs are all gone must not be used again.)"""
        self._pool = None


class GraphStore:
    """The recordings of one model by what they were recorded for, the least recently used given up first.

    A work runs as it is the first time, which also readies the libraries it calls; the second time it is recorded, so
    that what is needed once costs no recording. Where recording fails, works run as they are from then on.
    """

    def __init__(self, recorder: Recorder | None, most: int = MOST_GRAPHS) -> None:
        """`recorder`: None records nothing."""
        self._recorder = recorder
        self._most = most
        self._replays: OrderedDict[Hashable, Work] = OrderedDict()
        self._seen: set[Hashable] = set()

    def __len__(self) -> int:
        return len(self._replays)

    def run(self, key: Hashable, work: Work) -> Tensor:
        """The result of `work`, which is the same operations on the same memory at every call with that key."""
        replay = self._replays.get(key)
        if replay is not None:
            self._replays.move_to_end(key)
            return replay()
        if self._recorder is None or key not in self._seen:
            self._seen.add(key)
            return work()
        return self._record(self._recorder, key, work)

    def clear(self) -> None:
        """Gives all recordings back."""
        self._replays.clear()
        self._seen.clear()
        if self._recorder is not None:
            self._recorder.reset()

    def _record(self, recorder: Recorder, key: Hashable, work: Work) -> Tensor:
        try:
            replay = recorder.record(work)
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            log.warning("steps cannot be recorded on this device, so they run slower: %s", error)
            self._recorder = None
            return work()
        self._replays[key] = replay
        if len(self._replays) > self._most:
            self._replays.popitem(last=False)
        return replay()
