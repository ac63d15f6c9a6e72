"""Samplers against cases worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from pathlib import Path

import pytest
import torch

from engine.errors import RequestError
from engine.samplers import SAMPLERS, Moment, Proposal, Sampler, make_sampler
from engine.schedule import SCHEDULES
from engine.types import SAMPLER_NAMES


def moment(
    count: int = 1,
    *,
    left: int = 4,
    step: int = 0,
    steps: int = 4,
    alpha: float = 0.0,
    next_alpha: float = 0.25,
    seed: int = 0,
) -> Moment:
    return Moment(count, left, step, steps, alpha, next_alpha, torch.Generator().manual_seed(seed))


def proposal(
    scores: Sequence[float],
    *,
    positions: Sequence[int] = (9, 4, 7, 1, 3, 6),
    ends: Sequence[int | None] = (),
    standing: int = 0,
    redrawn: int = 0,
) -> Proposal:
    count = len(scores)
    tokens = list(range(100, 100 + count))
    return Proposal(positions[:count], tokens, scores, scores, ends, standing, redrawn)


def accepted(name: str, what: Proposal, when: Moment) -> list[int]:
    return list(make_sampler(name).accept(what, when))


def test_ancestral_looks_only_at_the_steps_own_positions_and_accepts_them_all() -> None:
    sampler = make_sampler("ancestral")
    assert sampler.look_at([9, 4, 7, 1], moment(2)) == [9, 4]
    assert list(sampler.accept(proposal([0.1, 0.9]), moment(2))) == [0, 1]


@pytest.mark.parametrize("name", ["confidence", "maskgit-plus", "margin"])
def test_confidence_and_its_kin_look_at_everything_and_accept_the_surest(name: str) -> None:
    assert make_sampler(name).look_at([9, 4, 7, 1], moment(2)) == [9, 4, 7, 1]
    assert accepted(name, proposal([0.2, 0.9, 0.5, 0.9]), moment(3)) == [3, 1, 2]


def test_the_kin_of_confidence_differ_in_what_sureness_is() -> None:
    assert [make_sampler(name).score.value for name in ("confidence", "maskgit-plus", "margin")] == [
        "probability",
        "shaped",
        "margin",
    ]


def test_the_threshold_accepts_all_that_is_sure_and_at_least_what_the_schedule_needs() -> None:
    assert accepted("threshold", proposal([0.2, 0.95, 0.91, 0.5]), moment(1)) == [1, 2]
    assert accepted("threshold", proposal([0.2, 0.4, 0.3, 0.5]), moment(1)) == [3]
    assert accepted("threshold", proposal([0.2, 0.95, 0.3, 0.5]), moment(3)) == [1, 3, 2]


def test_the_threshold_writes_no_more_than_diffusions_share() -> None:
    assert accepted("threshold", proposal([0.99, 0.98, 0.97, 0.96]), moment(1, left=2)) == [0, 1]


def test_the_entropy_bound_leaves_the_largest_entropy_out_of_the_sum() -> None:
    # Sums before each in rising order: 0, 0.02, 0.07 (within 0.1), 0.13 (not).
    assert accepted("entropy-bounded", proposal([-0.06, -0.02, -0.05, -2.0]), moment(1)) == [1, 2, 0]
    assert accepted("entropy-bounded", proposal([-0.04, -0.02, -0.03, -2.0]), moment(1)) == [1, 2, 0, 3]
    assert accepted("entropy-bounded", proposal([-3.0, -2.0]), moment(1)) == [1]


def test_empty_tokens_of_one_hole_count_as_one_and_the_leftmost_stands_for_them() -> None:
    # By sureness: empties at 9, 7, 6 of the hole at 0, then text at 4, 1.
    what = proposal([0.99, 0.8, 0.98, 0.7, 0.1, 0.97], ends=[0, None, 0, None, None, 0])
    assert accepted("confidence", what, moment(2)) == [5, 1]
    other_hole = proposal([0.99, 0.98, 0.97], positions=[9, 25, 7], ends=[0, 20, 0])
    assert accepted("confidence", other_hole, moment(2)) == [0, 1]
    assert accepted("confidence", other_hole, moment(3)) == [1, 2]


def test_remdm_takes_tokens_back_with_the_probability_of_the_paper() -> None:
    sampler, psi = make_sampler("remdm"), [0.9, 0.1, 0.5]
    sigma = min(1.0, (1 - 0.75) / 0.5)
    expected = [sigma * exp(-p) / sum(exp(-q) for q in psi) for p in psi]
    generator, counts, draws = torch.Generator().manual_seed(0), [0, 0, 0], 4000
    for _ in range(draws):
        for index in sampler.forget(psi, Moment(1, 4, 2, 4, 0.5, 0.75, generator)):
            counts[index] += 1
    assert [count / draws for count in counts] == pytest.approx(expected, abs=0.02)


def test_remdm_takes_nothing_back_in_the_last_step_and_feeds_only_the_steps_own_masks() -> None:
    sampler = make_sampler("remdm")
    assert sampler.forget([0.01] * 50, moment(step=3, alpha=0.75, next_alpha=1.0)) == []
    assert sampler.forget([], moment()) == ()
    assert sampler.look_at([3, 1, 2], moment(2)) == [3, 1]
    assert list(sampler.accept(proposal([0.1, 0.2]), moment(2))) == [0, 1]


def test_p2_keeps_the_surest_of_standing_and_fresh_tokens_alike() -> None:
    what = proposal([0.9, 0.2, 0.99, 0.5, 0.6], standing=2, redrawn=1)  # row 2 is drawn anew: not for P2
    assert accepted("p2", what, moment(1)) == [0, 4, 3]
    assert accepted("p2", what, moment(2)) == [0, 4, 3, 1]


def test_renoise_replaces_what_was_drawn_anew_and_keeps_what_is_within_the_bound() -> None:
    positions = [9, 4, 4, 7, 1]  # 9 and 4 stand, 4 was drawn anew, 7 and 1 are masks
    what = proposal([-0.01, -0.5, -0.02, -0.09, -3.0], positions=positions, standing=2, redrawn=1)
    sampler = make_sampler("renoise")
    assert list(sampler.accept(what, moment(0))) == [0, 2, 3]
    assert not sampler.settled


def test_renoise_drops_what_it_is_no_longer_sure_of() -> None:
    what = proposal([-0.01, -2.0, -0.2, -1.0], standing=2)
    assert accepted("renoise", what, moment(0)) == [0, 2]  # 0.01 + 0.2 - 0.2 is within the bound, 0.21 is not


def test_renoise_settles_when_the_text_stays_and_the_mean_entropy_is_low() -> None:
    sampler = make_sampler("renoise")
    sampler.accept(proposal([-0.004, -0.003], standing=2), moment(0, left=0))
    assert sampler.settled
    sampler.accept(proposal([-0.008, -0.009], standing=2), moment(0, left=0))
    assert not sampler.settled


def test_coarse_to_fine_writes_the_draft_in_the_first_half_of_the_steps() -> None:
    fresh = proposal([0.3, 0.2, 0.6, 0.1])
    assert accepted("coarse-to-fine", fresh, moment(left=4, steps=4)) == [2, 0]
    assert accepted("coarse-to-fine", fresh, moment(left=4, step=1, steps=4)) == [2, 0, 1, 3]
    assert accepted("coarse-to-fine", proposal([0.95, 0.92, 0.91, 0.1]), moment(left=4, steps=8)) == [0, 1, 2]


def test_coarse_to_fine_replaces_doubtful_tokens_by_likelier_ones_until_nothing_changes() -> None:
    positions = [9, 4, 7, 4, 7]
    what = proposal([0.95, 0.1, 0.6, 0.3, 0.9], positions=positions, standing=3, redrawn=2)
    sampler = make_sampler("coarse-to-fine")
    later = moment(0, left=0, step=3)
    assert list(sampler.accept(what, later)) == [0, 2, 3]  # 0.6 is not doubtful: it stays although 0.9 was drawn
    assert not sampler.settled
    worse = proposal([0.95, 0.3, 0.6, 0.2], positions=[9, 4, 7, 4], standing=3, redrawn=1)
    assert list(sampler.accept(worse, later)) == [0, 2, 1]
    assert sampler.settled


def test_coarse_to_fine_ends_early_when_all_is_sure() -> None:
    sampler = make_sampler("coarse-to-fine")
    sampler.accept(proposal([0.95, 0.99], standing=1), moment(left=1))
    assert sampler.settled


def test_an_unknown_sampler_is_refused_by_name() -> None:
    with pytest.raises(RequestError, match="magic"):
        make_sampler("magic")


def test_every_sampler_is_known_by_its_own_name_and_says_where_it_comes_from() -> None:
    assert tuple(SAMPLERS) == SAMPLER_NAMES
    for name in SAMPLERS:
        sampler = make_sampler(name)
        assert isinstance(sampler, Sampler)
        assert sampler.name == name
        assert "arXiv" in (type(sampler).__doc__ or "") or name == "renoise"


def test_the_page_on_sampling_names_every_sampler_and_schedule() -> None:
    page = Path(__file__).parents[3].joinpath("docs", "sampling.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert set(SAMPLERS) | set(SCHEDULES) <= rows


def test_sampled_entropies_are_in_nats() -> None:
    from engine.sampling import SamplingRule, Score, sample

    drawn = sample(
        torch.zeros(1, 8), SamplingRule(1.0, 1.0, ()), [True], torch.Generator().manual_seed(0), score=Score.ENTROPY
    )
    assert drawn.scores == pytest.approx([-log(8)])
