from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.training.loop import grouped, trapezoid
from engine.training.objective import Row


def row(clean: int, copies: int) -> Row:
    return Row([1] * clean, list(range(clean)), [1] * clean, list(range(copies)), [], 0)


@given(
    sizes=st.lists(st.tuples(st.integers(1, 200), st.integers(0, 100)), min_size=1, max_size=60),
    most=st.integers(1, 2000),
    at_least=st.integers(1, 4),
)
def test_every_row_is_dealt_once_and_groups_are_alike(sizes: list[tuple[int, int]], most: int, at_least: int) -> None:
    rows = [row(*size) for size in sizes]
    groups = grouped(rows, most, at_least)
    assert sorted(id(member) for group in groups for member in group) == sorted(map(id, rows))
    totals = [sum(member.size for member in group) for group in groups]
    assert min(totals) > 0
    assert len(groups) >= min(at_least, len(rows))
    assert max(totals) - min(totals) <= max(member.size for member in rows)
    assert max(totals) <= most + max(member.size for member in rows)


@pytest.mark.parametrize(
    ("share", "factor"), [(0.0, 0.001), (0.01, 0.501), (0.02, 1.0), (0.4, 1.0), (0.75, 0.5), (1.0, 0.0), (1.2, 0.0)]
)
def test_the_rate_rises_stays_and_falls_to_zero(share: float, factor: float) -> None:
    assert trapezoid(share, 0.02, 0.5) == pytest.approx(factor)
