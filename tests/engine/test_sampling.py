"""Sampling: exact frequencies, nucleus, bans."""

from __future__ import annotations

import pytest
import torch

from engine.sampling import SamplingRule, sample


def rule(temperature: float = 1.0, top_p: float = 1.0, banned: tuple[int, ...] = ()) -> SamplingRule:
    return SamplingRule(temperature, top_p, banned, empty=0)


def draw(logits: torch.Tensor, how: SamplingRule, count: int, *, may_end: bool = True) -> list[int]:
    generator = torch.Generator().manual_seed(1)
    rows = logits.expand(count, -1)
    return sample(rows, how, [may_end] * count, generator).tokens


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_match_the_softmax_by_a_chi_square_test(temperature: float) -> None:
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0, -3.0, -6.0]])
    count = 40_000
    tokens = torch.tensor(draw(logits, rule(temperature), count))
    expected = (logits[0] / temperature).softmax(-1).double() * count
    observed = torch.bincount(tokens, minlength=6).double()
    likely = expected > 5
    statistic = float((((observed - expected) ** 2) / expected)[likely].sum())
    assert statistic < 20.5  # 0.1 % quantile of chi square with 5 degrees of freedom


def test_temperature_zero_takes_the_likeliest() -> None:
    assert set(draw(torch.tensor([[0.0, 3.0, 1.0]]), rule(temperature=0.0), 5)) == {1}


def test_the_nucleus_is_the_smallest_set_that_holds_top_p() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
    assert set(draw(logits, rule(top_p=0.7), 4000)) == {0, 1}
    assert set(draw(logits, rule(top_p=0.81), 4000)) == {0, 1, 2}


def test_a_flat_distribution_needs_the_full_sort_and_still_keeps_its_nucleus() -> None:
    tokens = draw(torch.zeros(1, 3000), rule(top_p=0.9), 3000)
    assert len(set(tokens)) > 1500


def test_banned_tokens_are_never_drawn() -> None:
    logits = torch.tensor([[1.0, 50.0, 0.0, 0.0]])
    assert 1 not in draw(logits, rule(banned=(1,)), 500)


def test_the_empty_token_is_only_drawn_where_the_hole_may_end() -> None:
    logits = torch.tensor([[50.0, 1.0, 0.0]])
    assert set(draw(logits, rule(), 20)) == {0}
    assert 0 not in draw(logits, rule(), 20, may_end=False)


def test_the_logits_are_left_as_they_were() -> None:
    logits = torch.tensor([[1.0, 2.0, 3.0]])
    draw(logits, rule(banned=(2,)), 3, may_end=False)
    assert logits.tolist() == [[1.0, 2.0, 3.0]]


def test_the_reported_probability_is_the_models_own() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.2]]).log()
    sampled = sample(logits, rule(temperature=0.0), [True], torch.Generator().manual_seed(0))
    assert sampled.probabilities == pytest.approx([0.5])
