"""Words that are never written."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.canvas import Canvas, Piece, Written, lay_out
from engine.samplers.banning import bans_of, forbidden_at
from engine.types import ContextOrder
from tests.engine.tiny import load_tiny, write_checkpoint


@pytest.fixture
def canvas() -> Canvas:
    pieces = [Piece(ids=(1, 2)), Piece(span=0, hole=True, capacity=4), Piece(ids=(3,))]
    return lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=1, empty=None)


def test_the_last_missing_token_of_a_run_is_forbidden(canvas: Canvas) -> None:
    assert forbidden_at(canvas, [2], [(2, 9)]) == [{9}]  # after the context
    assert forbidden_at(canvas, [5], [(9, 3)]) == [{9}]  # before it
    assert forbidden_at(canvas, [2, 3], [(1, 2, 9), (4, 4)]) == [{9}, {4}]  # drawn together: the later one is watched
    assert forbidden_at(canvas, [2, 4], [(4, 4)]) == [set(), set()]  # what lies between is still masked


def test_written_tokens_count(canvas: Canvas) -> None:
    canvas.accept(3, Written(7, 1.0, 1))
    assert forbidden_at(canvas, [2, 4], [(7, 7, 7), (6, 7, 8), (2, 7)]) == [{2, 7}, {7, 8}]
    assert forbidden_at(canvas, [4], [(2, 5, 7, 8)]) == [set()]


def test_tokens_that_hold_the_whole_word_are_banned(tmp_path: Path) -> None:
    tokenizer = load_tiny(write_checkpoint(tmp_path)).tokenizer
    bans = bans_of(tokenizer, ["the", " ", ""])
    texts = {tokenizer.decode([token]) for token in bans.tokens}
    assert texts == {"the", " the"}
    spelled = bans_of(tokenizer, ["zqx"])
    assert spelled.tokens == ()
    assert {tokenizer.decode(run) for run in spelled.runs} == {"zqx", " zqx"}
    assert bans_of(tokenizer, []) == bans_of(tokenizer, ["  "])
