"""Where a run of the past would write now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.history.entries import Kept
from app.history.places import REACH, around, find_places
from engine.types import TextSpan
from tests.app.history.test_store import a_run

TEXT = "One old house stood there. Another old house stood here.\n"


class Source:
    def __init__(self, text):
        self.text, self.length = text, len(text)

    def text_range(self, start, end):
        return self.text[start:end]


def kept(*pairs, text=TEXT):
    """A run that proposed the second of each pair for the last occurrence of the first."""
    spans = tuple(TextSpan(text.rindex(old), text.rindex(old) + len(old)) for old, _ in pairs)
    before, after = tuple(old for old, _ in pairs), tuple(new for _, new in pairs)
    run = replace(a_run().run, spans=spans, before=before, after=after)
    return Kept(run, around(Source(text), spans, before))


def held(text, run):
    places = find_places(text, run)
    return None if places is None else [(place.start, text[place.start : place.end]) for place in places]


def test_an_unchanged_text_has_it_where_it_was():
    assert held(TEXT, kept(("old", "new"))) == [(35, "old")]


def test_text_before_it_moves_it():
    assert held("Once upon a time. " + TEXT, kept(("old", "new"))) == [(53, "old")]
    assert held(TEXT.removeprefix("One old house stood there. "), kept(("old", "new"))) == [(8, "old")]


def test_what_was_accepted_is_found_in_its_place():
    assert held(TEXT.replace("Another old", "Another new"), kept(("old", "new"))) == [(35, "new")]


def test_the_surroundings_tell_equal_texts_apart():
    run = kept(("old", "new"))
    assert held("Another old house stood here.\n" + TEXT[:27], run) == [(8, "old")]


def test_one_side_is_enough():
    assert held(TEXT.replace("house stood here", "barn stood here"), kept(("old", "new"))) == [(35, "old")]


def test_without_surroundings_the_nearest_text_is_taken():
    run = replace(kept(("old", "new")), around=())
    assert held(TEXT, run) == [(35, "old")]
    assert held("x" * 30 + TEXT, run) == [(34, "old")]


def test_a_caret_is_found_by_what_is_around_it():
    at = TEXT.index("Another")
    run = replace(a_run().run, spans=(TextSpan(at, at),), before=("",), after=("New words. ",))
    continued = Kept(run, around(Source(TEXT), run.spans, run.before))
    assert held("More. " + TEXT, continued) == [(at + 6, "")]
    assert held("Nothing of it is left.", continued) is None
    accepted = TEXT[:at] + "New words. " + TEXT[at:]
    assert held(accepted, continued) == [(at, "New words. ")]


def test_several_spans_keep_their_order():
    run = kept(("One", "A"), ("stood", "was"), ("here", "there"))
    assert held("Well. " + TEXT, run) == [(6, "One"), (6 + TEXT.rindex("stood"), "stood"), (6 + 51, "here")]
    assert held(TEXT.replace("One", "A").replace("Another old house stood", "Another old house was"), run) is not None


def test_text_that_is_gone_is_not_found():
    assert held("Something else altogether.", kept(("old", "new"))) is None
    assert held("", kept(("old", "new"))) is None
    assert held("One house.", kept(("One", "A"), ("old", "new"))) is None


def test_the_surroundings_of_text_that_was_edited_meanwhile_are_not_known():
    assert around(Source(TEXT), [TextSpan(0, 3)], ["Two"]) == ()
    (sides,) = around(Source("x" * 200), [TextSpan(100, 101)], ["x"])
    assert (len(sides.before), len(sides.after)) == (REACH, REACH)


@pytest.mark.parametrize("count", [0, 1])
def test_a_run_whose_lists_do_not_fit_is_not_found(count):
    run = replace(kept(("old", "new")).run, after=("new",) * count, before=())
    assert find_places(TEXT, Kept(run)) is None
