"""New text does not end with a space where white space follows it already."""

from __future__ import annotations

import pytest

from engine.borders import drop_doubled_spaces
from engine.canvas import Canvas, Piece, Written, lay_out
from engine.drafting import span_texts
from engine.models.base import ModelAdapter
from engine.types import ContextOrder
from tests.engine.tiny import load_tiny, write_checkpoint


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> ModelAdapter:
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint")))


def filled(adapter: ModelAdapter, text: str, after: str, *, least: int = 0, slack: int = 4) -> Canvas:
    """A canvas whose hole holds `text`, each character a token, and ends there; `slack` positions are left unused."""
    ids = [token for character in text for token in adapter.tokenizer.encode(character)]
    following = [Piece(ids=tuple(adapter.tokenizer.encode(after)))] if after else []
    hole = Piece(span=0, hole=True, capacity=len(ids) + slack, least=least)
    empty = adapter.config.special_tokens.empty
    assert empty is not None
    canvas = lay_out([Piece(ids=(1,)), hole, *following], order=ContextOrder.PREFIX_FIRST, grid=1, empty=empty)
    for position, token in enumerate([*ids, *([empty] if slack else [])], start=1):
        assert canvas.accept(position, Written(token, 0.5, 1))
    return canvas


@pytest.mark.parametrize("slack", [4, 0])
@pytest.mark.parametrize(
    ("text", "after", "wanted"),
    [
        ("ab ", " cd", "ab"),
        ("ab ", "\ncd", "ab"),
        ("ab ", "\tcd", "ab"),
        ("ab ", "cd", "ab "),
        ("ab ", "", "ab "),
        ("ab", " cd", "ab"),
        ("ab\n", "\ncd", "ab\n"),
        ("ab  ", "\ncd", "ab  "),
        (" ", " cd", " "),
    ],
)
def test_only_a_single_space_before_white_space_is_dropped(
    adapter: ModelAdapter, text: str, after: str, wanted: str, slack: int
) -> None:
    canvas = filled(adapter, text, after, slack=slack)
    drop_doubled_spaces(canvas, adapter.tokenizer, step=2)
    assert span_texts(canvas, adapter.tokenizer, 1) == (wanted,)
    assert canvas.masked() == []
    assert canvas.holes[0].end == canvas.holes[0].start + len(wanted)


@pytest.mark.parametrize(("keep_least", "wanted"), [(True, "ab "), (False, "ab")])
def test_a_space_counts_for_the_fewest_tokens_only_where_these_were_asked_for(
    adapter: ModelAdapter, keep_least: bool, wanted: str
) -> None:
    canvas = filled(adapter, "ab ", " cd", least=3)
    drop_doubled_spaces(canvas, adapter.tokenizer, step=2, keep_least=keep_least)
    assert span_texts(canvas, adapter.tokenizer, 1) == (wanted,)
    assert canvas.masked() == []


def test_a_hole_that_is_not_finished_is_left_alone(adapter: ModelAdapter) -> None:
    canvas = filled(adapter, "ab ", " cd")
    canvas.remask([2])
    drop_doubled_spaces(canvas, adapter.tokenizer, step=2)
    assert canvas.masked() == [2]
    assert canvas.written[3].token == adapter.tokenizer.encode(" ")[0]
