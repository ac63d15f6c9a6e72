from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.training.bpe import special_tokens
from engine.training.config import replaced
from engine.training.feeding import Feed, Recipe, deal, grouped
from engine.training.objective import Batch, Row
from engine.training.packing import PackingRules, pack
from engine.training.samples import write_samples
from tests.engine.training.small import VOCAB, documents, small_tokenizer, tiny_config


def row(clean: int, copies: int) -> Row:
    return Row([1] * clean, list(range(clean)), [1] * clean, list(range(copies)), [], 0)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder, pack(documents(), small_tokenizer(), 40, PackingRules(windows=((64, 1.0),)), 0), {})
    return Recipe(tiny_config(folder), folder, special_tokens(VOCAB))


def same(left: Batch, right: Batch) -> bool:
    tensors = ("ids", "positions", "visible", "rows", "targets", "weights", "kinds")
    return left.extents == right.extents and all(
        torch.equal(getattr(left, name), getattr(right, name)) for name in tensors
    )


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


def test_groups_are_as_many_for_each_process() -> None:
    assert len(deal([5] * 9, 12, at_least=2, multiple_of=2)) == 4
    assert len(deal([5], 12, at_least=3, multiple_of=3)) == 3


def test_processes_share_a_step_and_miss_nothing(recipe: Recipe) -> None:
    with Feed(recipe, size=2, rank=0) as first, Feed(recipe, size=2, rank=1) as second, Feed(recipe, passes=2) as alone:
        parts = [feed.take(0, 0, 0.0, 0.0) for feed in (first, second)]
        whole = alone.take(0, 0, 0.0, 0.0)
    assert [(part.cursor, part.round) for part in parts] == [(whole.cursor, whole.round)] * 2
    assert sum(part.rows for part in parts) == whole.rows
    assert all(same(*pair) for pair in zip([part.batches[0] for part in parts], whole.batches, strict=True))


def test_a_step_made_ahead_is_the_step_made_on_demand(recipe: Recipe) -> None:
    with Feed(recipe) as ahead, Feed(recipe) as fresh:
        first = ahead.take(0, 0, 0.0, 0.3)
        second = ahead.take(first.cursor, first.round, 0.3, 0.5)
        again = fresh.take(first.cursor, first.round, 0.3, 0.9)
    assert same(second.batches[0], again.batches[0])


def test_a_step_has_the_rows_it_should_and_goes_round_the_samples(recipe: Recipe) -> None:
    with Feed(recipe) as feed:
        cursor = round_ = 0
        for _ in range(12):
            work = feed.take(cursor, round_, 0.0, 0.0)
            assert recipe.config.rows_per_step * 0.9 < work.rows < recipe.config.rows_per_step * 1.6
            cursor, round_ = work.cursor, work.round
    assert round_ > 0


def test_more_passes_are_made_when_asked_for(recipe: Recipe) -> None:
    config = replaced(recipe.config, {"accumulate": 3})
    with Feed(Recipe(config, recipe.folder, recipe.special), passes=2) as feed:
        assert len(feed.take(0, 0, 0.0, 0.0).batches) == 6


def test_batches_from_other_processes_are_the_same(recipe: Recipe) -> None:
    blocked = Recipe(recipe.config, recipe.folder, recipe.special, blocked=True)
    with Feed(blocked, makers=1) as there, Feed(blocked) as here:
        far, near = (feed.take(0, 0, 0.0, 0.0).batches[0] for feed in (there, here))
    assert same(far, near)
    assert far.blocks is not None
    assert near.blocks is not None
    assert all(
        np.array_equal(left, right) for left, right in zip(far.blocks.tensors(), near.blocks.tensors(), strict=True)
    )
