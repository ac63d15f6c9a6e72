"""Drafts show whole characters only, and texts are decoded as a whole."""

from __future__ import annotations

import pytest

from engine.canvas import Canvas, Piece, Written, lay_out
from engine.drafting import draft_spans, span_texts
from engine.models.base import ModelAdapter
from engine.types import CellState, ContextOrder
from tests.engine.tiny import load_tiny, write_checkpoint


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> ModelAdapter:
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint")))


def canvas_with(capacity: int) -> Canvas:
    pieces = [Piece(ids=(1,)), Piece(span=0, hole=True, capacity=capacity), Piece(ids=(2,))]
    return lay_out(pieces, order=ContextOrder.PREFIX_FIRST, grid=1, empty=None)


def write(canvas: Canvas, position: int, token: int, probability: float = 0.5, step: int = 1) -> None:
    assert canvas.accept(position, Written(token, probability, step))


def test_every_position_is_a_cell_with_its_state(adapter: ModelAdapter) -> None:
    a, b, c = adapter.tokenizer.encode("xyz")
    canvas = canvas_with(4)
    write(canvas, 1, a, probability=0.9, step=1)
    write(canvas, 2, b, probability=0.01, step=1)
    write(canvas, 3, c, probability=0.9, step=2)
    (draft,) = draft_spans(canvas, adapter.tokenizer, 1, step=2)
    assert [cell.state for cell in draft.cells] == [
        CellState.ACCEPTED,
        CellState.DOUBTFUL,
        CellState.REVEALED,
        CellState.MASKED,
    ]
    assert draft.text == "xyz"


def test_half_a_character_is_held_back_until_it_is_whole(adapter: ModelAdapter) -> None:
    halves = adapter.tokenizer.encode("é")
    assert len(halves) == 2
    canvas = canvas_with(2)
    write(canvas, 1, halves[0])
    (draft,) = draft_spans(canvas, adapter.tokenizer, 1, step=1)
    assert draft.text == ""
    write(canvas, 2, halves[1])
    (draft,) = draft_spans(canvas, adapter.tokenizer, 1, step=1)
    assert draft.text == "é"
    assert span_texts(canvas, adapter.tokenizer, 1) == ("é",)


def test_bytes_that_are_no_character_are_left_out_of_the_text(adapter: ModelAdapter) -> None:
    half = adapter.tokenizer.encode("é")[0]
    x = adapter.tokenizer.encode("x")[0]
    canvas = canvas_with(3)
    for position, token in ((1, x), (2, half), (3, x)):
        write(canvas, position, token)
    assert span_texts(canvas, adapter.tokenizer, 1) == ("xx",)
    (draft,) = draft_spans(canvas, adapter.tokenizer, 1, step=1)
    assert draft.text == "xx"


def test_kept_tokens_are_shown_as_kept(adapter: ModelAdapter) -> None:
    kept = tuple(adapter.tokenizer.encode("ab"))
    pieces = [Piece(ids=kept, span=0), Piece(span=0, hole=True, capacity=1)]
    canvas = lay_out(pieces, order=ContextOrder.PREFIX_FIRST, grid=1, empty=None)
    (draft,) = draft_spans(canvas, adapter.tokenizer, 1, step=0)
    assert [cell.state for cell in draft.cells] == [CellState.KEPT, CellState.KEPT, CellState.MASKED]


def test_a_stopped_refinement_keeps_the_old_words_that_were_not_rewritten_yet(adapter: ModelAdapter) -> None:
    a, b, c = adapter.tokenizer.encode("xyz")
    pieces = [Piece(ids=(a,), span=0), Piece(ids=(b, c), span=0, hole=True, capacity=2)]
    canvas = lay_out(pieces, order=ContextOrder.PREFIX_FIRST, grid=1, empty=None)
    write(canvas, 1, adapter.tokenizer.encode("Q")[0])
    (running,) = draft_spans(canvas, adapter.tokenizer, 1, step=1)
    assert running.text == "xQ"
    (stopped,) = draft_spans(canvas, adapter.tokenizer, 1, step=1, keep_old=True)
    assert stopped.text == "xQz"
    assert span_texts(canvas, adapter.tokenizer, 1) == ("xQ",)
