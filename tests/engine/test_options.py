"""A request's sampler, schedule and sampling options reach the run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.session import EngineSession
from engine.types import Failed, Finished, InfillRequest, ModelChoice, TextSpan
from tests.engine.stepped import Events
from tests.engine.tiny import write_checkpoint

TEXT = "The quick brown fox jumps over the lazy dog, and then the dog jumps over the fox in turn.\n"
REQUEST = InfillRequest(TEXT, (TextSpan(10, 25),), steps=4, alpha_0=1.0, temperature=1.0, top_p=1.0, seed=5)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[EngineSession]:
    folder = write_checkpoint(tmp_path / "model")
    session = EngineSession(ModelChoice(name=str(folder), device="cpu", dtype="float32", threads=1))
    yield session
    assert session.close()


def end(session: EngineSession, request: InfillRequest) -> Finished | Failed:
    events = Events()
    session.submit(request, events)
    ending = events.ending()
    assert isinstance(ending, Finished | Failed)
    return ending


def text(session: EngineSession, **changes: object) -> str:
    ending = end(session, replace(REQUEST, **changes))  # type: ignore[arg-type]
    assert isinstance(ending, Finished), ending
    return ending.variations[0].texts[0]


def test_cuts_that_leave_one_token_write_what_temperature_0_writes(session: EngineSession) -> None:
    greedy = text(session, temperature=0.0)
    assert text(session) != greedy
    assert text(session, top_k=1) == greedy
    assert text(session, min_p=1.0) == greedy


def test_sampler_schedule_and_guard_make_a_difference(session: EngineSession) -> None:
    plain = text(session)
    assert text(session, sampler="confidence") != plain
    assert text(session, schedule="left-to-right") != plain
    looping = text(session, temperature=0.0, capacity=24)
    assert text(session, temperature=0.0, capacity=24, repetition_penalty=10.0) != looping


@pytest.mark.parametrize("alpha_0", [0.0, 1.0])
def test_what_is_banned_is_not_written(session: EngineSession, alpha_0: float) -> None:
    plain = text(session, alpha_0=alpha_0, capacity=60)
    often = sorted({letter for letter in plain if letter.isalpha()}, key=plain.count)[-4:]
    assert often
    words = text(session, alpha_0=alpha_0, capacity=60, banned=("", *often)).split()
    assert words
    assert not set(words) & set(often)


@pytest.mark.parametrize("field", ["sampler", "schedule"])
def test_a_name_that_is_not_there_fails_in_one_sentence_that_lists_the_others(
    session: EngineSession, field: str
) -> None:
    ending = end(session, replace(REQUEST, **{field: "magic"}))  # type: ignore[arg-type]
    assert isinstance(ending, Failed)
    assert ending.kind == "RequestError"
    assert "magic" in ending.message
    assert InfillRequest(TEXT, ()).schedule in ending.message or "ancestral" in ending.message
