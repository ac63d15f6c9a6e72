from __future__ import annotations

from app.editor.edits import Edit
from app.infill.target import Target, collide, dissolved, untouched
from engine.types import CellState, TextSpan

TARGET = Target((TextSpan(2, 5), TextSpan(10, 12)), ("old", "xy"))


def test_edits_elsewhere_move_a_target_and_edits_inside_end_it():
    moved = TARGET.after(Edit(6, 0, 3))
    assert moved is not None
    assert moved.spans == (TextSpan(2, 5), TextSpan(13, 15))
    assert TARGET.after(Edit(3, 1, 0)) is None


def test_a_caret_at_the_border_of_a_span_is_in_it():
    assert [offset for offset in range(14) if TARGET.is_at(offset, ())] == [2, 3, 4, 5, 10, 11, 12]


def test_a_selection_may_have_a_last_line_end_that_the_span_has_not():
    assert TARGET.is_at(0, [TextSpan(2, 6)])
    assert not TARGET.is_at(0, [TextSpan(3, 6)])


def test_a_caret_collides_with_what_begins_or_ends_there():
    assert collide(TextSpan(2, 5), TextSpan(5, 5))
    assert not collide(TextSpan(2, 5), TextSpan(5, 6))
    assert collide(TextSpan(2, 5), TextSpan(4, 6))
    assert collide(TextSpan(3, 3), TextSpan(3, 3))


def test_before_the_first_frame_the_text_dissolves_into_about_as_many_tokens():
    target = Target((TextSpan(0, 40), TextSpan(50, 50)), ("a" * 40, ""))
    masks, caret = dissolved(target)
    assert len(masks.cells) == 10
    assert {cell.state for cell in masks.cells} == {CellState.MASKED}
    assert caret.cells
    assert untouched(target)[0].text == "a" * 40
