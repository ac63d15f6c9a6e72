"""Which characters came from the model: checked by hand, and against a text whose characters know it themselves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.editor.edits import Edit
from app.editor.provenance import Origin, Provenance
from engine.types import TextSpan

USER, UNDO, REDO = Origin.USER, Origin.UNDO, Origin.REDO


def accepted(*spans):
    """A text of 20 of the user's own characters in which these spans were then inserted."""
    made = Provenance()
    for number, span in enumerate(spans):
        made.change(Edit(span.start, 0, span.end - span.start), USER, begins_step=not number)
    made.accept(spans)
    return made


def test_what_an_acceptance_inserted_is_generated():
    assert accepted(TextSpan(3, 7), TextSpan(9, 12)).ranges == (TextSpan(3, 7), TextSpan(9, 12))
    assert accepted(TextSpan(3, 7), TextSpan(9, 12)).size == 7


def test_what_stood_there_before_is_not_even_in_an_accepted_span():
    made = Provenance()
    made.change(Edit(4, 3, 0), USER)
    made.change(Edit(4, 0, 2), USER, begins_step=False)
    made.accept([TextSpan(0, 10)])
    assert made.ranges == (TextSpan(4, 6),)


def test_an_older_step_is_not_part_of_the_acceptance():
    made = Provenance()
    made.change(Edit(0, 0, 5), USER)
    made.change(Edit(5, 0, 5), USER)
    made.accept([TextSpan(0, 10)])
    assert made.ranges == (TextSpan(5, 10),)


def test_spans_replaced_from_the_last_to_the_first_are_found():
    made = Provenance()
    for number, edit in enumerate([Edit(10, 2, 0), Edit(10, 0, 5), Edit(3, 1, 0), Edit(3, 0, 4)]):
        made.change(edit, USER, begins_step=number == 0)
    made.accept([TextSpan(3, 7)])
    made.accept([TextSpan(13, 18)])
    assert made.ranges == (TextSpan(3, 7), TextSpan(13, 18))


def test_typing_in_a_range_splits_it_and_typing_beside_it_moves_it():
    made = accepted(TextSpan(3, 7))
    made.change(Edit(5, 0, 2), USER)
    assert made.ranges == (TextSpan(3, 5), TextSpan(7, 9))
    made.change(Edit(3, 0, 1), USER)
    assert made.ranges == (TextSpan(4, 6), TextSpan(8, 10))
    made.change(Edit(10, 0, 1), USER)
    assert made.ranges == (TextSpan(4, 6), TextSpan(8, 10))


def test_undo_of_an_edit_in_a_range_makes_it_whole_again():
    made = accepted(TextSpan(3, 7))
    made.change(Edit(4, 2, 0), USER)
    made.change(Edit(4, 0, 9), USER)
    assert made.ranges == (TextSpan(3, 4), TextSpan(13, 14))
    made.change(Edit(4, 9, 0), UNDO)
    assert made.ranges == (TextSpan(3, 5),)
    made.change(Edit(4, 0, 2), UNDO)
    assert made.ranges == (TextSpan(3, 7),)


def test_undo_of_the_acceptance_unmarks_and_redo_marks_again():
    made = accepted(TextSpan(3, 7))
    made.change(Edit(3, 4, 0), UNDO)
    assert made.ranges == ()
    made.change(Edit(3, 0, 4), REDO)
    assert made.ranges == (TextSpan(3, 7),)


def test_the_same_text_typed_after_an_undo_is_the_users():
    made = accepted(TextSpan(3, 7))
    made.change(Edit(3, 4, 0), UNDO)
    made.change(Edit(3, 0, 4), USER)
    made.change(Edit(3, 4, 0), UNDO)
    made.change(Edit(3, 0, 4), REDO)
    assert made.ranges == ()


def test_another_text_has_no_generated_range():
    made = accepted(TextSpan(3, 7))
    made.change(Edit(0, 20, 10), Origin.LOAD)
    assert made.ranges == ()


def test_ranges_that_were_known_move_with_the_edits_since():
    made = Provenance()
    made.put([TextSpan(2, 4), TextSpan(6, 9)], 20, [Edit(0, 0, 1), Edit(8, 1, 0)])
    assert made.ranges == (TextSpan(3, 5), TextSpan(7, 9))


def test_ranges_that_do_not_fit_the_text_are_not_taken():
    made = Provenance()
    made.put([TextSpan(-3, 4), TextSpan(2, 3), TextSpan(9, 6), TextSpan(15, 30)], 20)
    assert made.ranges in {(), (TextSpan(2, 3),)}


MOVES = st.lists(
    st.tuples(st.sampled_from(["type", "delete", "accept", "undo", "redo"]), st.integers(0, 99), st.integers(1, 6)),
    max_size=60,
)


@given(MOVES)
def test_any_sequence_leaves_what_characters_that_know_it_would_say(moves):
    """The plain model: each character says whether it is generated; undo and redo bring back the very same ones."""
    made, text = Provenance(), [False] * 12
    undone: list[list[tuple[int, list[bool], list[bool]]]] = []
    done: list[list[tuple[int, list[bool], list[bool]]]] = []
    for kind, place, count in moves:
        start = place % (len(text) + 1)
        if kind == "undo" and done:
            step = done.pop()
            for at, old, new in reversed(step):
                follow(made, at, new, old, UNDO)
                text[at : at + len(new)] = old
            undone.append(step)
        elif kind == "redo" and undone:
            step = undone.pop()
            for at, old, new in step:
                follow(made, at, old, new, REDO)
                text[at : at + len(old)] = new
            done.append(step)
        elif kind in {"type", "delete", "accept"}:
            old = text[start : start + count] if kind != "type" else []
            new = [kind == "accept"] * (count if kind != "delete" else 0)
            step = [(start, old, [])] * bool(old) + [(start, [], new)] * bool(new)
            if not step:
                continue
            for number, (at, removed, inserted) in enumerate(step):
                made.change(Edit(at, len(removed), len(inserted)), USER, begins_step=number == 0)
                text[at : at + len(removed)] = inserted
            if kind == "accept":
                made.accept([TextSpan(start, start + len(new))])
            done.append(step)
            undone.clear()
        marked = [any(span.start <= at < span.end for span in made.ranges) for at in range(len(text))]
        assert marked == text


def follow(made, at, old, new, origin):
    made.change(Edit(at, len(old), len(new)), origin)
