"""The canvas: positions, order, and what may be accepted where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.canvas import Canvas, Piece, Placed, Written, lay_out
from engine.types import ContextOrder

EMPTY = 99


def written(token: int) -> Written:
    return Written(token, 0.5, 1)


def two_holes(order: ContextOrder, grid: int = 8) -> Canvas:
    pieces = [
        Piece(ids=(1, 2, 3)),
        Piece(span=0, hole=True, capacity=4),
        Piece(ids=(4, 5)),
        Piece(span=1, hole=True, capacity=3),
        Piece(ids=(6,)),
    ]
    return lay_out(pieces, order=order, grid=grid, empty=EMPTY)


def test_what_follows_a_hole_starts_on_the_grid_and_the_hole_fills_the_gap() -> None:
    canvas = two_holes(ContextOrder.SUFFIX_FIRST)
    assert [start for start, _ in canvas.pieces] == [0, 3, 8, 10, 16]
    assert [(hole.start, hole.capacity) for hole in canvas.holes] == [(3, 5), (10, 6)]
    assert canvas.length == 17


def test_suffix_first_feeds_what_follows_the_first_hole_before_the_prefix() -> None:
    canvas = two_holes(ContextOrder.SUFFIX_FIRST)
    assert [placed.token for placed in canvas.context] == [4, 5, 6, 1, 2, 3]
    assert canvas.context[2] == Placed(6, 16)


def test_prefix_first_feeds_by_position() -> None:
    assert [placed.token for placed in two_holes(ContextOrder.PREFIX_FIRST).context] == [1, 2, 3, 4, 5, 6]


def test_typing_before_the_hole_only_appends_to_the_order() -> None:
    def context(prefix: tuple[int, ...]) -> tuple[Placed, ...]:
        pieces = [Piece(ids=prefix), Piece(span=0, hole=True, capacity=4), Piece(ids=(7, 8))]
        return lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=16, empty=EMPTY).context

    before, after = context((1, 2, 3)), context((1, 2, 3, 4))
    assert after[: len(before)] == before


def test_the_first_accepted_empty_ends_the_hole() -> None:
    canvas = two_holes(ContextOrder.SUFFIX_FIRST)
    assert canvas.accept(5, written(EMPTY))
    assert canvas.masked() == [3, 4, 10, 11, 12, 13, 14, 15]
    assert not canvas.accept(6, written(1))
    assert canvas.accepted == [Placed(EMPTY, 5)]
    assert 5 not in canvas.written


def test_an_empty_cannot_stand_before_accepted_text() -> None:
    canvas = two_holes(ContextOrder.SUFFIX_FIRST)
    assert canvas.accept(6, written(1))
    assert not canvas.accept(4, written(EMPTY))
    assert canvas.accept(7, written(EMPTY))
    assert canvas.masked()[:3] == [3, 4, 5]


def test_a_position_is_written_once() -> None:
    canvas = two_holes(ContextOrder.SUFFIX_FIRST)
    assert canvas.accept(3, written(1))
    assert not canvas.accept(3, written(2))
    assert canvas.written[3].token == 1


def test_a_limit_below_the_capacity_ends_the_hole_and_tells_the_model() -> None:
    pieces = [Piece(ids=(1,)), Piece(span=0, hole=True, capacity=4, limit=4), Piece(ids=(2,))]
    canvas = lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=16, empty=EMPTY)
    assert canvas.masked() == [1, 2, 3, 4]
    assert canvas.context[-1] == Placed(EMPTY, 5)


def test_a_hole_cannot_end_before_its_least_length() -> None:
    pieces = [Piece(span=0, hole=True, capacity=8, least=3), Piece(ids=(1,))]
    canvas = lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=1, empty=EMPTY)
    assert [canvas.holes[0].may_end_at(position) for position in range(8)] == [False] * 3 + [True] * 5


def test_without_an_empty_token_a_hole_keeps_its_length() -> None:
    canvas = lay_out([Piece(span=0, hole=True, capacity=3)], order=ContextOrder.PREFIX_FIRST, grid=1, empty=None)
    assert not canvas.holes[0].may_end_at(2)


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=40))
def test_whatever_is_accepted_text_stays_before_the_end_and_no_position_is_clean_twice(
    choices: list[tuple[int, bool]],
) -> None:
    canvas = two_holes(ContextOrder.SUFFIX_FIRST)
    for position, is_empty in choices:
        if any(hole.start <= position < hole.start + hole.capacity for hole in canvas.holes):
            canvas.accept(position, written(EMPTY if is_empty else position))
    positions = [placed.position for placed in canvas.order()]
    assert len(positions) == len(set(positions))
    for hole in canvas.holes:
        inside = [p for p in canvas.written if hole.start <= p < hole.start + hole.capacity]
        assert all(p < hole.end for p in inside)


@pytest.mark.parametrize("order", list(ContextOrder))
def test_kept_tokens_of_a_span_come_after_the_context(order: ContextOrder) -> None:
    pieces = [
        Piece(ids=(1,)),
        Piece(ids=(2,), span=0),
        Piece(span=0, hole=True, capacity=1),
        Piece(ids=(3,), span=0),
        Piece(ids=(4,)),
    ]
    canvas = lay_out(pieces, order=order, grid=1, empty=EMPTY)
    assert [placed.token for placed in canvas.context][-2:] in ([2, 3], [3, 2])
    assert {placed.token for placed in canvas.context[:2]} == {1, 4}


def test_a_remasked_token_is_masked_and_the_rest_keeps_its_order() -> None:
    canvas = two_holes(ContextOrder.SUFFIX_FIRST)
    for position in (4, 3, 5):
        canvas.accept(position, written(position))
    canvas.remask([3])
    assert [placed.position for placed in canvas.accepted] == [4, 5]
    assert canvas.is_masked(3)
    assert canvas.accept(3, written(9))


def test_remasking_the_last_text_lets_the_hole_end_earlier() -> None:
    canvas = two_holes(ContextOrder.SUFFIX_FIRST)
    canvas.accept(4, written(1))
    canvas.accept(6, written(1))
    assert not canvas.holes[0].may_end_at(5)
    canvas.remask([6])
    assert canvas.holes[0].may_end_at(5)


def test_a_remasked_empty_opens_its_hole_up_to_the_next_empty_or_the_end_it_began_with() -> None:
    canvas = two_holes(ContextOrder.SUFFIX_FIRST)
    canvas.accept(7, written(EMPTY))
    canvas.accept(5, written(EMPTY))
    assert canvas.holes[0].end == 5
    canvas.remask([5])
    assert canvas.holes[0].end == 7
    canvas.remask([7])
    assert canvas.holes[0].end == 8


def test_a_remasked_empty_does_not_open_a_hole_past_its_limit() -> None:
    pieces = [Piece(ids=(1,)), Piece(span=0, hole=True, capacity=6, limit=4), Piece(ids=(2,))]
    canvas = lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=16, empty=EMPTY)
    canvas.accept(2, written(EMPTY))
    canvas.remask([2])
    assert canvas.masked() == [1, 2, 3, 4]


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["text", "empty", "remask"])), max_size=60))
def test_accepting_and_remasking_in_any_order_leaves_consistent_holes(choices: list[tuple[int, str]]) -> None:
    canvas = two_holes(ContextOrder.SUFFIX_FIRST)
    for position, what in choices:
        clean = {placed.position for placed in canvas.accepted}
        if what == "remask" and position in clean:
            canvas.remask([position])
        elif what != "remask" and any(hole.start <= position < hole.start + hole.capacity for hole in canvas.holes):
            canvas.accept(position, written(EMPTY if what == "empty" else position))
        for hole in canvas.holes:
            inside = range(hole.start, hole.start + hole.capacity)
            text = [p for p in inside if p in canvas.written]
            ends = [
                placed.position for placed in canvas.accepted if placed.token == EMPTY and placed.position in inside
            ]
            assert hole.end == min([*ends, hole.start + hole.capacity])
            assert hole.last_written == max(text, default=-1) < hole.end
        open_ = [p for hole in canvas.holes for p in range(hole.start, hole.end) if p not in canvas.written]
        assert canvas.masked() == open_


def test_what_stands_in_a_hole_can_be_put_last_from_left_to_right() -> None:
    canvas = two_holes(ContextOrder.SUFFIX_FIRST)
    for token, position in ((7, 4), (EMPTY, 7), (8, 10), (9, 3), (EMPTY, 5)):
        assert canvas.accept(position, written(token))
    assert canvas.put_last(canvas.holes[0]) == 1
    assert canvas.accepted == [Placed(8, 10), Placed(9, 3), Placed(7, 4), Placed(EMPTY, 7), Placed(EMPTY, 5)]
    assert canvas.holes[0].end == 5
