"""One request from text to ending: what several results are ranked by, and what is left when memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.session import EngineSession
from engine.types import Ending, Finished, InfillRequest, ModelChoice, TextSpan
from tests.engine.stepped import Events
from tests.engine.tiny import write_checkpoint

TEXT = "The quick brown fox jumps over the lazy dog, and then the dog jumps over the fox in turn.\n"
REQUEST = InfillRequest(TEXT, (TextSpan(10, 25),), steps=2, alpha_0=1.0, seed=5)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[EngineSession]:
    folder = write_checkpoint(tmp_path / "real")
    session = EngineSession(ModelChoice(name=str(folder), device="cpu", dtype="float32", threads=1))
    yield session
    assert session.close()


def ending_of(session: EngineSession, request: InfillRequest) -> Ending:
    events = Events()
    session.submit(request, events)
    return events.ending()


def fill(session: EngineSession, request: InfillRequest) -> Finished:
    ending = ending_of(session, request)
    assert isinstance(ending, Finished), ending
    return ending


@pytest.mark.parametrize("sampler", ["ancestral", "p2"])
def test_several_results_are_judged_exactly_and_a_single_one_costs_nothing_more(
    session: EngineSession, sampler: str
) -> None:
    request = replace(REQUEST, sampler=sampler, variations=3)
    together, alone = fill(session, request), fill(session, replace(request, variations=1))
    for variation in together.variations:
        assert variation.judged >= sum(len(draft.cells) for draft in variation.spans)
        assert variation.log_likelihood < 0
    first, single = together.variations[0], alone.variations[0]
    assert single.judged == 0
    assert first.texts == single.texts
    assert first.log_likelihood != pytest.approx(single.log_likelihood)  # which is what two parallel steps gave


def test_a_likelihood_does_not_depend_on_what_else_was_in_the_batch(session: EngineSession) -> None:
    several = fill(session, replace(REQUEST, variations=5)).variations
    fewer = fill(session, replace(REQUEST, variations=2, seed=REQUEST.seed + 2)).variations
    assert [one.texts for one in several[2:4]] == [one.texts for one in fewer]
    assert [one.log_likelihood for one in several[2:4]] == pytest.approx([one.log_likelihood for one in fewer])
