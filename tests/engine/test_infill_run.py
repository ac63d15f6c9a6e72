"""One request from text to ending: what several results are ranked by, memory that runs out, odd text."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from engine.cache_pool import CachePool
from engine.framing import frame
from engine.infill_run import InfillRun
from engine.likelihood import doubt_span
from engine.models.base import ModelAdapter
from engine.runner import Runner
from engine.session import EngineSession, Job, answer_of
from engine.types import (
    Doubted,
    DoubtRequest,
    Ending,
    Failed,
    Finished,
    Frame,
    InfillRequest,
    Mode,
    ModelChoice,
    Scored,
    ScoreRequest,
    TextSpan,
)
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


def test_a_model_whose_results_share_no_context_writes_them_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = load_tiny(write_checkpoint(tmp_path / "model", attention="mixed2"))
    monkeypatch.setattr(adapter, "step_batch", lambda *_: pytest.fail("a cache for each result"))
    runner = Runner(adapter)
    several, *alone = (
        runner.run(Job(1, ""), replace(REQUEST, variations=count, seed=seed), lambda event: None)
        for count, seed in ((2, 5), (1, 5), (1, 6))
    )
    assert isinstance(several, Finished)
    singles = [single for single in alone if isinstance(single, Finished)]
    assert [variation.texts for variation in several.variations] == [single.variations[0].texts for single in singles]
    assert several.stats.nfe == sum(single.stats.nfe for single in singles)


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


@pytest.mark.parametrize(
    ("attention", "variations", "left"), [("causal", 3, [4, 3]), ("mixed2", 2, [5, 4, 2, 1]), ("causal", 1, [1, 0])]
)
def test_the_time_left_counts_the_passes_that_judge_results(
    tmp_path: Path, attention: str, variations: int, left: list[int]
) -> None:
    runner = Runner(load_tiny(write_checkpoint(tmp_path / "model", attention=attention)))
    frames: list[Frame] = []
    request = replace(REQUEST, variations=variations, sampler="confidence")
    runner.run(Job(1, ""), request, lambda event: frames.append(event) if isinstance(event, Frame) else None)
    assert len(frames) == len(left)
    for sent, passes in zip(frames, left, strict=True):
        a_pass = (sent.stats.elapsed_ms - sent.stats.prefill_ms) / sent.stats.nfe
        assert sent.remaining_ms == pytest.approx(passes * a_pass)


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


class _FullOnce:
    """A model for which memory runs out in one pass."""

    def __init__(self, adapter: ModelAdapter) -> None:
        self._adapter = adapter
        self.passes = 0
        self.fails_at = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    def step(self, *args: Any, **options: Any) -> Tensor:
        self.passes += 1
        if self.passes == self.fails_at:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough memory")
        return self._adapter.step(*args, **options)


def test_when_memory_runs_out_in_the_middle_the_job_says_what_to_do_and_the_cache_is_dropped(tmp_path: Path) -> None:
    model = _FullOnce(load_tiny(write_checkpoint(tmp_path / "full")))
    session = EngineSession(loader=lambda _choice: model)
    request = replace(REQUEST, text=TEXT * 2, alpha_0=0.5, steps=6)
    first = fill(session, request)
    assert fill(session, request).stats.reused_tokens > 0
    model.fails_at = model.passes + 4
    failed = ending_of(session, request)
    assert isinstance(failed, Failed)
    assert failed.kind == "OutOfMemoryError"
    assert "Your text is unchanged; select less" in failed.message
    again = fill(session, request)
    assert again.stats.reused_tokens == 0
    assert again.variations == first.variations
    assert session.close()


ODD = {
    "lone surrogates": "a\ud800b \udfff one two\n",
    "NUL": "zero\x00 and \x00\x00 one two\n",
    "emoji sequences": "👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 one 👍🏽 two\n",
    "right to left": "שלום עולם one مرحبا بالعالم two\n",
    "combining marks": "e\u0301\u0301\u0301 a\u030a one \u200d\ufeff two\n",
    "line ends": "\r\none\r\r\n\n\x0c two\r",
    "one line of blanks": " " * 60,
}


@pytest.mark.parametrize("kind", list(ODD))
@pytest.mark.parametrize("mode", list(Mode))
def test_odd_text_is_filled_at_any_place_and_comes_back_as_characters(
    session: EngineSession, kind: str, mode: Mode
) -> None:
    text = ODD[kind]
    places = range(0, len(text) - 4, 5)
    spans = [TextSpan(at, at if mode is Mode.CONTINUE else at + 4) for at in places]
    for seed, span in enumerate(spans):
        request = InfillRequest(text, (span,), mode=mode, steps=2, alpha_0=0.5, seed=seed, temperature=1.5)
        (new,) = fill(session, request).variations[0].texts
        assert new.encode() is not None  # characters, every one of them


@pytest.mark.parametrize("kind", list(ODD))
def test_odd_text_is_scored_and_doubted_token_by_token(session: EngineSession, kind: str) -> None:
    text = ODD[kind]
    for span in (None, TextSpan(1, 7), TextSpan(len(text) - 3, len(text))):
        request = ScoreRequest(text, span, orders=0 if span is None else 2)
        scored = answer_of(Scored, partial(session.score, request))
        assert math.isfinite(scored.bits_per_byte)
        wanted = span or TextSpan(0, len(text))
        assert (scored.tokens[0].start, scored.tokens[-1].end) == (wanted.start, wanted.end)
    doubted = answer_of(Doubted, partial(session.doubt, DoubtRequest(text)))
    assert all(math.isfinite(word.log_likelihood) for word in doubted.words)


def test_refine_masks_what_the_exact_likelihood_gives_least(tmp_path: Path) -> None:
    adapter = load_tiny(write_checkpoint(tmp_path / "refine"))
    request = replace(REQUEST, mode=Mode.REFINE, strength=0.4)
    pieces = frame(request, adapter.config, adapter.tokenizer)
    index = next(index for index, piece in enumerate(pieces) if piece.span == 0)
    lease = CachePool(adapter.new_cache).lease
    likelihoods = doubt_span(adapter, lease, pieces, index, request.context_order)
    count = round(0.4 * len(likelihoods))
    least_likely = sorted(sorted(range(len(likelihoods)), key=lambda place: likelihoods[place])[:count])

    run = InfillRun(adapter, CachePool(adapter.new_cache), Job(1, ""), request, lambda _event: None, time.perf_counter)
    run.carry_out()

    start = len(pieces[0].ids)
    assert sorted(run._canvases[0].written) == [start + place for place in least_likely]
