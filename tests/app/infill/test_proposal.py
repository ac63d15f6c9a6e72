from __future__ import annotations

from app.editor.edits import Edit
from app.infill.proposal import Proposal, Target, dissolved, untouched
from engine.types import Cell, CellState, SpanDraft, TextSpan

TARGET = Target((TextSpan(2, 5), TextSpan(10, 12)), ("old", "xy"))
MASK = Cell("", CellState.MASKED)


def draft(*texts):
    return SpanDraft(tuple(Cell(text, CellState.ACCEPTED, 0.9) if text else MASK for text in texts))


def test_a_finished_run_proposes_its_texts():
    proposal = Proposal.finished(TARGET, [draft("n", "ew"), draft("z")], ["new", "z"])
    assert proposal is not None
    assert proposal.changes() == [(2, 5, "new"), (10, 12, "z")]
    assert [preview.is_proposal for preview in proposal.previews()] == [True, True]


def test_the_texts_of_a_result_count_even_if_its_cells_say_something_else():
    proposal = Proposal.finished(TARGET, [draft("n"), draft("z")], ["new", "z"])
    assert proposal is not None
    assert proposal.changes() == [(2, 5, "new"), (10, 12, "z")]


def test_a_result_equal_to_the_text_or_of_other_spans_is_no_proposal():
    assert Proposal.finished(TARGET, [draft("old"), draft("xy")], ["old", "xy"]) is None
    assert Proposal.finished(TARGET, [draft("new")], ["new"]) is None


def test_a_stopped_run_proposes_what_was_written_without_its_masks():
    proposal = Proposal.revealed(TARGET, [draft("a", "", "b"), draft("", "")])
    assert proposal is not None
    assert proposal.changes() == [(2, 5, "ab")]


def test_a_stopped_run_that_wrote_nothing_proposes_nothing():
    kept = SpanDraft((Cell("old", CellState.KEPT, 1.0), MASK))
    assert Proposal.revealed(TARGET, [kept, draft("")]) is None
    assert Proposal.revealed(TARGET, []) is None


def test_edits_elsewhere_move_a_proposal_and_edits_inside_end_it():
    proposal = Proposal.finished(TARGET, [draft("new"), draft("z")], ["new", "z"])
    assert proposal is not None
    moved = proposal.after(Edit(6, 0, 3))
    assert moved is not None
    assert moved.target.spans == (TextSpan(2, 5), TextSpan(13, 15))
    assert proposal.after(Edit(3, 1, 0)) is None


def test_a_caret_at_the_border_of_a_span_is_in_it():
    assert [offset for offset in range(14) if TARGET.contains(offset)] == [2, 3, 4, 5, 10, 11, 12]


def test_before_the_first_frame_the_text_dissolves_into_about_as_many_tokens():
    target = Target((TextSpan(0, 40), TextSpan(50, 50)), ("a" * 40, ""))
    masks, caret = dissolved(target)
    assert len(masks.cells) == 10
    assert {cell.state for cell in masks.cells} == {CellState.MASKED}
    assert caret.cells
    assert untouched(target)[0].text == "a" * 40
