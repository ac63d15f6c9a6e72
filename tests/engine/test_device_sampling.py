"""Sampling for GPUs, run on the CPU: the draws of ordinary sampling, and nothing that would wait for the device."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.device_sampling import LEAST_ROWS, _tell, decide, sample_on_device
from engine.sampling import Sampled, SamplingRule, Score, sample
from tests.engine.models.tape import TapeRecorder

VOCABULARY = 1500
EMPTY = 7


@st.composite
def rules(draw: st.DrawFn, *, nucleus_alone: bool) -> SamplingRule:
    top_p = draw(st.sampled_from((1.0, 0.95, 0.5, 0.01)))
    return SamplingRule(
        temperature=draw(st.sampled_from((0.0, 0.7, 1.0, 1.6))),
        top_p=top_p,
        banned=draw(st.sampled_from(((), (3,), (0, 1, 1499)))),
        empty=draw(st.sampled_from((None, EMPTY))),
        top_k=draw(st.sampled_from((0, 0, 1, 40, 5000) if top_p == 1.0 or nucleus_alone else (1, 40, 5000))),
        min_p=draw(st.sampled_from((0.0, 0.0, 0.2))),
        repetition_penalty=draw(st.sampled_from((1.0, 1.3))),
    )


def arguments(rng: random.Random, rows: int) -> dict[str, Any]:
    together = rng.random() < 0.5
    places = rng.sample(range(1000), rows)
    return {
        "standing": [rng.randrange(VOCABULARY) for _ in range(rng.randint(0, rows))],
        "repeats": [{rng.randrange(VOCABULARY): 2 for _ in range(rng.randint(0, 4))} for _ in range(rows)],
        "forbidden": [rng.sample(range(VOCABULARY), rng.choice((0, 0, 40))) for _ in range(rows)],
        "holes": [(rng.randrange(2), p) if rng.random() < 0.8 else None for p in places] if together else (),
    }


def logits_of(seed: int, rows: int, spread: float) -> torch.Tensor:
    logits = torch.randn(rows, VOCABULARY, generator=torch.Generator().manual_seed(seed)) * spread
    logits[:, EMPTY] += 3 * spread
    return logits


def same(one: Sampled, other: Sampled) -> None:
    assert one.tokens == other.tokens
    for ours, theirs in (
        (one.probabilities, other.probabilities),
        (one.standing, other.standing),
        (one.endings, other.endings),
    ):
        assert ours == pytest.approx(theirs, rel=1e-6)
    assert one.scores == pytest.approx(other.scores, rel=1e-5, abs=1e-7)


@given(rules(nucleus_alone=False), st.integers(0, 10**6), st.sampled_from((1, 2, 3, 9)), st.sampled_from(tuple(Score)))
@settings(max_examples=60)
def test_equal_logits_and_seeds_give_the_draws_of_ordinary_sampling(
    rule: SamplingRule, seed: int, rows: int, score: Score
) -> None:
    rng = random.Random(seed)
    logits = logits_of(seed, rows, rng.choice((0.3, 2.0, 6.0)))
    before = logits.clone()
    may_end = [rng.random() < 0.7 for _ in range(rows)]
    how = arguments(rng, rows)
    generators = [torch.Generator().manual_seed(seed) for _ in range(2)]
    expected = sample(logits, rule, may_end, generators[0], score=score, **how)
    same(sample_on_device(logits, rule, may_end, generators[1], score=score, **how), expected)
    assert torch.equal(logits, before)
    draws = [torch.rand(1, generator=generator) for generator in generators]
    assert draws[0] == draws[1], "another number of random numbers was drawn"


@pytest.mark.parametrize(
    ("rule", "weights"),
    [
        (SamplingRule(1.0, 0.75, ()), [0.4, 0.3, 0.2, 0.0]),
        (SamplingRule(1.0, 0.5, ()), [0.4, 0.3, 0.0, 0.0]),
        (SamplingRule(1.0, 0.95, (1,), min_p=0.6), [0.4, 0.0, 0.0, 0.0]),
        (SamplingRule(0.5, 0.8, ()), [0.16, 0.09, 0.0, 0.0]),
        (SamplingRule(1.0, 0.95, (), min_p=0.6), [0.4, 0.3, 0.0, 0.0]),
    ],
)
def test_what_a_nucleus_leaves_keeps_its_proportions(rule: SamplingRule, weights: list[float]) -> None:
    count = 20_000
    logits = torch.tensor([[0.4, 0.3, 0.2, 0.1]]).log().expand(count, -1)
    drawn = sample_on_device(logits, rule, [True] * count, torch.Generator().manual_seed(1))
    observed = torch.bincount(torch.tensor(drawn.tokens), minlength=4).double()
    expected = torch.tensor(weights, dtype=torch.float64) / sum(weights) * count
    assert not observed[expected == 0].any()
    likely = expected > 0
    assert float((((observed - expected) ** 2) / expected)[likely].sum()) < 13.9  # 0.1 %, 2 degrees of freedom


def test_bfloat16_logits_are_drawn_from_as_they_are() -> None:
    logits = logits_of(3, 4, 2.0).bfloat16()
    rule = SamplingRule(1.0, 0.9, (1,), EMPTY)
    generators = [torch.Generator().manual_seed(8) for _ in range(2)]
    same(
        sample_on_device(logits, rule, [True] * 4, generators[0]),
        sample_on_device(logits.float(), rule, [True] * 4, generators[1]),
    )


def test_no_rows_draw_nothing() -> None:
    drawn = sample_on_device(torch.empty(0, 5), SamplingRule(1.0, 0.9, ()), [], torch.Generator())
    assert dataclasses.astuple(drawn) == ([], [], [], [], [])


@given(rules(nucleus_alone=True), st.integers(0, 10**6), st.sampled_from(tuple(Score)))
@settings(max_examples=40)
def test_a_draw_waits_for_nothing_and_two_alike_are_the_same_operations(
    rule: SamplingRule, seed: int, score: Score
) -> None:
    rng = random.Random(seed)
    rows = rng.choice((LEAST_ROWS, 5))
    how = arguments(rng, rows)
    generator = torch.Generator().manual_seed(seed)
    may_end = [True] * rows
    told = _tell(torch.device("cpu"), rows, rule, may_end, generator, **how)
    first, second = logits_of(seed, rows, 2.0), logits_of(seed + 1, rows, 2.0)
    logits = first.clone()
    expected = decide(second, rule, score, told)
    replay = TapeRecorder().record(lambda: decide(logits, rule, score, told))
    logits.copy_(second)
    assert torch.equal(replay(), expected)
