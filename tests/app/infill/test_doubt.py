"""Marks of doubtful words: in the background, kept by paragraph, gone where one types."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt

from app.infill.doubt import DoubtMarks
from app.infill.doubt_popup import DoubtPopup, as_percent
from app.infill.doubtful import JudgedParagraph, marked
from engine.types import Candidate, Mode, TextSpan, WordDoubt
from tests.app.infill.conftest import Desk, MakeDesk, deliver

TEXT = "He ate with a spon and drank.\n\nShe went to windw and cried.\n\nThe end."
WRONG = {"spon": Candidate("spoon", -1.0), "windw": Candidate("window", -0.5)}


class Doubts:
    """A desk with marks, whose engine doubts the words of WRONG."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.marks = DoubtMarks(desk.view, desk.controller, desk.bridge, desk.settings)
        self.popup = DoubtPopup(desk.view, self.marks)
        self.messages: list[str] = []
        self.marks.message.connect(self.messages.append)

    @property
    def asked(self) -> int:
        return len(self.desk.session.doubts)

    def answer(self) -> None:
        """Lets the paragraph that is judged be answered."""
        _, request, _ = self.desk.session.doubts[-1]
        assert request.span is not None
        words = []
        for match in re.compile(r"\w+").finditer(request.text, request.span.start, request.span.end):
            better = WRONG.get(match[0])
            value, doubt, candidates = (-9.0, 12.0, (better,)) if better else (-2.0, 1.0, ())
            words.append(WordDoubt(match.start(), match.end(), value, doubt, candidates))
        self.desk.session.answer_doubt(words)
        deliver()

    def mark_all(self) -> None:
        """Marks, and answers as often as is asked."""
        before = -1
        self.marks.mark()
        while self.marks.is_running and self.asked != before:
            before = self.asked
            self.answer()

    def marked(self) -> list[str]:
        return [self.desk.view.text_range(word.span.start, word.span.end) for word in self.marks.words]


@pytest.fixture
def doubts(make_desk: MakeDesk) -> Iterator[Doubts]:
    made = Doubts(make_desk(TEXT))
    yield made
    made.marks.close()
    made.popup.close_()


def test_a_document_is_judged_paragraph_by_paragraph(doubts):
    doubts.marks.mark()
    assert doubts.asked == 1
    doubts.answer()
    assert doubts.marked() == ["spon"]
    assert doubts.marks.is_running
    doubts.answer()
    doubts.answer()
    assert doubts.marked() == ["spon", "windw"]
    assert not doubts.marks.is_running
    assert doubts.messages[-1].startswith("2 of 15 words are doubtful")


def test_at_most_one_word_in_twenty_is_marked_the_most_doubtful_ones():
    words = [WordDoubt(i, i + 1, -20.0, 9.0 + i % 50, ()) for i in range(100)]
    paragraph = JudgedParagraph.of(TextSpan(0, 100), 1000, words, 0.001)
    assert [word.span.start for word in marked([paragraph])] == [1047, 1048, 1049, 1098, 1099]


def test_a_short_text_may_have_a_few_marks():
    words = [WordDoubt(i, i + 1, -20.0, 9.0 + i, ()) for i in range(10)]
    assert len(marked([JudgedParagraph.of(TextSpan(0, 10), 0, words, 0.001)])) == 3


def test_likely_words_and_those_without_doubt_are_never_marked():
    words = [WordDoubt(0, 1, -2.0, 20.0), WordDoubt(2, 3, -20.0, 2.0)]
    assert marked([JudgedParagraph.of(TextSpan(0, 3), 0, words, 0.001)]) == []


def test_only_changed_paragraphs_are_judged_again(make_desk):
    far = "The end of it all was here. " * 60
    doubts = Doubts(make_desk(f"A spon.\n\n{far}\n\nA windw."))
    doubts.mark_all()
    asked = doubts.asked
    doubts.mark_all()
    assert doubts.asked == asked
    doubts.desk.view.replace_spans([(0, 1, "The")])
    doubts.mark_all()
    assert asked < doubts.asked < 2 * asked
    doubts.marks.close()


def test_typing_stops_it_and_takes_the_marks_of_that_paragraph_away(doubts):
    doubts.marks.mark()
    doubts.answer()
    assert doubts.marked() == ["spon"]
    job = doubts.desk.session.doubts[-1][0]
    doubts.desk.view.replace_spans([(len(TEXT), len(TEXT), " Yes.")])
    assert job.is_cancelled
    assert not doubts.marks.is_running
    assert doubts.marked() == ["spon"]
    doubts.desk.view.replace_spans([(3, 3, "x")])
    assert doubts.marked() == []


def test_marks_move_along_with_edits_before_them(doubts):
    doubts.mark_all()
    doubts.desk.view.replace_spans([(0, 0, "Now ")])
    assert doubts.marked() == ["windw"]


def test_a_candidate_replaces_the_word_in_one_undo_step(doubts):
    doubts.mark_all()
    word = doubts.marks.words[0]
    doubts.desk.view.select([TextSpan(word.span.start, word.span.start)])
    doubts.popup.open_at_caret()
    assert doubts.popup.isVisible()
    assert doubts.popup.buttons[0].text() == word.word.candidates[0].text
    doubts.popup.buttons[0].click()
    assert doubts.desk.view.text() == TEXT.replace("spon", "spoon")
    assert doubts.marked() == ["windw"]
    assert not doubts.popup.isVisible()
    doubts.desk.view.undo()
    assert doubts.desk.view.text() == TEXT


def test_the_popup_is_worked_by_keys(doubts):
    doubts.mark_all()
    doubts.marks.step(1)
    doubts.popup.open_at_caret()
    doubts.desk.qtbot.keyClick(doubts.popup.buttons[0], Qt.Key.Key_Escape)
    assert not doubts.popup.isVisible()
    doubts.popup.open_at_caret()
    doubts.desk.qtbot.keyClick(doubts.popup.buttons[0], Qt.Key.Key_Return)
    assert doubts.desk.view.text() != TEXT


def test_the_mouse_that_rests_on_a_word_opens_the_popup_beside_a_proposal_too(doubts):
    view = doubts.desk.view
    doubts.mark_all()
    doubts.marks.rewrite(doubts.marks.words[:1])
    doubts.desk.session.run.finish()
    deliver()
    assert view.preview.isVisible()
    preview, word = view.preview, doubts.marks.words[1]
    spans = preview.span_map
    assert spans is not None

    def rest_on(pos):
        x, y = preview.pointXFromPosition(pos), preview.pointYFromPosition(pos)
        preview.dwellStart.emit(x + 2, y + 4)

    rest_on(spans.shown(0)[0] + 8)
    assert not doubts.popup.isVisible()
    rest_on(spans.to_shown(view.surface.pos_at(word.span.start + 1)))
    assert doubts.popup.buttons[0].text() == "window"
    doubts.popup.buttons[0].click()
    assert "She went to window" in view.text()


def test_a_word_that_is_kept_loses_its_mark(doubts):
    doubts.mark_all()
    doubts.marks.dismiss(doubts.marks.words[0])
    assert doubts.marked() == ["windw"]


def test_no_other_word_is_marked_for_one_that_was_replaced(make_desk):
    doubts = Doubts(make_desk("spon " * 5))
    doubts.mark_all()
    assert len(doubts.marked()) == 3
    doubts.marks.replace(doubts.marks.words[0], "spoon")
    assert len(doubts.marked()) == 2
    doubts.marks.close()


def test_rewriting_masks_only_the_marked_words(doubts):
    doubts.mark_all()
    spans = tuple(word.span for word in doubts.marks.words)
    doubts.desk.view.select([TextSpan(len(TEXT), len(TEXT))])
    doubts.marks.rewrite()
    request = doubts.desk.session.run.request
    assert request.spans == spans
    assert (request.mode, request.strength) == (Mode.REFINE, 1.0)
    assert doubts.desk.view.text() == TEXT


def test_an_infill_goes_first_and_the_rest_is_judged_after_it(doubts):
    doubts.marks.mark()
    job = doubts.desk.session.doubts[-1][0]
    doubts.desk.fill("drank")
    assert job.is_cancelled
    doubts.desk.session.run.finish()
    deliver()
    assert doubts.asked == 2


def test_a_failure_is_told_once_and_ends_it(doubts):
    doubts.marks.mark()
    doubts.desk.session.fail_doubt("The engine failed.")
    deliver()
    assert doubts.messages[-1] == "The engine failed."
    assert not doubts.marks.is_running


def test_looking_can_be_stopped_and_what_is_marked_stays(doubts):
    told: list[float] = []
    doubts.marks.progressed.connect(lambda: told.append(doubts.marks.share))
    doubts.marks.mark()
    doubts.answer()
    doubts.marks.stop()
    assert not doubts.marks.is_running
    assert doubts.marked() == ["spon"]
    assert doubts.messages[-1] == "Stopped; 1 word is marked so far."
    assert told[0] == 0
    assert told[1] == pytest.approx(1 / 3)
    doubts.marks.stop()
    assert len(told) == 3


def test_marks_can_be_cleared(doubts):
    doubts.mark_all()
    doubts.marks.clear()
    assert doubts.marked() == []


def test_doing_without_the_model_takes_the_marks_away(doubts):
    doubts.mark_all()
    doubts.desk.settings["engine.enabled"] = False
    assert doubts.marked() == []


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "100 %"),
        (-1.0, "37 %"),
        (-3.0, "5.0 %"),
        (-5.8, "0.30 %"),
        (-11.5, "0.0010 %"),
        (-40, "less than 0.0001 %"),
    ],
)
def test_probabilities_are_shown_with_two_digits(value, shown):
    assert as_percent(value) == shown
