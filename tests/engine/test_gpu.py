"""The engine on a CUDA device against the engine on the processor: the same numbers, the same texts, every time."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import torch

from engine.canvas import Placed
from engine.cli import main
from engine.device import give_back_memory
from engine.device_sampling import sample_on_device
from engine.models.esolm import EsoLMAdapter
from engine.models.esolm_static import StaticEsoLMAdapter
from engine.models.graphs import CudaRecorder
from engine.models.registry import load
from engine.sampling import SamplingRule, sample
from engine.session import EngineSession
from engine.types import Failed, Finished, InfillRequest, Mode, ModelChoice, TextSpan
from tests.engine.models.tape import load_static
from tests.engine.models.walking import Pair, Walk, assert_same_cache
from tests.engine.stepped import Events
from tests.engine.tiny import load_tiny, write_checkpoint

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]

TEXT = "The quick brown fox jumps over the lazy dog, and then the dog jumps over the fox in turn.\n"
REQUEST = InfillRequest(TEXT, (TextSpan(10, 25),), steps=6, alpha_0=0.5, top_p=1.0, seed=5)
"""With a nucleus a processor and a GPU draw by the same probabilities, but other tokens (`engine.device_sampling`)."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def session(checkpoint: Path) -> Iterator[EngineSession]:
    session = EngineSession(ModelChoice(str(checkpoint), device="cuda", dtype="float32", threads=1))
    yield session
    assert session.close()


def submit(session: EngineSession, request: InfillRequest) -> object:
    events = Events()
    session.submit(request, events)
    return events.ending()


def fill(session: EngineSession, request: InfillRequest) -> Finished:
    ending = submit(session, request)
    assert isinstance(ending, Finished), ending
    return ending


@pytest.mark.parametrize("recorded", [False, True], ids=["launched", "recorded"])
@pytest.mark.parametrize("seed", range(4))
def test_steps_give_the_logits_and_caches_of_the_processor(checkpoint: Path, seed: int, recorded: bool) -> None:
    recorder = CudaRecorder(torch.device("cuda")) if recorded else None
    pair = Pair(cast(EsoLMAdapter, load_tiny(checkpoint)), load_static(checkpoint, recorder, "cuda"))
    walk = Walk(pair, random.Random(seed))
    for _ in range(60):
        walk.do_anything()
    for caches in walk.caches:
        assert_same_cache(pair, *caches)
    assert (pair.static.recordings > 0) is recorded


def test_launched_recorded_and_replayed_steps_are_equal_to_the_last_bit(checkpoint: Path) -> None:
    adapter = load(ModelChoice(str(checkpoint), device="cuda"))
    assert isinstance(adapter, StaticEsoLMAdapter)
    results = []
    for _ in range(4):
        cache = adapter.new_cache()
        adapter.step(cache, [Placed(position % 200, position) for position in range(32)], (), as_block=True)
        results.append(adapter.step(cache, [Placed(9, 40)], [41, 42, 43]))
    assert adapter.recordings == 2
    assert all(torch.equal(result, results[0]) for result in results)


@pytest.mark.parametrize("rows", [1, 16])
@pytest.mark.parametrize(
    "rule", [SamplingRule(1.0, 0.9, (3,), top_k=50), SamplingRule(0.0, 1.0, ()), SamplingRule(0.8, 1.0, ())]
)
def test_draws_are_those_of_the_processor(rule: SamplingRule, rows: int) -> None:
    """But for a draw that falls between two sums of one place, whose last bits differ."""
    logits = torch.randn(rows, 50_258, generator=torch.Generator().manual_seed(rows)) * 3
    generators = [torch.Generator().manual_seed(1) for _ in range(2)]
    others = 0
    for _ in range(20):
        expected = sample(logits, rule, [True] * rows, generators[0])
        drawn = sample_on_device(logits.cuda(), rule, [True] * rows, generators[1])
        others += sum(one != other for one, other in zip(drawn.tokens, expected.tokens, strict=True))
        if drawn.tokens == expected.tokens:
            assert drawn.probabilities == pytest.approx(expected.probabilities, rel=1e-4)
    assert others <= 1


@pytest.mark.parametrize(
    "request_",
    [
        REQUEST,
        replace(REQUEST, alpha_0=0.0),
        replace(REQUEST, alpha_0=1.0, variations=3),
        replace(REQUEST, mode=Mode.REFINE),
        replace(REQUEST, sampler="p2"),
    ],
    ids=["hybrid", "sequential", "variations", "refine", "remasking"],
)
def test_requests_give_the_texts_of_the_processor_every_time(
    session: EngineSession, checkpoint: Path, request_: InfillRequest
) -> None:
    on_cpu = EngineSession(ModelChoice(str(checkpoint), device="cpu", dtype="float32", threads=1))
    try:
        expected = fill(on_cpu, request_)
    finally:
        assert on_cpu.close()
    results = [fill(session, request_) for _ in range(3)]
    session.unload()
    results.append(fill(session, request_))
    assert all(result.variations == results[0].variations for result in results)
    assert [v.texts for v in results[0].variations] == [v.texts for v in expected.variations]


def test_in_bfloat16_a_request_gives_one_text(checkpoint: Path) -> None:
    session = EngineSession(ModelChoice(str(checkpoint), device="cuda", dtype="bfloat16", threads=1))
    try:
        results = [fill(session, REQUEST) for _ in range(3)]
    finally:
        assert session.close()
    assert all(result.variations == results[0].variations for result in results)


def test_when_the_gpu_is_full_the_job_fails_and_the_engine_goes_on(session: EngineSession) -> None:
    expected = fill(session, REQUEST)
    session.unload()
    give_back_memory()
    torch.cuda.set_per_process_memory_fraction(0.0)
    try:
        failed = submit(session, REQUEST)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert isinstance(failed, Failed)
    assert failed.kind == "OutOfMemoryError"
    assert fill(session, REQUEST).variations == expected.variations


def test_the_benchmark_of_the_goals_runs(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from engine import bench_published
    from engine.bench_grid import NetworkSize

    size = NetworkSize(2, 64, 2, 512, published=True)
    small = bench_published.PublishedPlan(size, length=40, steps=4, repeats=1, samples=2)
    monkeypatch.setattr(bench_published.measure_published, "__defaults__", (small,))
    assert main(["bench", "--published", "--device", "cuda", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["graphs"] > 0
    assert figures["peak_gpu_mb"] > 0
