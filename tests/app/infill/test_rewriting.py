"""Words of a proposal are locked or masked again, and a run writes only what is left to it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from app.editor.indicators import Indicator
from app.infill.wordmarks import Mark, WordMarks, rewritten
from engine.types import Mode, TextSpan

TEXT = "Start.\none two three four.\nMiddle.\nfive six.\nEnd.\n"


def at(text: str, words: str) -> TextSpan:
    return TextSpan(text.index(words), text.index(words) + len(words))


def marked(text: str, *marks: tuple[str, Mark]) -> WordMarks:
    made = WordMarks()
    for words, mark in marks:
        made = made.marked(text, at(text, words), mark)
    return made


# values


def test_a_mark_takes_whole_words_and_replaces_another_one():
    text = "the quick brown fox"
    marks = marked(text, ("uick bro", Mark.LOCK), ("brown", Mark.MASK))
    assert [text[it.start : it.end].strip() for it in marks.locked] == ["quick"]
    assert marks.masked == (at(text, "brown"),)
    assert marked(text, ("quick", Mark.LOCK), ("quick", Mark.CLEAR)) == WordMarks()


def test_a_caret_marks_the_word_it_is_in_and_white_space_nothing():
    text = "one  two"
    assert WordMarks().marked(text, TextSpan(6, 6), Mark.LOCK).locked == (at(text, "two"),)
    assert WordMarks().marked("a   b", TextSpan(2, 3), Mark.MASK) == WordMarks()


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([("two", Mark.MASK)], [" two"]),
        ([("two", Mark.MASK), ("three", Mark.LOCK)], [" two"]),
        ([("two", Mark.LOCK)], ["one", " three four"]),
        ([("one", Mark.LOCK), ("two three", Mark.LOCK)], [" four"]),
        ([("one two three four", Mark.LOCK)], []),
        ([], ["one two three four"]),
    ],
)
def test_masked_words_are_written_anew_and_without_any_all_that_is_not_locked(marks, expected):
    text = "one two three four"
    (ranges,) = rewritten([text], [marked(text, *marks)])
    assert [text[it.start : it.end] for it in ranges] == expected


# in a view


@pytest.fixture
def desk(make_desk):
    """“one two three four” became ONE TWO THREE FOUR, and “five” FIVE, in one proposal."""
    desk = make_desk(TEXT)
    desk.fill("one two three four", "five")
    desk.allow(4)
    return desk


def mark(desk, words, kind, place=0):
    proposals = desk.controller.proposals
    proposal = proposals.wanted
    proposals.apart.mark_words(proposal.id, place, at(proposal.texts[place], words), kind)


def request_parts(request):
    """What is asked to be written, and the text with these places marked."""
    parts, at_ = [], 0
    for span in request.spans:
        parts += [request.text[at_ : span.start], "[", request.text[span.start : span.end], "]"]
        at_ = span.end
    return "".join([*parts, request.text[at_:]])


def rewrite(desk, answer):
    desk.session.answer = lambda request: answer
    desk.controller.rewrite()


def test_the_engine_sees_the_document_with_the_proposal_put_in_and_writes_the_masked_words_only(desk):
    mark(desk, "TWO", Mark.MASK)
    rewrite(desk, [" zwei"])
    request = desk.session.run.request
    assert request_parts(request) == "Start.\nONE[ TWO] THREE FOUR.\nMiddle.\nFIVE six.\nEnd.\n"
    assert (request.mode, request.strength) == (Mode.REFINE, 1.0)
    desk.allow(4)
    assert desk.shown() == TEXT.replace("one two three four", "ONE zwei THREE FOUR").replace("five", "FIVE")
    assert desk.view.text() == TEXT
    assert desk.controller.proposals.accept()
    assert desk.view.text() == TEXT.replace("one two three four", "ONE zwei THREE FOUR").replace("five", "FIVE")
    desk.view.undo()
    assert desk.view.text() == TEXT


def test_with_locks_only_all_the_rest_is_written_anew_in_every_place(desk):
    mark(desk, "TWO THREE", Mark.LOCK)
    rewrite(desk, ["Uno", " vier", "fünf"])
    assert request_parts(desk.session.run.request) == "Start.\n[ONE] TWO THREE[ FOUR].\nMiddle.\n[FIVE] six.\nEnd.\n"
    assert desk.session.run.request.mode is Mode.FILL
    desk.allow(4)
    assert desk.controller.proposals.wanted.texts == ("Uno TWO THREE vier", "fünf")


def test_frames_show_what_stays_around_what_is_written(desk):
    mark(desk, "TWO", Mark.MASK)
    rewrite(desk, [" zwei drei"])
    assert "ONE" in desk.shown()
    assert "TWO" not in desk.shown()
    desk.allow(2)
    assert "THREE FOUR." in desk.shown()
    assert desk.view.text() == TEXT


def test_without_marks_all_is_run_again(desk):
    rewrite(desk, ["a", "b"])
    assert request_parts(desk.session.run.request) == TEXT.replace(
        "one two three four", "[one two three four]"
    ).replace("five", "[five]")


def test_with_every_word_locked_nothing_runs(desk):
    mark(desk, "ONE TWO THREE FOUR", Mark.LOCK)
    mark(desk, "FIVE", Mark.LOCK, place=1)
    desk.controller.rewrite()
    assert not desk.controller.is_running
    assert desk.messages[-1] == "Every word is locked, so there is nothing to write."


def test_stopping_keeps_what_stays_and_what_was_written(desk):
    mark(desk, "TWO", Mark.MASK)
    rewrite(desk, [" zwei drei vier fünf"])
    desk.allow(2)
    desk.controller.stop()
    desk.allow(1)
    texts = desk.controller.proposals.wanted.texts
    assert texts[0].startswith("ONE")
    assert texts[0].endswith(" THREE FOUR")
    assert texts[1] == "FIVE"


def test_when_the_run_fails_the_proposal_is_back_with_its_marks(desk):
    mark(desk, "TWO", Mark.MASK)
    rewrite(desk, [" zwei"])
    desk.session.run.fail()
    desk.qtbot.waitUntil(lambda: not desk.controller.is_running)
    proposals = desk.controller.proposals
    assert proposals.wanted.texts == ("ONE TWO THREE FOUR", "FIVE")
    assert proposals.apart.marks_of(proposals.wanted)[0].masked


def test_a_pinned_variation_stays_beside_what_is_rewritten(desk):
    proposals = desk.controller.proposals
    proposals.apart.pin_variation(proposals.wanted.id, 0, on=True)
    mark(desk, "TWO", Mark.MASK)
    rewrite(desk, [" zwei"])
    desk.allow(4)
    assert {it.texts[0] for it in proposals.wanted.variations} == {"ONE TWO THREE FOUR", "ONE zwei THREE FOUR"}
    assert proposals.wanted.texts == ("ONE zwei THREE FOUR", "FIVE")


def test_a_stale_place_is_left_out_and_the_others_are_rewritten(desk):
    mark(desk, "TWO", Mark.MASK)
    end = TEXT.index("five") + 2
    desk.view.replace_spans([(end, end, "x")])
    desk.view.select([TextSpan(TEXT.index("one"), TEXT.index("one"))])
    rewrite(desk, [" zwei"])
    assert request_parts(desk.session.run.request) == "Start.\nONE[ TWO] THREE FOUR.\nMiddle.\nfixve six.\nEnd.\n"


def test_an_edit_elsewhere_moves_the_places_along(desk):
    mark(desk, "TWO", Mark.MASK)
    rewrite(desk, [" zwei"])
    desk.allow(1)
    desk.view.replace_spans([(0, 0, "New. ")])
    desk.allow(3)
    assert desk.controller.proposals.accept()
    assert desk.view.text() == "New. " + TEXT.replace("one two three four", "ONE zwei THREE FOUR").replace(
        "five", "FIVE"
    )


def test_line_ends_of_the_document_are_kept(make_desk):
    desk = make_desk("a\r\nb c\r\nd\r\n", eol="\r\n", answer=lambda _request: ["eins\nzwei drei"])
    desk.fill("b c")
    desk.allow(4)
    assert desk.controller.proposals.wanted.texts == ("eins\r\nzwei drei",)
    mark(desk, "drei", Mark.MASK)
    rewrite(desk, ["\nvier"])
    desk.allow(4)
    assert desk.controller.proposals.accept()
    assert desk.view.text() == "a\r\neins\r\nzwei\r\nvier\r\nd\r\n"


# steps of the run


def test_any_step_of_the_last_run_can_be_shown_in_place_and_the_result_again(desk, qtbot):
    proposals = desk.controller.proposals
    result = desk.shown()
    assert len(proposals.wanted.frames) == 4
    proposals.apart.step_frame(-1)
    proposals.apart.step_frame(-1)
    proposals.apart.step_frame(-1)
    assert desk.messages[-1] == "Step 2 of 4."
    assert "ONE TWO THREE FOUR" not in desk.shown()
    assert desk.view.text() == TEXT
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Escape)
    assert desk.shown() == result


def test_a_step_is_not_accepted_by_accident(desk):
    desk.controller.proposals.apart.step_frame(-1)
    assert not desk.controller.proposals.accept()
    assert "A step of the run is shown" in desk.messages[-1]
    assert desk.view.text() == TEXT


def test_a_step_that_is_taken_is_the_proposal_and_the_result_is_still_there(desk):
    proposals = desk.controller.proposals
    proposal = proposals.wanted
    proposals.apart.show_frame(proposal.id, 1)
    written = ["".join(cell.text for cell in draft.cells) for draft in proposal.frames[1]]
    proposals.apart.take_frame()
    taken = proposals.wanted
    assert taken.run.is_partial
    assert taken.texts == tuple(new or old for new, old in zip(written, ["", "five"], strict=True))
    assert "FIVE" in proposals.pending[taken.id].variations[1 - taken.shown].texts
    assert desk.controller.proposals.accept()
    assert desk.view.text() == TEXT.replace("one two three four", taken.texts[0]).replace("five", taken.texts[1])


def test_without_a_step_there_is_nothing_to_take(desk):
    desk.controller.proposals.apart.take_frame()
    assert desk.messages[-1] == "Choose a step of the run first."


# in place


def test_locked_and_masked_words_are_marked_where_they_are_shown(desk):
    mark(desk, "TWO", Mark.MASK)
    mark(desk, "FOUR", Mark.LOCK)
    preview, shown = desk.view.preview, desk.shown()
    for words, indicator in (("TWO", Indicator.MASKED_AGAIN), ("FOUR", Indicator.LOCKED)):
        pos = len(shown[: shown.index(words)].encode())
        assert preview.indicatorValueAt(indicator, pos)
        assert not preview.indicatorValueAt(indicator, pos - 1)
    mark(desk, "TWO", Mark.CLEAR)
    assert not preview.indicatorValueAt(Indicator.MASKED_AGAIN, shown.index("TWO"))
