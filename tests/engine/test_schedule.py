"""Schedules: which positions, in which order, how many a step."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import RequestError
from engine.schedule import SCHEDULES, Plan, make_schedule, reveal_count
from engine.types import SCHEDULE_NAMES


def plan_of(name: str, positions: int, steps: int, alpha_0: float = 1.0, seed: int = 0) -> Plan:
    return make_schedule(name).plan(range(positions), alpha_0, steps, torch.Generator().manual_seed(seed))


def counts_of(plan: Plan) -> list[int]:
    remaining, counts = plan.parallel, []
    for share in plan.shares:
        counts.append(reveal_count(remaining, share))
        remaining -= counts[-1]
    assert remaining == 0
    return counts


def spread(order: Sequence[int], counts: Sequence[int]) -> list[list[int]]:
    groups, start = [], 0
    for count in counts:
        groups.append(list(order[start : start + count]))
        start += count
    return groups


@given(st.sampled_from(sorted(SCHEDULES)), st.integers(0, 200), st.integers(1, 64), st.floats(0, 1), st.integers(0, 9))
def test_every_plan_reveals_its_share_in_at_most_the_steps_and_each_step_something(
    name: str, positions: int, steps: int, alpha_0: float, seed: int
) -> None:
    plan = plan_of(name, positions, steps, alpha_0, seed)
    counts = counts_of(plan)
    assert sorted(plan.order) == list(range(positions))
    assert sum(counts) == plan.parallel <= positions
    assert len(counts) <= steps
    assert all(count >= 1 for count in counts)


@pytest.mark.parametrize("name", ["log-linear", "cosine", "left-to-right"])
@pytest.mark.parametrize(("alpha_0", "parallel"), [(1.0, 64), (0.0, 0), (0.25, 16)])
def test_alpha_0_splits_the_positions(name: str, alpha_0: float, parallel: int) -> None:
    assert plan_of(name, 64, 8, alpha_0).parallel == parallel


def test_log_linear_reveals_equally_many_at_every_step_in_random_order() -> None:
    plan = plan_of("log-linear", 64, 16)
    assert counts_of(plan) == [4] * 16
    assert plan.order != list(range(64))
    assert plan.order != plan_of("log-linear", 64, 16, seed=1).order


@pytest.mark.parametrize(
    ("positions", "steps", "counts"), [(10, 4, [3, 3, 2, 2]), (7, 3, [3, 2, 2]), (3, 8, [1, 1, 1])]
)
def test_log_linear_deals_what_does_not_divide_to_the_first_steps_as_llada_does(
    positions: int, steps: int, counts: list[int]
) -> None:
    assert counts_of(plan_of("log-linear", positions, steps)) == counts


def test_cosine_reveals_few_at_first_and_many_at_last() -> None:
    # Still masked after step k of 4: cos(pi/2 · k/4) = 0.924, 0.707, 0.383, 0; of 100 with the expectations rounded up.
    assert counts_of(plan_of("cosine", 100, 4)) == [8, 22, 33, 37]


def test_subcontexts_are_as_far_apart_as_can_be() -> None:
    plan = plan_of("subcontext", 12, 4)
    assert spread(plan.order, counts_of(plan)) == [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]


def test_only_the_first_subcontexts_are_parallel_below_alpha_0_of_1() -> None:
    plan = plan_of("subcontext", 10, 4, alpha_0=0.6)  # int(4 · 0.6) = 2 of the subcontexts
    assert spread(plan.order, counts_of(plan)) == [[0, 4, 8], [1, 5, 9]]
    assert plan_of("subcontext", 10, 4, alpha_0=0.2).parallel == 0


def test_left_to_right_keeps_the_order_and_is_autoregression_with_a_step_a_position() -> None:
    plan = plan_of("left-to-right", 6, 3)
    assert spread(plan.order, counts_of(plan)) == [[0, 1], [2, 3], [4, 5]]
    assert counts_of(plan_of("left-to-right", 6, 64)) == [1] * 6


def test_binomial_counts_have_the_mean_and_spread_of_the_process() -> None:
    plans = [plan_of("binomial", 40, 4, alpha_0=0.5, seed=seed) for seed in range(600)]
    parallel = torch.tensor([plan.parallel for plan in plans], dtype=torch.float64)
    assert float(parallel.mean()) == pytest.approx(20, abs=0.5)
    assert float(parallel.var()) == pytest.approx(10, rel=0.2)  # n · p · (1 - p)
    first = torch.tensor([counts_of(plan)[0] for plan in plans], dtype=torch.float64)
    assert float(first.mean()) == pytest.approx(5, abs=0.4)  # 40 · alpha_0 / 4
    assert float(first.var()) == pytest.approx(40 * 0.125 * 0.875, rel=0.2)


def test_binomial_leaves_out_steps_that_would_reveal_nothing() -> None:
    plan = plan_of("binomial", 3, 50)
    assert 1 <= len(plan.shares) <= 3


def test_every_schedule_is_known_by_its_own_name() -> None:
    assert tuple(SCHEDULES) == SCHEDULE_NAMES
    assert all(make_schedule(name).name == name for name in SCHEDULES)


def test_an_unknown_schedule_is_refused_by_name() -> None:
    with pytest.raises(RequestError, match="magic"):
        make_schedule("magic")
