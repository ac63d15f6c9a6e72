from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.editor.edits import Edit, merged, with_eol
from engine.types import TextSpan


def apply(text: str, edit: Edit, inserted: str) -> str:
    return text[: edit.start] + inserted + text[edit.end :]


@given(st.text(), st.data())
def test_a_span_that_is_not_touched_holds_the_same_text_after_the_edit(text, data):
    start = data.draw(st.integers(0, len(text)))
    removed = data.draw(st.integers(0, len(text) - start))
    inserted = data.draw(st.text(max_size=5))
    first = data.draw(st.integers(0, len(text)))
    span = TextSpan(first, data.draw(st.integers(first, len(text))))
    edit = Edit(start, removed, len(inserted))
    if not edit.touches(span):
        moved = edit.moved(span)
        assert apply(text, edit, inserted)[moved.start : moved.end] == text[span.start : span.end]


def test_typing_right_before_or_behind_a_span_does_not_touch_it():
    span = TextSpan(3, 6)
    assert not Edit(3, 0, 1).touches(span)
    assert not Edit(6, 0, 1).touches(span)
    assert Edit(3, 0, 1).moved(span) == TextSpan(4, 7)
    assert Edit(6, 0, 1).moved(span) == span


def test_typing_inside_a_span_or_at_an_empty_one_touches_it():
    assert Edit(4, 0, 1).touches(TextSpan(3, 6))
    assert Edit(5, 2, 0).touches(TextSpan(3, 6))
    assert Edit(3, 0, 1).touches(TextSpan(3, 3))


def test_deleting_up_to_a_span_does_not_touch_it():
    assert not Edit(0, 3, 0).touches(TextSpan(3, 6))
    assert not Edit(6, 3, 0).touches(TextSpan(3, 6))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted)))
def test_merged_spans_are_ascending_apart_and_cover_the_same_characters(pairs):
    spans = merged(TextSpan(start, end) for start, end in pairs)
    covered = {place for start, end in pairs for place in range(start, end)}
    assert {place for span in spans for place in range(span.start, span.end)} == covered
    assert all(first.end < second.start for first, second in pairwise(spans))
    assert all(span.start < span.end for span in spans)


def test_line_ends_become_those_of_the_document():
    assert with_eol("a\nb\r\nc\rd", "\r\n") == "a\r\nb\r\nc\r\nd"
    assert with_eol("a\nb\r\nc\rd", "\n") == "a\nb\nc\nd"
