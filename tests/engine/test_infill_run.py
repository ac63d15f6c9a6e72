"""One request from text to ending: what several results are ranked by, and what is left when memory runs out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.cache_pool import CachePool
from engine.infill_run import InfillRun
from engine.session import EngineSession, Job
from engine.types import Ending, Finished, InfillRequest, ModelChoice, TextSpan
from tests.engine.stepped import Events
from tests.engine.tiny import load_tiny, write_checkpoint

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


def test_an_id_that_stands_for_no_text_is_never_written(tmp_path: Path) -> None:
    """A tokenizer trained on little text has fewer tokens than the model has outputs."""
    special = {"mask": 595, "begin": 596, "end": 597, "empty": 598, "pad": 599}
    folder = write_checkpoint(tmp_path / "gap", vocab_size=600, special_tokens=special)  # the tokenizer has 262 tokens
    adapter = load_tiny(folder)
    request = replace(REQUEST, temperature=10.0, top_p=1.0, capacity=30, least_tokens=30, variations=4)
    run = InfillRun(adapter, CachePool(adapter.new_cache), Job(1, ""), request, lambda _event: None, time.perf_counter)
    run.carry_out()
    written = [one.token for canvas in run._canvases for one in canvas.written.values()]
    assert len(written) == 4 * 30
    assert len(adapter.tokenizer.wordless_ids) > 300
    assert set(written).isdisjoint(adapter.tokenizer.wordless_ids)
