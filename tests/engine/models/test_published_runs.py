"""A converted model at work, from text to text: every mode, with and without the cache."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.models.base import ModelAdapter
from engine.models.convert import convert
from engine.runner import Runner
from engine.session import Job
from engine.types import Finished, InfillRequest, Mode, Scored, ScoreRequest, TextSpan
from tests.engine.models.published import small_network, trained_tokenizer, write_ckpt
from tests.engine.tiny import load_tiny

TEXT = "the man in the van and an ant in a tin: the end\n" * 2
REQUEST = InfillRequest(TEXT, (TextSpan(8, 14), TextSpan(50, 53)), steps=3, alpha_0=0.5, capacity=8, seed=4)


@pytest.fixture(scope="module", params=["A", "B"])
def adapter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelAdapter:
    folder: Path = tmp_path_factory.mktemp("published")
    network = small_network(request.param, length=128)
    return load_tiny(
        convert(write_ckpt(folder / "x.ckpt", network, variant=request.param, tokenizer=trained_tokenizer()))
    )


def fill(adapter: ModelAdapter, request: InfillRequest) -> Finished:
    ending = Runner(adapter).run(Job(1, ""), request, lambda event: None)
    assert isinstance(ending, Finished)
    return ending


@pytest.mark.parametrize("alpha_0", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("mode", [Mode.FILL, Mode.REFINE])
def test_a_request_gives_the_same_text_with_and_without_the_cache(
    adapter: ModelAdapter, mode: Mode, alpha_0: float
) -> None:
    request = replace(REQUEST, mode=mode, alpha_0=alpha_0)
    first = fill(adapter, request)
    assert all(text for text in first.variations[0].texts)
    assert [v.texts for v in fill(adapter, request).variations] == [v.texts for v in first.variations]
    without = fill(adapter, replace(request, use_cache=False))
    assert [v.texts for v in without.variations] == [v.texts for v in first.variations]


def test_the_same_runner_gives_the_same_again_and_reuses_only_what_is_exact(adapter: ModelAdapter) -> None:
    runner, events = Runner(adapter), list[object]()
    runs = [runner.run(Job(number, ""), REQUEST, events.append) for number in (1, 2)]
    first, second = (run for run in runs if isinstance(run, Finished))
    assert first.variations == second.variations
    assert bool(second.stats.reused_tokens) is (adapter.config.attention.value == "causal")


def test_variations_in_one_batch_are_single_runs(adapter: ModelAdapter) -> None:
    both = fill(adapter, replace(REQUEST, variations=2))
    alone = [fill(adapter, replace(REQUEST, seed=REQUEST.seed + number)) for number in range(2)]
    texts = [variation.texts for variation in both.variations]
    assert sorted(texts) == sorted(run.variations[0].texts for run in alone)


def test_a_text_and_a_span_are_scored(adapter: ModelAdapter) -> None:
    for span in (None, TextSpan(4, 14)):
        scored = Runner(adapter).score(Job(1, ""), ScoreRequest(TEXT, span))
        assert isinstance(scored, Scored)
        assert 0 < scored.bits_per_byte < 40
        assert all(token.log_likelihood < 0 for token in scored.tokens)


def test_no_special_token_is_ever_written(adapter: ModelAdapter) -> None:
    for seed in range(4):
        for variation in fill(adapter, replace(REQUEST, seed=seed, temperature=3.0)).variations:
            assert "<|endoftext|>" not in "".join(variation.texts)
