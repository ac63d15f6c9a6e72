from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.training.bpe import special_tokens
from engine.training.reveal import Order, draw_alpha_0, draw_order, lay_out, order_context, reveal, sequence_of
from engine.training.samples import Piece, Sample

SPECIAL = special_tokens(512)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Context and holes in any arrangement, at least one hole."""
    pieces = []
    kinds = draw(st.lists(st.booleans(), min_size=1, max_size=6).filter(any))
    for is_hole in kinds:
        ids = tuple(draw(st.lists(st.integers(0, 500), min_size=0 if is_hole else 1, max_size=12)))
        slack = draw(st.integers(0, 20)) if is_hole else 0
        pieces.append(Piece(ids, max(1, len(ids) + slack) if is_hole else 0, is_hole))
    return Sample(tuple(pieces), draw(st.booleans()), draw(st.booleans()))


def holes_of(sample: Sample) -> list[tuple[int, Piece]]:
    """(first position, hole) of each hole."""
    position, found = int(sample.starts), []
    for piece in sample.pieces:
        if piece.is_hole:
            found.append((position, piece))
        position += piece.capacity if piece.is_hole else len(piece.ids)
    return found


@given(sample=samples(), seed=st.integers(0, 2**32), alpha_0=st.floats(0, 1), order=st.sampled_from(Order))
def test_every_text_token_becomes_clean_once_at_its_own_position(
    sample: Sample, seed: int, alpha_0: float, order: Order
) -> None:
    sequence = sequence_of(sample, SPECIAL, order, alpha_0, np.random.default_rng(seed))
    assert len(set(sequence.positions)) == len(sequence.positions)
    by_position = dict(zip(sequence.positions, sequence.ids, strict=True))
    for first, hole in holes_of(sample):
        assert [by_position[first + offset] for offset in range(len(hole.ids))] == list(hole.ids)
        beyond = [by_position.get(first + offset) for offset in range(len(hole.ids), hole.capacity)]
        assert set(beyond) <= {None, SPECIAL.empty}


@given(sample=samples(), seed=st.integers(0, 2**32), alpha_0=st.floats(0, 1))
def test_empties_of_a_hole_move_towards_its_text_and_the_last_stands_right_after_it(
    sample: Sample, seed: int, alpha_0: float
) -> None:
    sequence = sequence_of(sample, SPECIAL, Order.PREFIX_FIRST, alpha_0, np.random.default_rng(seed))
    empties = defaultdict(list)
    for token, position in zip(sequence.ids, sequence.positions, strict=True):
        for number, (first, hole) in enumerate(holes_of(sample)):
            if token == SPECIAL.empty and first <= position < first + hole.capacity:
                empties[number].append(position - first)
    for number, (_, hole) in enumerate(holes_of(sample)):
        found = empties[number]
        assert found == sorted(found, reverse=True)
        assert (found[-1:] == [len(hole.ids)]) == (hole.capacity > len(hole.ids))


@given(sample=samples(), seed=st.integers(0, 2**32))
def test_alpha_0_of_zero_walks_holes_left_to_right_with_one_empty_each(sample: Sample, seed: int) -> None:
    sequence = sequence_of(sample, SPECIAL, Order.PREFIX_FIRST, 0.0, np.random.default_rng(seed))
    walked = sequence.positions[sequence.context :]
    assert walked == sorted(walked)
    open_holes = sum(hole.capacity > len(hole.ids) for _, hole in holes_of(sample))
    assert sequence.ids[sequence.context :].count(SPECIAL.empty or 0) == open_holes


def test_the_walk_skips_what_lies_after_an_empty() -> None:
    sample = Sample((Piece((7,), 9, is_hole=True),), starts=False, ends=False)
    _, places = lay_out(sample, SPECIAL)
    for seed in range(50):
        revealed = reveal(places, 1.0, SPECIAL.empty or 0, np.random.default_rng(seed))
        ends = [position for token, position in revealed if token == SPECIAL.empty]
        assert ends == sorted(ends, reverse=True)
        assert (7, 0) in revealed


def test_random_order_shows_about_a_logarithm_of_the_slack() -> None:
    sample = Sample((Piece((7,), 101, is_hole=True),), starts=False, ends=False)
    _, places = lay_out(sample, SPECIAL)
    counts = [len(reveal(places, 1.0, 510, np.random.default_rng(seed))) - 1 for seed in range(300)]
    assert np.mean(counts) == pytest.approx(sum(1 / rank for rank in range(1, 101)), rel=0.1)


def test_context_orders() -> None:
    pieces = (Piece((1, 2)), Piece((3,), 4, is_hole=True), Piece((5, 6)))
    segments, _ = lay_out(Sample(pieces, starts=True, ends=True), SPECIAL)
    generator = np.random.default_rng(0)
    begin, end = SPECIAL.begin, SPECIAL.end
    assert segments == [[(begin, 0), (1, 1), (2, 2)], [(5, 7), (6, 8), (end, 9)]]
    assert [t for t, _ in order_context(segments, Order.SUFFIX_FIRST, generator)] == [5, 6, end, begin, 1, 2]
    assert [t for t, _ in order_context(segments, Order.PREFIX_FIRST, generator)] == [begin, 1, 2, 5, 6, end]
    shuffled = order_context(segments, Order.SHUFFLED, generator)
    assert sorted(shuffled, key=lambda pair: pair[1]) == segments[0] + segments[1]


def test_draws_cover_both_ends_and_both_orders() -> None:
    generator = np.random.default_rng(0)
    alphas = [draw_alpha_0(generator) for _ in range(2000)]
    assert 0.18 < np.mean([alpha == 0 for alpha in alphas]) < 0.22
    assert 0.08 < np.mean([alpha == 1 for alpha in alphas]) < 0.12
    assert np.mean(alphas) == pytest.approx(0.45, abs=0.03)
    orders = [draw_order(generator) for _ in range(2000)]
    assert 0.03 < orders.count(Order.SHUFFLED) / 2000 < 0.07
    assert abs(orders.count(Order.SUFFIX_FIRST) - orders.count(Order.PREFIX_FIRST)) < 200
