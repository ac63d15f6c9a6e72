from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QInputMethodEvent
from PySide6.QtWidgets import QApplication

from engine.types import TextSpan

TEXT = "def one():\n    first line here\n    return 1\n\n\ndef two():\n    second line here\n    return 2\n"


def test_accepting_a_run_of_129_frames_is_one_undo_step(make_desk):
    desk = make_desk(TEXT, infill__steps=129)
    desk.fill("first line here")
    desk.allow(129)
    assert desk.controller.state == "proposal"
    assert desk.controller.proposals.accept()
    assert desk.view.text() == TEXT.replace("first line here", "FIRST LINE HERE")
    desk.view.undo()
    assert desk.view.text() == TEXT
    assert not desk.view.surface.canUndo()
    assert not desk.view.is_modified
    assert desk.view.selections() == [TextSpan(15, 30)]


def test_two_spans_are_shown_at_once_and_accepted_together(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here", "second line here")
    assert len(desk.session.run.request.spans) == 2
    desk.allow(4)
    expected = TEXT.replace("first line here", "FIRST LINE HERE").replace("second line here", "SECOND LINE HERE")
    assert desk.shown() == expected
    desk.controller.proposals.accept()
    assert desk.view.text() == expected
    desk.view.undo()
    assert desk.view.text() == TEXT


def test_accepting_while_composing_keeps_the_composed_text(make_desk):
    desk = make_desk(TEXT)
    desk.fill("second line here")
    desk.allow(4)
    desk.view.go_to(1, 1)
    QApplication.sendEvent(desk.view.surface, QInputMethodEvent("に", []))
    desk.controller.proposals.accept()
    assert desk.view.text() == "に" + TEXT.replace("second line here", "SECOND LINE HERE")


def test_escape_stops_within_one_step_and_keeps_what_was_written(make_desk, qtbot):
    desk = make_desk(TEXT, answer=lambda request: ["uno dos tres cuatro"], infill__steps=4)
    desk.fill("first line here")
    desk.allow(2)
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Escape)
    assert desk.session.run.job.is_cancelled
    desk.allow(1)
    assert desk.session.run.done == 2
    assert desk.controller.state == "proposal"
    written = "".join(cell.text for cell in desk.session.run.drafts()[0].cells)
    assert written.strip()
    assert desk.shown() == TEXT.replace("first line here", written)
    assert desk.view.text() == TEXT
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Tab)
    assert desk.view.text() == TEXT.replace("first line here", written)


def test_a_second_escape_discards_the_proposal(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(4)
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Escape)
    assert desk.controller.state == "idle"
    assert desk.view.text() == TEXT
    assert not desk.view.is_modified


def test_tab_accepts_right_after_the_run_and_indents_elsewhere(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(4)
    desk.view.go_to(1, 1)
    assert not desk.controller.proposals.can_accept
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Tab)
    assert desk.view.text() == "    " + TEXT
    assert desk.controller.proposals.has_pending
    desk.select("first line here")
    assert desk.controller.proposals.can_accept
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Tab)
    assert desk.view.text() == "    " + TEXT.replace("first line here", "FIRST LINE HERE")


def test_a_proposal_survives_typing_elsewhere_but_not_typing_in_it(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("second line here")
    desk.allow(4)
    desk.view.go_to(1, 1)
    qtbot.keyClicks(desk.view.surface, "# ")
    assert desk.controller.proposals.has_pending
    assert not desk.view.overlay.is_shown
    desk.pause_typing()
    assert desk.shown() == "# " + TEXT.replace("second line here", "SECOND LINE HERE")
    desk.select("line here\n    return 2")
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Backspace)
    assert not desk.controller.proposals.has_pending
    assert "was edited" in desk.messages[-1]


def test_an_empty_result_says_that_accepting_removes_the_text(make_desk):
    desk = make_desk(TEXT, answer=lambda _request: ("",))
    desk.fill("first line here")
    desk.allow(4)
    assert desk.controller.proposals.has_pending
    assert "removes" in desk.messages[-1]
    assert desk.view.text() == TEXT
    desk.controller.proposals.accept()
    assert desk.view.text() == TEXT.replace("first line here", "")


def test_the_whole_file_can_be_filled(make_desk):
    desk = make_desk(TEXT)
    desk.view.select_all()
    desk.controller.fill()
    desk.allow(4)
    desk.controller.proposals.accept()
    assert desk.view.text() == TEXT.upper()
    desk.view.undo()
    assert desk.view.text() == TEXT


def test_lines_that_are_selected_whole_stay_lines(make_desk, qtbot):
    desk = make_desk(TEXT, answer=lambda _request: ["other words"])
    desk.fill("    return 1\n")
    desk.allow(4)
    assert desk.controller.proposals.can_accept
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Tab)
    assert desk.view.text() == TEXT.replace("    return 1\n", "other words\n")
    desk.view.undo()
    assert desk.view.text() == TEXT


def test_new_text_gets_the_line_ends_of_the_document(make_desk):
    desk = make_desk("a\r\nb\r\nc\r\n", eol="\r\n", answer=lambda request: ["x\ny"])
    desk.fill("b")
    desk.allow(4)
    desk.controller.proposals.accept()
    assert desk.view.text() == "a\r\nx\r\ny\r\nc\r\n"


def test_a_proposal_whose_text_is_another_one_by_now_is_not_accepted(make_desk, monkeypatch):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(4)
    monkeypatch.setattr(desk.view, "text_range", lambda start, end: "something else")
    assert not desk.controller.proposals.accept()
    assert desk.view.text() == TEXT
    assert desk.controller.state == "idle"
    assert "nothing was changed" in desk.messages[-1]


def test_keys_with_modifiers_are_left_to_the_shortcuts(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(4)
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
    assert desk.view.text() != TEXT.replace("first line here", "FIRST LINE HERE")
