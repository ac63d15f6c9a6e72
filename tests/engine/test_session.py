"""The door and the thread behind it: endings, stopping, errors, results that depend on the request alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch

from engine.errors import EngineError
from engine.session import EngineSession, answer_of, load_libraries_first
from engine.types import (
    Cancelled,
    Event,
    Failed,
    Finished,
    InfillRequest,
    Mode,
    ModelChoice,
    ModelLoading,
    ModelReady,
    Prewarmed,
    TextSpan,
)
from tests.engine.stepped import Events, SteppedModel
from tests.engine.tiny import write_checkpoint

TEXT = "The quick brown fox jumps over the lazy dog, and then the dog jumps over the fox in turn.\n"
REQUEST = InfillRequest(TEXT, (TextSpan(10, 25),), steps=6, alpha_0=1.0, seed=5)
MANY = 1000


@pytest.fixture
def model(tmp_path: Path) -> SteppedModel:
    return SteppedModel(tmp_path / "model")


@pytest.fixture
def session(model: SteppedModel) -> Iterator[EngineSession]:
    session = EngineSession(loader=lambda _choice: model)
    yield session
    model.allow(MANY)
    assert session.close()


@pytest.fixture
def real(tmp_path: Path) -> Iterator[EngineSession]:
    folder = write_checkpoint(tmp_path / "real")
    session = EngineSession(ModelChoice(name=str(folder), device="cpu", dtype="float32", threads=1))
    yield session
    assert session.close()


def fill(session: EngineSession, request: InfillRequest) -> Finished:
    events = Events()
    session.submit(request, events)
    ending = events.ending()
    assert isinstance(ending, Finished), ending
    return ending


def test_a_run_ends_with_exactly_one_ending_after_its_frames(session: EngineSession, model: SteppedModel) -> None:
    model.allow(MANY)
    events = Events()
    job = session.submit(REQUEST, events)
    ending = events.ending()
    assert isinstance(ending, Finished)
    assert ending.job_id == job.id
    assert events.endings == 1
    assert len(events.frames) == ending.stats.nfe == model.steps
    assert [frame.step for frame in events.frames] == list(range(1, model.steps + 1))
    assert events.frames[-1].step == events.frames[-1].steps
    assert events.frames[-1].spans[0].text == ending.variations[0].texts[0]


def test_a_cancelled_job_takes_at_most_one_more_step_and_keeps_what_is_revealed(
    session: EngineSession, model: SteppedModel
) -> None:
    events = Events()
    job = session.submit(REQUEST, events)
    model.allow(2)
    frames = events.wait_for_frames(2)
    job.cancel()
    model.allow(1)
    ending = events.ending()
    assert isinstance(ending, Cancelled)
    assert model.steps <= 3
    assert ending.request == REQUEST
    assert ending.spans[0].text
    assert len(ending.spans[0].text) >= len(frames[1].spans[0].text)


def test_a_newer_request_of_the_same_document_replaces_the_older(session: EngineSession, model: SteppedModel) -> None:
    first, queued, last = Events(), Events(), Events()
    session.submit(REQUEST, first, key="a.txt")
    model.allow(1)
    first.wait_for_frames(1)
    session.submit(replace(REQUEST, seed=6), queued, key="a.txt")
    session.submit(replace(REQUEST, seed=7), last, key="a.txt")
    model.allow(MANY)
    assert isinstance(first.ending(), Cancelled)
    waiting = queued.ending()
    assert isinstance(waiting, Cancelled)
    assert waiting.spans == ()
    assert isinstance(last.ending(), Finished)


def test_documents_do_not_cancel_each_other(session: EngineSession, model: SteppedModel) -> None:
    model.allow(MANY)
    first, second = Events(), Events()
    session.submit(REQUEST, first, key="a.txt")
    session.submit(REQUEST, second, key="b.txt")
    assert isinstance(first.ending(), Finished)
    assert isinstance(second.ending(), Finished)


def test_a_request_that_cannot_be_carried_out_fails_in_one_sentence_and_the_engine_goes_on(
    session: EngineSession, model: SteppedModel
) -> None:
    events = Events()
    session.submit(replace(REQUEST, alpha_0=3.0), events)
    ending = events.ending()
    assert isinstance(ending, Failed)
    assert ending.kind == "RequestError"
    assert "alpha_0" in ending.message
    model.allow(MANY)
    assert fill(session, REQUEST).variations


@pytest.mark.parametrize(
    ("error", "kind", "word"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "OutOfMemoryError", "Memory ran out"),
        (MemoryError(), "OutOfMemoryError", "Memory ran out"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory"), "OutOfMemoryError", "unchanged"),
        (ValueError("odd"), "ValueError", "Your text is unchanged"),
    ],
)
def test_an_error_in_the_middle_of_a_run_is_an_ending_and_the_engine_goes_on(
    session: EngineSession, model: SteppedModel, error: Exception, kind: str, word: str
) -> None:
    model.fail_at_step = (3, error)
    model.allow(MANY)
    events = Events()
    session.submit(REQUEST, events)
    ending = events.ending()
    assert isinstance(ending, Failed)
    assert ending.kind == kind
    assert word in ending.message
    assert fill(session, REQUEST).variations[0].texts


def test_the_same_request_gives_the_same_result_whatever_ran_before(real: EngineSession) -> None:
    first = fill(real, REQUEST)
    fill(real, replace(REQUEST, text="x" + TEXT, spans=(TextSpan(3, 7),), seed=1, alpha_0=0.3))
    fill(real, replace(REQUEST, spans=(TextSpan(0, 4), TextSpan(30, 35)), mode=Mode.REFINE))
    again = fill(real, REQUEST)
    real.unload()
    cold = fill(real, REQUEST)
    without = fill(real, replace(REQUEST, use_cache=False))
    assert again.variations == first.variations
    assert cold.variations == first.variations
    assert cold.stats.reused_tokens == without.stats.reused_tokens == 0
    assert without.variations[0].texts == first.variations[0].texts


def test_the_second_run_reuses_the_context(real: EngineSession) -> None:
    long = replace(REQUEST, text=TEXT * 2, spans=(TextSpan(20, 25),))
    cold, warm = fill(real, long), fill(real, replace(long, seed=9))
    assert cold.stats.reused_tokens == 0
    assert warm.stats.reused_tokens >= 32
    assert warm.stats.reused_tokens + warm.stats.computed_tokens == cold.stats.computed_tokens


def test_variations_are_one_batch_and_each_is_what_its_seed_gives_alone(real: EngineSession) -> None:
    wanted = replace(REQUEST, variations=5, capacity=8)
    together = fill(real, wanted)
    alone = [fill(real, replace(wanted, variations=1, seed=seed)) for seed in range(5, 10)]
    assert [variation.seed for variation in together.variations] == list(range(5, 10))
    assert [v.texts for v in together.variations] == [one.variations[0].texts for one in alone]
    assert together.stats.nfe == max(one.stats.nfe for one in alone)
    assert together.stats.written_tokens == sum(one.stats.written_tokens for one in alone)


def test_more_variations_than_the_cache_has_room_for_are_written_in_groups(real: EngineSession) -> None:
    finished = fill(real, replace(REQUEST, variations=12, capacity=100, alpha_0=1.0, steps=3))
    assert len(finished.variations) == 12
    assert len({variation.texts for variation in finished.variations}) > 6
    assert finished.stats.nfe > 3


def test_several_spans_are_filled_together(real: EngineSession) -> None:
    finished = fill(real, replace(REQUEST, spans=(TextSpan(4, 9), TextSpan(16, 19), TextSpan(40, 40))))
    assert len(finished.variations[0].texts) == 3


def test_refine_keeps_the_rest_of_the_span(real: EngineSession) -> None:
    finished = fill(real, replace(REQUEST, mode=Mode.REFINE, strength=0.3, spans=(TextSpan(4, 40),)))
    cells = finished.variations[0].spans[0].cells
    kept = "".join(cell.text for cell in cells if cell.state == "kept")
    assert 0.5 < len(kept) / 36 < 0.9


def test_a_capacity_bounds_the_written_tokens(real: EngineSession) -> None:
    finished = fill(real, replace(REQUEST, capacity=3))
    assert len(finished.variations[0].spans[0].cells) <= 3


def test_a_model_is_loaded_on_request_and_says_what_it_is(real: EngineSession, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "other", name="other", seed=4)
    events = Events()
    real.load_model(ModelChoice(name=str(folder), device="cpu", threads=1), events)
    ready = events.ending()
    assert isinstance(ready, ModelReady)
    assert ready.info.name == "other"
    assert fill(real, REQUEST).model.name == "other"


def test_a_model_that_is_not_there_fails_and_another_can_be_loaded(real: EngineSession, tmp_path: Path) -> None:
    events = Events()
    real.load_model(ModelChoice(name=str(tmp_path / "nowhere")), events)
    failed = events.ending()
    assert isinstance(failed, Failed)
    assert failed.kind == "ModelNotFoundError"
    good = Events()
    real.load_model(ModelChoice(name=str(write_checkpoint(tmp_path / "good")), device="cpu", threads=1), good)
    assert isinstance(good.ending(), ModelReady)


def test_an_unloaded_model_is_loaded_again_by_the_next_job(real: EngineSession) -> None:
    first = fill(real, REQUEST)
    real.unload()
    heard: list[Event] = []
    events = Events(heard.append)
    real.submit(REQUEST, events)
    again = events.ending()
    assert isinstance(again, Finished)
    assert again.variations == first.variations
    loading = [event for event in heard if isinstance(event, ModelLoading)]
    assert [(event.progress, event.info) for event in loading] == [(0.0, None), (1.0, first.model)]


def test_a_prewarmed_request_finds_its_context_computed(real: EngineSession) -> None:
    long = replace(REQUEST, text=TEXT * 2, spans=(TextSpan(100, 110),))
    events = Events()
    real.prewarm(long, events)
    warmed = events.ending()
    assert isinstance(warmed, Prewarmed)
    assert warmed.stats.computed_tokens > 64
    assert fill(real, long).stats.computed_tokens < 32


def test_a_request_cancels_the_prewarming_of_its_document(session: EngineSession, model: SteppedModel) -> None:
    running, warming, wanted = Events(), Events(), Events()
    session.submit(REQUEST, running, key="other")
    session.prewarm(REQUEST, warming, key="a.txt")
    session.submit(REQUEST, wanted, key="a.txt")
    model.allow(MANY)
    assert isinstance(warming.ending(), Cancelled)
    assert isinstance(wanted.ending(), Finished)
    assert isinstance(running.ending(), Finished)


def test_closing_ends_a_running_job_and_the_thread(model: SteppedModel) -> None:
    session = EngineSession(loader=lambda _choice: model)
    events = Events()
    session.submit(REQUEST, events)
    model.allow(1)
    events.wait_for_frames(1)
    model.allow(1)
    assert session.close()
    assert isinstance(events.ending(), Cancelled)
    assert session.close()


def test_only_windows_loads_torch_before_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr("engine.session.importlib.import_module", loaded.append)
    assert not load_libraries_first("linux")
    assert not load_libraries_first("darwin")
    assert load_libraries_first("win32")
    assert loaded == ["torch"]


def test_importing_the_door_does_not_import_torch() -> None:
    code = "import sys, engine.session, engine.types, engine.thread; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_answer_is_waited_for_and_a_failure_raised(tmp_path: Path) -> None:
    session = EngineSession(ModelChoice(name=str(write_checkpoint(tmp_path / "model")), device="cpu", dtype="float32"))
    request = InfillRequest("one two three", (TextSpan(4, 7),), steps=2)
    assert answer_of(Finished, partial(session.submit, request)).request == request
    with pytest.raises(EngineError, match="Nothing is selected"):
        answer_of(Finished, partial(session.submit, InfillRequest("one", ())))
    with pytest.raises(EngineError, match="stopped"):
        answer_of(Finished, lambda told: session.submit(request, told).cancel())
    assert session.close()
