"""The bookkeeping of recordings, and what is left when memory runs out; CUDA itself is stood in for."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.canvas import Placed
from engine.models.graphs import CudaRecorder, GraphStore
from tests.engine.models.tape import TapeRecorder, load_static
from tests.engine.tiny import write_checkpoint


class Counter:
    """A work that counts how often its Python code runs."""

    def __init__(self) -> None:
        self.runs = 0
        self.value = torch.zeros(1)

    def __call__(self) -> Tensor:
        self.runs += 1
        return self.value + 1


def test_a_work_runs_as_it_is_then_is_recorded_then_only_replayed() -> None:
    recorder, work = TapeRecorder(), Counter()
    store = GraphStore(recorder)
    results = []
    for value in (1.0, 2.0, 3.0, 4.0):
        work.value.fill_(value)
        results.append(float(store.run("a", work)))
    assert results == [2.0, 3.0, 4.0, 5.0]
    assert (work.runs, recorder.recorded, recorder.replayed, len(store)) == (2, 1, 3, 1)


def test_the_least_recently_used_recording_is_given_up() -> None:
    recorder, work = TapeRecorder(), Counter()
    store = GraphStore(recorder, most=2)
    for key in ("a", "a", "b", "b", "a", "c", "c"):
        store.run(key, work)
    assert len(store) == 2
    recorded = recorder.recorded
    store.run("a", work)
    assert recorder.recorded == recorded
    store.run("b", work)
    assert recorder.recorded == recorded + 1


def test_without_a_recorder_works_just_run() -> None:
    store, work = GraphStore(None), Counter()
    for _ in range(4):
        store.run("a", work)
    assert (work.runs, len(store)) == (4, 0)


def test_where_recording_fails_works_run_as_they_are_from_then_on(caplog: pytest.LogCaptureFixture) -> None:
    recorder, work = TapeRecorder(fail=[RuntimeError("operation not permitted")]), Counter()
    store = GraphStore(recorder)
    with caplog.at_level(logging.WARNING):
        assert [float(store.run("a", work)) for _ in range(4)] == [1.0] * 4
    assert recorder.recorded == 0
    assert "not permitted" in caplog.text


def test_a_recording_that_memory_runs_out_in_is_an_error_and_the_next_one_may_do() -> None:
    recorder, work = TapeRecorder(fail=[torch.OutOfMemoryError("CUDA out of memory")]), Counter()
    store = GraphStore(recorder)
    store.run("a", work)
    with pytest.raises(torch.OutOfMemoryError):
        store.run("a", work)
    store.clear()
    assert (len(store), recorder.resets) == (0, 1)
    store.run("a", work)
    store.run("a", work)
    assert recorder.recorded == 1


def test_what_waits_for_the_device_cannot_be_recorded() -> None:
    """The stand-in refuses what CUDA refuses, so that the tests of the steps mean something."""
    x = torch.ones(3)
    for work in (
        lambda: x * x.sum().item(),
        lambda: x[x > 0],
        x.nonzero,
        lambda: x + torch.tensor([1.0]),
        lambda: torch.where(x > 0, x, 0.0),
    ):
        with pytest.raises(RuntimeError, match="capturing"):
            TapeRecorder().record(work)


class FakeCuda:
    """The names of torch.cuda that a recording needs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pools = 0
        self.used: list[object] = []
        self.replays = 0
        self.streams: list[str] = ["the user's"]
        for name in ("graph_pool_handle", "CUDAGraph", "graph", "device", "Stream", "stream", "current_stream"):
            monkeypatch.setattr(torch.cuda, name, getattr(self, name))

    def graph_pool_handle(self) -> tuple[int, int]:
        self.pools += 1
        return (0, self.pools)

    def CUDAGraph(self) -> FakeCuda:
        return self

    def replay(self) -> None:
        self.replays += 1

    def Stream(self, device: torch.device) -> str:
        return f"ours on {device}"

    def current_stream(self, device: torch.device) -> str:
        return self.streams[-1]

    @contextlib.contextmanager
    def stream(self, stream: str) -> Iterator[None]:
        before = list(self.streams)
        self.streams.append(stream)
        try:
            yield
        finally:
            self.streams = before

    @contextlib.contextmanager
    def graph(self, graph: object, *, pool: object, stream: str, capture_error_mode: str) -> Iterator[None]:
        """As torch's: after a recording that broke off the stream is still the recording's."""
        assert graph is self
        self.used.append(pool)
        self.streams.append(stream)
        yield
        self.streams.pop()

    @contextlib.contextmanager
    def device(self, device: torch.device) -> Iterator[None]:
        assert device.index == 1
        yield


def test_cuda_graphs_share_one_pool_until_all_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = FakeCuda(monkeypatch)
    recorder, work = CudaRecorder(torch.device("cuda:1")), Counter()
    replays = [recorder.record(work) for _ in range(2)]
    assert [float(replay()) for replay in replays] == [1.0, 1.0]
    assert (work.runs, cuda.replays, cuda.used) == (2, 2, [(0, 1)] * 2)
    recorder.reset()
    recorder.record(work)
    assert cuda.used[-1] == (0, 2)


def test_a_recording_that_breaks_off_leaves_the_stream_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = FakeCuda(monkeypatch)
    recorder = CudaRecorder(torch.device("cuda:1"))
    streams: list[str] = []

    def work() -> Tensor:
        streams.append(cuda.current_stream(torch.device("cuda:1")))
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        recorder.record(work)
    assert (streams, cuda.streams) == (["ours on cuda:1"], ["the user's"])


def test_released_memory_comes_back_with_the_next_step(tmp_path: Path) -> None:
    recorder = TapeRecorder()
    adapter = load_static(write_checkpoint(tmp_path), recorder)
    cache = adapter.new_cache()
    before = [adapter.step(adapter.new_cache(), [Placed(3, 0)], [1]) for _ in range(3)][-1]
    adapter.step(cache, [Placed(3, 0)], ())
    assert adapter.recordings == 1
    adapter.release()
    assert (adapter.recordings, recorder.resets, len(cache)) == (0, 1, 0)
    assert torch.equal(adapter.step(cache, [Placed(3, 0)], [1]), before)


def test_a_step_that_memory_runs_out_in_leaves_the_cache_as_it_was(tmp_path: Path) -> None:
    recorder = TapeRecorder()
    adapter = load_static(write_checkpoint(tmp_path), recorder)
    cache = adapter.new_cache()
    adapter.step(cache, [Placed(3, 0), Placed(4, 1)], [2])
    expected = adapter.step(cache, (), [2])
    recorder.fail.append(torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(torch.OutOfMemoryError):
        adapter.step(cache, [Placed(9, 2), Placed(8, 3)], [4])
    assert cache.order == [Placed(3, 0), Placed(4, 1)]
    assert torch.equal(adapter.step(cache, (), [2]), expected)


def test_weights_go_when_the_model_goes(tmp_path: Path) -> None:
    import weakref

    adapter = load_static(write_checkpoint(tmp_path), TapeRecorder())
    for _ in range(3):
        adapter.step(adapter.new_cache(), [Placed(3, 0)], [1])
    network: Any = weakref.ref(adapter._network)
    adapter.release()
    del adapter
    assert network() is None
