from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.editor.worddiff import next_line, next_word
from app.infill.acceptance import changes, part_of, settle
from app.infill.pending import PendingProposals
from engine.types import TextSpan

from .proposing import Text, propose

TEXT = "one two three four five six"


def collection(source, *proposals):
    pending = PendingProposals()
    for pairs in proposals:
        pending.put(propose(source, *pairs))
    return pending


def accept(source, pending, spots, beginning=None):
    parts = [part_of(spot, "\n", beginning) for spot in spots]
    for start, end, new in sorted(changes(parts), reverse=True):
        source.change(start, end, new)
    return settle(pending, parts)


def test_all_places_of_several_proposals_are_accepted_at_once():
    source = Text(TEXT)
    pending = collection(source, [("two", "zwei"), ("five", "fünf")], [("three", "III")])
    accepted = accept(source, pending, pending.spots)
    assert source.text == "one zwei III four fünf six"
    assert not pending
    assert {texts for acceptance in accepted for texts in acceptance.texts} == {"zwei", "fünf", "III"}
    for acceptance in accepted:
        for span, text in zip(acceptance.spans, acceptance.texts, strict=True):
            assert source.text_range(span.start, span.end) == text


def test_accepting_one_place_moves_the_others():
    source = Text(TEXT)
    pending = collection(source, [("two", "twenty-two"), ("five", "5")])
    accept(source, pending, pending.spots[:1])
    (spot,) = pending.spots
    assert source.text_range(spot.place.span.start, spot.place.span.end) == "five"


def test_the_next_word_takes_the_place_of_the_word_it_stands_for():
    source = Text(TEXT)
    pending = collection(source, [("two three four", "zwei drei vier")])
    (acceptance,) = accept(source, pending, pending.spots, next_word)
    assert source.text == "one zwei three four five six"
    assert acceptance.spans == (TextSpan(4, 8),)
    (spot,) = pending.spots
    assert (spot.place.original, spot.text) == (" three four", " drei vier")
    assert source.text_range(spot.place.span.start, spot.place.span.end) == " three four"


def test_a_text_accepted_line_by_line_ends_as_a_whole():
    source = Text("x\n")
    pending = collection(source, [("x", "a\nb\nc")])
    while pending:
        accept(source, pending, pending.spots, next_line)
    assert source.text == "a\nb\nc\n"


words = st.lists(st.sampled_from(["a", "b", "cc", "\n", ", ", " "]), max_size=8).map("".join)


@given(words, words, st.integers(0, 2))
def test_a_text_accepted_word_by_word_is_the_proposed_text_and_nothing_else_changes(old, new, number):
    source = Text(f"<{old}|{old}>")
    pending = PendingProposals()
    pending.put(propose(source, (f"<{old}|", f"<{new}|")))
    spots, steps = pending.spots, 0
    while pending:
        accept(source, pending, pending.spots, next_word)
        steps += 1
        assert steps < 100
    assert source.text == f"<{new}|{old}>"
    assert len(spots) == 1


def test_new_text_has_the_line_ends_of_the_document():
    source = Text(TEXT)
    pending = collection(source, [("two", "a\nb")])
    assert part_of(pending.spots[0], "\r\n").text == "a\r\nb"
