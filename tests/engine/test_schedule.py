"""Schedules: how many positions a step reveals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.schedule import LogLinearSchedule, reveal_count, split_by_alpha_0


@given(st.integers(1, 400), st.integers(1, 64))
def test_the_steps_reveal_everything_and_each_at_least_one(positions: int, steps: int) -> None:
    remaining = positions
    counts = []
    for step in range(min(steps, positions)):
        if remaining == 0:
            break
        counts.append(reveal_count(LogLinearSchedule(), remaining, step, min(steps, positions)))
        remaining -= counts[-1]
    assert remaining == 0
    assert min(counts) >= 1


def test_log_linear_reveals_equally_many_at_every_step() -> None:
    remaining, counts = 64, []
    for step in range(16):
        counts.append(reveal_count(LogLinearSchedule(), remaining, step, 16))
        remaining -= counts[-1]
    assert counts == [4] * 16


def test_alpha_0_splits_the_positions() -> None:
    assert split_by_alpha_0(64, 1.0) == (64, 0)
    assert split_by_alpha_0(64, 0.0) == (0, 64)
    assert split_by_alpha_0(10, 0.25) == (2, 8)
