"""Static steps behind the engine's door: requests give what ordinary steps give, and the engine outlives a full GPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from engine.session import EngineSession
from engine.types import Failed, Finished, InfillRequest, Mode, ModelChoice, TextSpan
from tests.engine.models.tape import TapeRecorder, load_static
from tests.engine.stepped import Events
from tests.engine.tiny import write_checkpoint

TEXT = "The quick brown fox jumps over the lazy dog, and then the dog jumps over the fox in turn.\n"
REQUEST = InfillRequest(TEXT, (TextSpan(10, 25),), steps=6, alpha_0=0.5, seed=5)


@dataclass(frozen=True)
class Engines:
    static: EngineSession
    plain: EngineSession
    recorder: TapeRecorder


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    folder = write_checkpoint(tmp_path / "model")
    recorder = TapeRecorder()
    static = EngineSession(loader=lambda _choice: load_static(folder, recorder))
    plain = EngineSession(ModelChoice(name=str(folder), device="cpu", dtype="float32", threads=1))
    yield Engines(static, plain, recorder)
    assert static.close()
    assert plain.close()


def fill(session: EngineSession, request: InfillRequest) -> Finished:
    ending = submit(session, request)
    assert isinstance(ending, Finished)
    return ending


def submit(session: EngineSession, request: InfillRequest) -> object:
    events = Events()
    session.submit(request, events)
    return events.ending()


@pytest.mark.parametrize(
    "request_",
    [
        REQUEST,
        replace(REQUEST, alpha_0=0.0),
        replace(REQUEST, variations=3),
        replace(REQUEST, mode=Mode.REFINE),
        replace(REQUEST, sampler="p2"),
        replace(REQUEST, use_cache=False),
    ],
    ids=["hybrid", "sequential", "variations", "refine", "remasking", "uncached"],
)
def test_every_kind_of_request_gives_the_text_of_ordinary_steps(engines: Engines, request_: InfillRequest) -> None:
    expected = fill(engines.plain, request_)
    results = [fill(engines.static, request_) for _ in range(3)]
    assert all(result.variations == results[0].variations for result in results)
    assert [v.texts for v in results[0].variations] == [v.texts for v in expected.variations]


@pytest.mark.parametrize("unloaded", [False, True])
def test_when_memory_runs_out_the_job_fails_and_the_engine_goes_on(engines: Engines, unloaded: bool) -> None:
    expected = fill(engines.static, REQUEST)
    engines.recorder.fail.append(torch.OutOfMemoryError("CUDA out of memory"))
    longer = replace(REQUEST, text=TEXT * 3, steps=3, alpha_0=1.0, capacity=90)
    failed = next(ending for _ in range(3) if isinstance(ending := submit(engines.static, longer), Failed))
    assert failed.kind == "OutOfMemoryError"
    assert "Your text is unchanged" in failed.message
    assert engines.recorder.resets == 1
    if unloaded:
        engines.static.unload()
    again = fill(engines.static, REQUEST)
    assert again.stats.reused_tokens == 0
    assert again.variations == expected.variations
