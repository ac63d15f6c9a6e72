"""The parts of a text that are searched, while the text is edited."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.editor.edits import Edit
from app.editor.scope import Scope
from engine.types import TextSpan


def spans_after(spans, *edits):
    scope = Scope([TextSpan(*span) for span in spans])
    for edit in edits:
        scope.follow(Edit(*edit))
    return [(span.start, span.end) for span in scope.spans]


def test_what_is_written_in_a_span_or_at_its_ends_belongs_to_it():
    assert spans_after([(2, 5)], (2, 0, 1), (6, 0, 1), (4, 0, 1)) == [(2, 8)]
    assert spans_after([(2, 5)], (0, 1, 3), (8, 0, 9)) == [(4, 7)]


def test_a_span_that_is_replaced_as_a_whole_holds_what_replaced_it():
    assert spans_after([(0, 3), (6, 9)], (6, 3, 0), (6, 0, 4), (0, 3, 0), (0, 0, 4)) == [(0, 4), (7, 11)]


def test_nothing_belongs_to_two_spans_when_what_was_between_them_is_gone():
    assert spans_after([(0, 3), (5, 8)], (3, 2, 0), (3, 0, 3)) == [(0, 6), (6, 9)]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(1, 6)), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8), st.integers(0, 8)), max_size=8),
)
def test_spans_stay_ascending_and_disjoint(spans, edits):
    after = spans_after([(start, start + length) for start, length in spans], *edits)
    assert all(start <= end for start, end in after)
    assert all(first[1] <= second[0] for first, second in pairwise(after))
