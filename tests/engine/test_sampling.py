"""Sampling: exact frequencies, nucleus, bans."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
import torch

from engine.sampling import SamplingRule, Score, end_bar, sample
from engine.shaped import end_share

COUNT = 20_000


def rule(
    temperature: float = 1.0,
    top_p: float = 1.0,
    banned: tuple[int, ...] = (),
    *,
    top_k: int = 0,
    min_p: float = 0.0,
    repetition_penalty: float = 1.0,
) -> SamplingRule:
    return SamplingRule(temperature, top_p, banned, 0, top_k, min_p, repetition_penalty)


def draw(
    logits: torch.Tensor,
    how: SamplingRule,
    count: int,
    *,
    may_end: bool = True,
    repeats: Mapping[int, int] | None = None,
) -> list[int]:
    generator = torch.Generator().manual_seed(1)
    rows = logits.expand(count, -1)
    return sample(rows, how, [may_end] * count, generator, repeats=[repeats] * count if repeats else ()).tokens


def check_frequencies(tokens: list[int], probabilities: torch.Tensor) -> None:
    """Chi square with at most 5 degrees of freedom, at its 0.1 % quantile; what has probability 0 is never drawn."""
    observed = torch.bincount(torch.tensor(tokens), minlength=len(probabilities)).double()
    expected = probabilities.double() * len(tokens)
    assert not observed[expected == 0].any()
    likely = expected > 5
    assert float((((observed - expected) ** 2) / expected)[likely].sum()) < 20.5


LOGITS = torch.tensor([[2.0, 1.0, 0.0, -1.0, -3.0, -6.0]])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_frequencies_match_the_softmax_by_a_chi_square_test(temperature: float) -> None:
    check_frequencies(draw(LOGITS, rule(temperature), COUNT), (LOGITS[0] / temperature).softmax(-1))


@pytest.mark.parametrize(
    ("how", "weights"),
    [
        (rule(top_k=3), [0.4, 0.3, 0.15, 0, 0, 0]),
        (rule(top_p=0.2), [0.4, 0, 0, 0, 0, 0]),
        (rule(top_p=0.6), [0.4, 0.3, 0, 0, 0, 0]),
        (rule(top_p=0.97), [0.4, 0.3, 0.15, 0.1, 0.04, 0]),
        (rule(top_k=99), [0.4, 0.3, 0.15, 0.1, 0.04, 0.01]),
        (rule(top_k=4, top_p=0.85), [0.4, 0.3, 0.15, 0, 0, 0]),  # 0.85 / 0.95 of what top-k left
        (rule(top_k=3, top_p=0.8), [0.4, 0.3, 0, 0, 0, 0]),
        (rule(min_p=0.3), [0.4, 0.3, 0.15, 0, 0, 0]),
        (rule(min_p=0.3, top_p=0.65), [0.4, 0.3, 0, 0, 0, 0]),
        (rule(min_p=0.5, top_k=5), [0.4, 0.3, 0, 0, 0, 0]),
        (rule(temperature=0.5, min_p=0.2), [0.16, 0.09, 0, 0, 0, 0]),  # of the tempered distribution
        (rule(top_p=0.9, banned=(1,)), [0.4, 0, 0.15, 0.1, 0, 0]),
    ],
)
def test_what_the_cuts_leave_keeps_its_proportions(how: SamplingRule, weights: list[float]) -> None:
    logits = torch.tensor([[0.4, 0.3, 0.15, 0.1, 0.04, 0.01]]).log()
    check_frequencies(draw(logits, how, COUNT), torch.tensor(weights) / sum(weights))


def test_the_repetition_guard_makes_a_repeat_less_likely_by_the_penalty_to_the_power_of_its_length() -> None:
    own = torch.tensor([0.4, 0.3, 0.2, 0.1])
    guarded = own * torch.tensor([1.0, 1.2**-2, 1.2**-4, 1.0])
    tokens = draw(own.log()[None], rule(repetition_penalty=1.2), COUNT, repeats={1: 2, 2: 4})
    check_frequencies(tokens, guarded / guarded.sum())


def test_the_repetition_guard_is_off_at_1_and_decides_at_temperature_0() -> None:
    own = torch.tensor([[0.5, 0.4, 0.1]]).log()
    assert set(draw(own, rule(temperature=0.0), 3, repeats={0: 2})) == {0}
    assert set(draw(own, rule(temperature=0.0, repetition_penalty=1.2), 3, repeats={0: 2})) == {1}


def test_a_low_probability_is_drawn_as_often_as_it_should_be() -> None:
    logits = torch.tensor([[0.0, -9.0]])  # 1 in 8,104
    drawn = sum(draw(logits, rule(), 400_000))
    assert drawn == pytest.approx(400_000 / 8104, rel=0.45)  # three standard deviations


def test_temperature_zero_takes_the_likeliest() -> None:
    assert set(draw(torch.tensor([[0.0, 3.0, 1.0]]), rule(temperature=0.0), 5)) == {1}


def test_the_nucleus_is_the_smallest_set_that_holds_top_p() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
    assert set(draw(logits, rule(top_p=0.7), 4000)) == {0, 1}
    assert set(draw(logits, rule(top_p=0.81), 4000)) == {0, 1, 2}


def test_of_equal_tokens_only_as_many_as_hold_top_p_are_drawn() -> None:
    tokens = draw(torch.zeros(1, 300), rule(top_p=0.9), 2000)
    assert len(set(tokens)) > 250
    assert max(tokens) < 271
    assert set(draw(torch.zeros(1, 300), rule(top_p=0.005), 100)) == {0, 1}


def test_what_one_row_draws_does_not_depend_on_the_others() -> None:
    logits = torch.randn(40, 50, generator=torch.Generator().manual_seed(4))
    together = sample(logits, rule(top_p=0.4), [True] * 40, torch.Generator().manual_seed(2)).tokens
    single = torch.Generator().manual_seed(2)
    assert together == [sample(row[None], rule(top_p=0.4), [True], single).tokens[0] for row in logits]


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


def test_the_guard_and_the_cuts_leave_the_reported_probability_alone() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.2]]).log()
    how = rule(temperature=0.0, top_k=1, min_p=0.9, repetition_penalty=3.0)
    sampled = sample(logits, how, [True], torch.Generator().manual_seed(0), repeats=[{0: 2}])
    assert sampled.tokens == [1]
    assert sampled.probabilities == pytest.approx([0.3])


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (Score.PROBABILITY, 0.5),
        (Score.SHAPED, 0.5),
        (Score.MARGIN, 0.25),
        (Score.ENTROPY, 0.5 * math.log(0.5) + 2 * 0.25 * math.log(0.25)),
    ],
)
def test_scores_measure_the_models_own_distribution(score: Score, expected: float) -> None:
    logits = torch.tensor([[0.5, 0.25, 0.25]]).log()
    drawn = sample(logits, rule(temperature=0.0), [True], torch.Generator().manual_seed(0), score=score)
    assert drawn.scores == pytest.approx([expected])


def test_standing_tokens_are_judged_beside_the_draw() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]).log()
    drawn = sample(logits, rule(temperature=0.0), [True, True], torch.Generator().manual_seed(0), standing=[2])
    assert drawn.standing == pytest.approx([0.2])
    assert drawn.tokens == [0, 2]


def test_the_rows_of_a_hole_agree_on_its_length_and_every_length_is_as_likely_as_the_model_says() -> None:
    chance = torch.tensor([0.1, 0.4, 0.4, 0.9])  # that the text is no longer than positions 0, 1, 2, 3
    logits = torch.stack((chance.log(), ((1 - chance) / 2).log(), ((1 - chance) / 2).log()), dim=1)
    generator = torch.Generator().manual_seed(2)
    lengths = torch.zeros(5)
    for _ in range(4000):
        tokens = sample(logits, rule(), [True] * 4, generator, holes=[(7, position) for position in range(4)]).tokens
        length = tokens.index(0) if 0 in tokens else 4
        assert tokens[length:] == [0] * (4 - length)
        lengths[length] += 1
    expected = torch.tensor([0.1, 0.3, 0.0, 0.5, 0.1]) * 4000
    assert lengths[2] == 0
    assert float((((lengths - expected) ** 2)[expected > 0] / expected[expected > 0]).sum()) < 16.3  # 0.1 %, 3 degrees


def test_greedy_takes_the_median_length_of_every_hole() -> None:
    chance = torch.tensor([0.3, 0.6, 0.7])
    logits = torch.stack((chance.log(), (1 - chance).log() - 2, (1 - chance).log()), dim=1)
    places = [(1, 5), (1, 9), (2, 30)]
    drawn = sample(logits, rule(temperature=0.0), [True] * 3, torch.Generator().manual_seed(0), holes=places)
    assert drawn.tokens == [2, 0, 0]


@pytest.mark.parametrize(
    ("temperature", "top_p", "chance", "share"),
    [
        (1.0, 1.0, 0.2, 0.2),
        (0.5, 1.0, 0.2, 0.04 / 0.68),
        (0.0, 1.0, 0.49, 0.0),
        (0.0, 1.0, 0.51, 1.0),
        (1.0, 0.75, 0.2, 0.0),
        (1.0, 0.75, 0.8, 1.0),
        (1.0, 0.75, 0.3, 0.3),
        (1.0, 0.2, 0.6, 1.0),
    ],
)
def test_a_hole_ends_by_a_coin_with_temperature_and_nucleus(
    temperature: float, top_p: float, chance: float, share: float
) -> None:
    coin = rule(temperature=temperature, top_p=top_p)
    ended = [chance > end_bar((number + 0.5) / 1000, coin) for number in range(1000)]
    assert sum(ended) / 1000 == pytest.approx(share, abs=0.001)


@pytest.mark.parametrize(
    ("how", "weights"),
    [
        (rule(), [0.4, 0.3, 0.15, 0.1, 0.04, 0.01]),
        (rule(temperature=0.5), [0.16, 0.09, 0.0225, 0.01, 0.0016, 0.0001]),
        (rule(top_p=0.6), [0.4, 0.3, 0, 0, 0, 0]),
        (rule(top_k=4, top_p=0.85), [0.4, 0.3, 0.15, 0, 0, 0]),
        (rule(min_p=0.3), [0.4, 0.3, 0.15, 0, 0, 0]),
        (rule(top_p=0.9, banned=(1,)), [0.4, 0, 0.15, 0.1, 0, 0]),
    ],
)
def test_the_shaped_score_is_the_probability_with_which_the_token_was_drawn(
    how: SamplingRule, weights: list[float]
) -> None:
    logits = torch.tensor([0.4, 0.3, 0.15, 0.1, 0.04, 0.01]).log().expand(300, -1)
    drawn = sample(logits, how, [True] * 300, torch.Generator().manual_seed(1), score=Score.SHAPED)
    assert drawn.scores == pytest.approx([weights[token] / sum(weights) for token in drawn.tokens], rel=1e-5)


def test_the_shaped_score_finds_a_nucleus_of_any_size() -> None:
    logits = torch.zeros(2, 2000)
    logits[1, 5] = 20.0
    drawn = sample(logits, rule(top_p=0.9), [True, True], torch.Generator().manual_seed(1), score=Score.SHAPED)
    assert drawn.scores == pytest.approx([1 / 1800, 1.0], rel=1e-2)


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.5, 1.0), (1.0, 0.75), (1.0, 0.2), (0.7, 0.9)])
@pytest.mark.parametrize("chance", [0.1, 0.2, 0.3, 0.6, 0.8])
def test_the_share_of_ends_is_what_the_coin_does(temperature: float, top_p: float, chance: float) -> None:
    coin = rule(temperature=temperature, top_p=top_p)
    ended = [chance > end_bar((number + 0.5) / 1000, coin) for number in range(1000)]
    assert float(end_share(torch.tensor([chance]), coin)) == pytest.approx(sum(ended) / 1000, abs=0.001)


def test_a_token_that_was_drawn_beside_a_coin_counts_with_what_the_coin_left() -> None:
    logits = torch.tensor([[0.2, 0.6, 0.2]]).log()
    how = rule(temperature=0.5)
    for seed in range(12):
        generator = torch.Generator().manual_seed(seed)
        drawn = sample(logits, how, [True], generator, score=Score.SHAPED, holes=[(1, 5)])
        ends = 0.04 / 0.68
        share = {0: ends, 1: 0.9 * (1 - ends), 2: 0.1 * (1 - ends)}[drawn.tokens[0]]
        assert drawn.scores == pytest.approx([share], rel=1e-5)


def test_where_a_coin_fell_before_the_score_is_how_likely_that_was() -> None:
    """Two holes whose chances of an end fall along the way; the rows are not in order."""
    chances = torch.tensor([0.1, 0.5, 0.2, 0.02, 0.9])
    holes = [(1, 9), (1, 3), (2, 20), (2, 30), (1, 4)]
    coins = [1.0, 0.5, 0.0, 0.0, 1.0]  # of 0.9, 0.5, 0.2, 0.2 and 0.9 with the nucleus
    logits = torch.stack((chances.log(), (0.8 * (1 - chances)).log(), (0.2 * (1 - chances)).log()), dim=1)
    generator, seen = torch.Generator().manual_seed(0), set()
    for _ in range(20):
        drawn = sample(logits, rule(top_p=0.75), [True] * 5, generator, score=Score.SHAPED, holes=holes)
        expected = [coin if token == 0 else 1 - coin for coin, token in zip(coins, drawn.tokens, strict=True)]
        assert drawn.scores == pytest.approx(expected)
        seen.add(tuple(token == 0 for token in drawn.tokens))
    assert seen == {(True, True, False, False, True), (True, False, False, False, True)}
