from __future__ import annotations

import pytest

from app.editor.edits import Edit
from app.infill.pending import Consequence, PendingProposals
from engine.types import TextSpan

from .proposing import Text, propose

TEXT = "one two three four five"


@pytest.fixture
def source():
    return Text(TEXT)


@pytest.fixture
def pending(source):
    collection = PendingProposals()
    collection.put(propose(source, ("two", "2"), ("four", "4")))
    collection.put(propose(source, ("three", "3")))
    return collection


def texts(pending):
    return [spot.text for spot in pending.spots]


def test_places_come_in_the_order_of_the_text(pending):
    assert texts(pending) == ["2", "3", "4"]


def test_the_place_at_the_caret_is_found_and_the_selected_one(pending):
    assert pending.at(5).text == "2"
    assert pending.at(0) is None
    assert pending.at(0, [TextSpan(8, 14)]).text == "3"


def test_where_two_places_meet_the_later_one_begins(source):
    pending = PendingProposals()
    pending.put(propose(source, ("one ", "1"), ("two", "2")))
    found = pending.at(4)
    assert found is not None
    assert found.text == "2"


def test_the_next_and_the_previous_place_go_around_the_ends(pending):
    def reached(by, *carets):
        return [spot.text for caret in carets if (spot := pending.next_to(caret, by)) is not None]

    assert reached(1, 0, 4, 8, 14) == ["2", "3", "4", "2"]
    assert reached(-1, 0, 4, 8, 23) == ["4", "4", "2", "4"]
    assert PendingProposals().next_to(0, 1) is None


def test_displaced_places_come_back(pending):
    displaced = pending.displace([TextSpan(4, 9)])
    assert texts(pending) == ["4"]
    assert texts(displaced) == ["2", "3"]
    pending.restore(displaced)
    assert texts(pending) == ["2", "3", "4"]
    assert len(pending) == 3, "a part beside the rest of its proposal is one of its own"


def test_an_edit_moves_what_is_behind_it_and_makes_stale_what_it_is_in(pending, source):
    source.change(9, 9, "x")
    assert pending.follow(Edit(9, 0, 1), source) == Consequence(stale=1)
    assert [spot.text for spot in pending.live_spots] == ["2", "4"]
    assert source.text_range(*_ends(pending.spots[2])) == "four"
    source.change(9, 10, "")
    assert pending.follow(Edit(9, 1, 0), source) == Consequence(revived=1)


def test_a_proposal_ends_with_its_last_place(pending, source):
    source.change(7, 14, "")
    assert pending.follow(Edit(7, 7, 0), source) == Consequence(gone=1)
    assert len(pending) == 1


def test_only_one_of_two_stale_places_takes_in_what_is_inserted_between_them(source):
    pending = PendingProposals()
    pending.put(propose(source, ("one ", "1"), ("two", "2")))
    for start, end in ((3, 4), (3, 4)):
        source.change(start, end, "")
        pending.follow(Edit(start, end - start, 0), source)
    assert not pending.live_spots
    source.change(3, 3, "xy")
    pending.follow(Edit(3, 0, 2), source)
    first, second = (spot.place.span for spot in pending.spots)
    assert first.end <= second.start


def _ends(spot):
    return spot.place.span.start, spot.place.span.end
