"""Many replacements are made fewer without changing what comes out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.editor.replacing import carried, gathered


def applied(text, changes):
    for start, end, new in reversed(changes):
        text = text[:start] + new + text[end:]
    return text


@st.composite
def texts_with_changes(draw):
    text = draw(st.text(alphabet="abc", max_size=60))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=20, unique=True)))
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    return text, [(start, end, draw(st.text(alphabet="XY", max_size=3))) for start, end in pairs]


@given(texts_with_changes(), st.integers(1, 5), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 5)), max_size=4))
def test_fewer_replacements_do_the_same_and_spare_what_is_kept(given_text, most, held):
    text, changes = given_text
    kept = sorted((min(start, len(text)), min(start + size, len(text))) for start, size in held)
    few = gathered(changes, text, kept, most)
    assert applied(text, few) == applied(text, changes)
    assert len(few) <= max(most, len(changes))
    for start, end in kept:
        if not any(first < end and start < last for first, last, _ in changes):
            assert not any(first < end and start < last for first, last, _ in few)


def test_few_are_left_as_they_are():
    changes = [(0, 1, "x"), (2, 3, "y")]
    assert gathered(changes, "abcd", [], 2) == changes


def test_the_nearest_are_joined_first():
    text = "a" * 100
    assert gathered([(0, 1, "x"), (50, 51, "y"), (53, 54, "z")], text, [], 2) == [(0, 1, "x"), (50, 54, "yaaz")]


def test_nothing_kept_comes_to_lie_between():
    text = "0123456789"
    assert gathered([(0, 1, "x"), (9, 10, "y")], text, [(4, 5)], 1) == [(0, 1, "x"), (9, 10, "y")]


def test_carets_stay_where_they_are_in_the_text():
    changes = [(2, 4, "long one"), (6, 8, "")]
    assert carried([0, 2, 3, 4, 5, 7, 8, 10], changes) == [0, 2, 10, 10, 11, 12, 12, 14]
