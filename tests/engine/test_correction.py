"""Correction passes: doubtful words are written anew, and the result is never less likely."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.cache import CleanTokenCache
from engine.canvas import Canvas, Piece, lay_out
from engine.correction import MOST_REMASKED, correct, most_steps
from engine.denoise import DenoiseSettings, DenoisingStep, denoise, prefill
from engine.models.base import ModelAdapter
from engine.sampling import SamplingRule
from engine.session import EngineSession, Job
from engine.types import (
    Cancelled,
    CellState,
    ContextOrder,
    Event,
    Finished,
    Frame,
    InfillRequest,
    ModelChoice,
    TextSpan,
)
from tests.engine.stepped import Events
from tests.engine.tiny import load_tiny, write_checkpoint

TEXT = "The quick brown fox jumps over the lazy dog, and then the dog jumps over the fox in turn.\n"
REQUEST = InfillRequest(TEXT, (TextSpan(10, 40),), steps=4, alpha_0=1.0, temperature=1.0, seed=3)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> ModelAdapter:
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint")))


def settings_of(adapter: ModelAdapter, temperature: float = 1.0) -> DenoiseSettings:
    special = adapter.config.special_tokens
    rule = SamplingRule(temperature, 1.0, special.never_written(), special.empty)
    return DenoiseSettings(3, 1.0, rule)


def written_canvas(adapter: ModelAdapter, cache: CleanTokenCache, seed: int, *, can_shrink: bool = True) -> Canvas:
    pieces = [
        Piece(ids=tuple(i % 60 for i in range(40))),
        Piece(span=0, hole=True, capacity=30, least=12),
        Piece(ids=tuple(i % 50 for i in range(20))),
    ]
    empty = adapter.config.special_tokens.empty if can_shrink else None
    canvas = lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=16, empty=empty)
    for _ in denoise(adapter, cache, canvas, settings_of(adapter), torch.Generator().manual_seed(seed)):
        pass
    return canvas


def exact(adapter: ModelAdapter, canvas: Canvas) -> float:
    """The text's log-likelihood from left to right, one pass a token."""
    cache = adapter.new_cache()
    for _ in prefill(adapter, cache, canvas.context):
        pass
    ends = [placed for placed in canvas.accepted if placed.position not in canvas.written]
    total, fed = 0.0, list(ends)
    for position in sorted(canvas.written):
        logits = adapter.step(cache, fed, [position])
        token = canvas.written[position].token
        total += float(logits.float().log_softmax(-1)[0, token])
        fed = [type(canvas.context[0])(token, position)]
    return total


def corrected(
    adapter: ModelAdapter, cache: CleanTokenCache, canvas: Canvas, passes: int, temperature: float = 1.0
) -> list[DenoisingStep]:
    generator = torch.Generator().manual_seed(11)
    steps = []
    for step in correct(adapter, cache, canvas, settings_of(adapter, temperature), generator, passes):
        cache.check_integrity()
        steps.append(step)
    return steps


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("can_shrink", [True, False])
def test_correcting_never_makes_the_text_less_likely_nor_another_length(
    adapter: ModelAdapter, seed: int, can_shrink: bool
) -> None:
    cache = adapter.new_cache()
    canvas = written_canvas(adapter, cache, seed, can_shrink=can_shrink)
    places, before = sorted(canvas.written), exact(adapter, canvas)
    least = [hole.least for hole in canvas.holes]
    corrected(adapter, cache, canvas, 3)
    assert not canvas.masked()
    assert sorted(canvas.written) == places
    assert [hole.least for hole in canvas.holes] == least
    assert exact(adapter, canvas) >= before - 1e-3


def test_correcting_greedily_makes_a_random_text_likelier_by_changing_few_words_a_pass(adapter: ModelAdapter) -> None:
    cache = adapter.new_cache()
    canvas = written_canvas(adapter, cache, 1)
    before, text = exact(adapter, canvas), {p: written.token for p, written in canvas.written.items()}
    corrected(adapter, cache, canvas, 1, temperature=0.0)
    changed = [p for p, written in canvas.written.items() if written.token != text[p]]
    assert exact(adapter, canvas) > before
    assert 1 <= len(changed) <= max(1, int(MOST_REMASKED * len(text)))


def test_the_steps_of_a_correction_are_counted_and_never_more_than_planned(adapter: ModelAdapter) -> None:
    cache = adapter.new_cache()
    canvas = written_canvas(adapter, cache, 2)
    limit = most_steps(len(canvas.accepted), 4)
    steps = corrected(adapter, cache, canvas, 4)
    assert [step.step for step in steps] == list(range(1, len(steps) + 1))
    planned = [limit, *(step.steps for step in steps)]
    assert planned == sorted(planned, reverse=True)
    assert all(step.step <= step.steps for step in steps)


def test_stopping_in_the_middle_puts_the_words_back(adapter: ModelAdapter) -> None:
    for stop_after in range(1, 6):
        cache = adapter.new_cache()
        canvas = written_canvas(adapter, cache, 1)
        text = {p: written.token for p, written in canvas.written.items()}
        generator = torch.Generator().manual_seed(11)
        steps = correct(adapter, cache, canvas, settings_of(adapter), generator, 1)
        for _ in range(stop_after):
            next(steps, None)
        steps.close()
        assert {p: written.token for p, written in canvas.written.items()} == text


def test_an_empty_text_needs_no_correction() -> None:
    assert most_steps(0, 3) == 0
    assert most_steps(40, 0) == 0


@pytest.fixture
def session(tmp_path: Path) -> Iterator[EngineSession]:
    folder = write_checkpoint(tmp_path / "model")
    session = EngineSession(ModelChoice(name=str(folder), device="cpu", dtype="float32", threads=1))
    yield session
    assert session.close()


def finish(session: EngineSession, request: InfillRequest) -> tuple[Events, Finished]:
    events = Events()
    session.submit(request, events)
    ending = events.ending()
    assert isinstance(ending, Finished), ending
    return events, ending


@pytest.mark.parametrize("sampler", ["ancestral", "p2", "remdm"])
@pytest.mark.parametrize("variations", [1, 3])
def test_a_run_with_corrections_counts_every_pass_and_shows_steps_that_only_shrink(
    session: EngineSession, sampler: str, variations: int
) -> None:
    request = replace(REQUEST, correction_passes=2, sampler=sampler, variations=variations)
    events, ending = finish(session, request)
    assert ending.stats.nfe == len(events.frames)
    for number in range(variations):
        frames = [frame for frame in events.frames if frame.variation == number]
        assert all(frame.step <= frame.steps for frame in frames)
    steps = [frame.steps for frame in events.frames if frame.variation == 0]
    assert steps == sorted(steps, reverse=True)
    assert all(frame.remaining_ms >= 0 for frame in events.frames)
    _, again = finish(session, request)
    assert [each.texts for each in again.variations] == [each.texts for each in ending.variations]


def test_stopping_a_correction_keeps_the_whole_text(session: EngineSession) -> None:
    _, plain = finish(session, REQUEST)
    jobs: list[Job] = []

    def stop(event: Event) -> None:
        if isinstance(event, Frame) and event.step > plain.stats.nfe + 2:  # after the judgement, words are masked
            jobs[0].cancel()

    events = Events(stop)
    jobs.append(session.submit(replace(REQUEST, correction_passes=1), events))
    ending = events.ending()
    assert isinstance(ending, Cancelled)
    assert any(cell.state is CellState.MASKED for cell in events.frames[-1].spans[0].cells)
    assert all(cell.state is not CellState.MASKED for cell in ending.spans[0].cells)
    assert ending.spans[0].text == plain.variations[0].texts[0]
