"""The repetition guard: what counts as saying again what stands nearby."""

from __future__ import annotations

from engine.canvas import Canvas, Piece, Written, lay_out
from engine.samplers.repetition import NEAR, repeats_nearby
from engine.types import ContextOrder


def canvas(*pieces: Piece) -> Canvas:
    return lay_out(pieces, order=ContextOrder.PREFIX_FIRST, grid=1, empty=None)


def hole(capacity: int) -> Piece:
    return Piece(span=0, hole=True, capacity=capacity)


def test_a_token_that_would_continue_a_run_is_found_with_the_length_of_the_run() -> None:
    assert repeats_nearby(canvas(Piece(ids=(1, 2, 3, 9, 1, 2)), hole(2)), [6]) == [{3: 2}]
    assert repeats_nearby(canvas(Piece(ids=(5, 1, 2, 3, 9, 5, 1, 2)), hole(2)), [8]) == [{3: 3}]


def test_a_run_is_followed_from_the_right_too() -> None:
    assert repeats_nearby(canvas(hole(1), Piece(ids=(1, 2, 9, 3, 1, 2))), [0]) == [{3: 2}]


def test_a_token_that_merely_occurred_is_not_held_down() -> None:
    assert repeats_nearby(canvas(Piece(ids=(1, 2, 3, 9, 2)), hole(2)), [5]) == [{}]


def test_a_masked_neighbor_breaks_the_run() -> None:
    assert repeats_nearby(canvas(Piece(ids=(1, 2, 3, 9, 1, 2)), hole(3)), [7, 8]) == [{}, {}]


def test_written_tokens_count_and_loops_are_seen() -> None:
    looping = canvas(Piece(ids=(8,)), hole(6))
    for position in (1, 2, 3):
        looping.accept(position, Written(7, 0.5, 1))
    assert repeats_nearby(looping, [4]) == [{7: 2}]
    looping.accept(4, Written(7, 0.5, 1))
    assert repeats_nearby(looping, [5]) == [{7: 3}]


def test_text_far_away_does_not_count() -> None:
    far = (1, 2, 3, *range(100, 100 + NEAR), 1, 2)
    assert repeats_nearby(canvas(Piece(ids=far), hole(2)), [len(far)]) == [{}]
