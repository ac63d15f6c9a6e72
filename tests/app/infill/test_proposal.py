from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editor.edits import Edit
from app.infill.proposal import Place, fitted
from engine.types import Cell, CellState, SpanDraft, TextSpan, Variation

from .proposing import RECORD, Text, draft, propose, variation

TEXT = "one two three four"


def after(place, source, start, end, new):
    source.change(start, end, new)
    if end > start:  # as Scintilla tells it: a deletion, then an insertion
        place = place.after(Edit(start, end - start, 0), source)
    return place.after(Edit(start, 0, len(new)), source) if place is not None and new else place


def place_of(text, old):
    start = text.index(old)
    return Place(TextSpan(start, start + len(old)), old)


def test_edits_elsewhere_move_a_place():
    source = Text(TEXT)
    place = after(place_of(TEXT, "three"), source, 0, 3, "uno dos")
    assert place is not None
    assert not place.is_stale
    assert source.text_range(place.span.start, place.span.end) == "three"


@pytest.mark.parametrize(("start", "end", "new"), [(9, 9, "x"), (8, 9, ""), (12, 13, ""), (8, 13, "")])
def test_an_edit_in_it_makes_a_place_stale_and_its_undo_revives_it(start, end, new):
    source = Text(TEXT)
    old = source.text_range(start, end)
    place = after(place_of(TEXT, "three"), source, start, end, new)
    assert place is not None
    assert place.is_stale
    place = after(place, source, start, start + len(new), old)
    assert place == place_of(TEXT, "three")


def test_a_replaced_place_is_where_the_new_text_stands():
    source = Text(TEXT)
    place = after(place_of(TEXT, "three"), source, 8, 13, "3")
    assert place == Place(TextSpan(8, 9), "three", is_stale=True)


def test_a_place_that_is_deleted_with_more_around_it_is_gone():
    assert after(place_of(TEXT, "three"), Text(TEXT), 7, 13, "") is None
    assert after(place_of(TEXT, "three"), Text(TEXT), 0, 18, "new") is None


def test_an_edit_over_a_border_leaves_the_rest_stale():
    place = after(place_of(TEXT, "three"), Text(TEXT), 6, 10, "")
    assert place == Place(TextSpan(6, 9), "three", is_stale=True)
    place = after(place_of(TEXT, "three"), Text(TEXT), 10, 15, "")
    assert place == Place(TextSpan(8, 10), "three", is_stale=True)


def test_a_caret_is_gone_when_something_is_typed_at_it_and_survives_what_is_deleted_beside_it():
    caret = Place(TextSpan(7, 7), "")
    assert after(caret, Text(TEXT), 7, 7, "x") is None
    assert after(caret, Text(TEXT), 6, 8, "") is None
    assert after(caret, Text(TEXT), 6, 7, "") == Place(TextSpan(6, 6), "")
    assert after(caret, Text(TEXT), 7, 8, "") == caret


edits = st.tuples(st.integers(0, 18), st.integers(0, 6), st.text("ab", max_size=4))


@given(st.lists(edits, max_size=6))
def test_a_place_is_stale_exactly_while_its_text_is_another_one(changes):
    source, place = Text(TEXT), place_of(TEXT, "three")
    for start, length, new in changes:
        start = min(start, len(source.text))
        end = min(start + length, len(source.text))
        for first, last, text in ((start, end, ""), (start, start, new)):
            if last == first and not text:
                continue
            source.change(first, last, text)
            moved = place.after(Edit(first, last - first, len(text)), source)
            if moved is None:
                return
            place = moved
            assert 0 <= place.span.start <= place.span.end <= len(source.text)
            assert place.is_stale == (source.text_range(place.span.start, place.span.end) != "three")


def test_places_can_be_kept_or_left_out_with_their_texts_and_frames():
    proposal = propose(Text(TEXT), ("one", "1"), ("three", "3"))
    proposal = replace(proposal, frames=((draft("a"), draft("b")),))
    rest = proposal.without([0])
    assert rest is not None
    assert (rest.texts, rest.frames) == (("3",), ((draft("b"),),))
    assert rest.id == proposal.id
    assert proposal.keeping([]) is None


def test_another_variation_can_be_shown():
    proposal = replace(
        propose(Text(TEXT), ("one", "1")),
        variations=(variation("1"), variation("I", seed=1)),
        runs=(RECORD, replace(RECORD, variation=1)),
    )
    assert proposal.showing(1).texts == ("I",)
    assert proposal.showing(1).run.variation == 1
    with pytest.raises(IndexError):
        proposal.showing(2)


def test_of_a_text_that_was_accepted_in_part_the_rest_is_left():
    proposal = replace(propose(Text(TEXT), ("one two", "uno dos")), variations=(
        Variation(("uno dos",), (draft("u", "no d", "os"),), 0, 0.0), variation("other")), runs=(RECORD, RECORD),
    )  # fmt: skip
    rest = proposal.with_rest(0, Place(TextSpan(3, 7), " two"), 3)
    assert rest.texts == (" dos",)
    assert [cell.text for cell in rest.drafts[0].cells] == [" d", "os"]
    assert len(rest.variations) == len(rest.runs) == 1


def test_a_variation_is_fitted_to_the_document():
    mask = Cell("", CellState.MASKED)
    fitting = fitted(Variation(("a\nb",), (SpanDraft((Cell("a\n", CellState.ACCEPTED), mask, Cell("b", CellState.DOUBTFUL))),), 0, 0.0), "\r\n")  # fmt: skip  # noqa: E501
    assert fitting.texts == ("a\r\nb",)
    assert [cell.text for cell in fitting.spans[0].cells] == ["a\r\n", "b"]
    assert fitted(Variation(("abc",), (draft("a"),), 0, 0.0), "\n").spans[0].text == "abc"
