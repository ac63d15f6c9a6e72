from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QDragEnterEvent, QGuiApplication, QInputMethodEvent
from PySide6.QtWidgets import QApplication

from engine.types import Mode, TextSpan

from .conftest import deliver

TEXT = "def one():\n    first line here\n    return 1\n\n\ndef two():\n    second line here\n    return 2\n"


def test_accepting_a_run_of_129_frames_is_one_undo_step(make_desk):
    desk = make_desk(TEXT, infill__steps=129)
    desk.fill("first line here")
    desk.allow(129)
    assert desk.controller.state == "proposal"
    assert desk.controller.accept()
    assert desk.view.text() == TEXT.replace("first line here", "FIRST LINE HERE")
    desk.view.undo()
    assert desk.view.text() == TEXT
    assert not desk.view.surface.canUndo()
    assert not desk.view.is_modified
    assert desk.view.selections() == [TextSpan(15, 30)]


def test_a_run_touches_neither_the_text_nor_its_history_nor_the_modified_flag(make_desk):
    desk = make_desk(TEXT)
    desk.view.replace_spans([(0, 3, "DEF")])
    desk.view.undo()
    seen: list[object] = []
    desk.view.text_changed.connect(seen.append)
    desk.fill("first line here")
    for _ in range(4):
        desk.allow(1)
        assert desk.view.is_previewing
        assert desk.shown() != TEXT
        assert desk.view.text() == TEXT
        assert not desk.view.is_modified
        assert not desk.view.surface.canUndo()
        assert desk.view.surface.canRedo()
    desk.controller.reject()
    assert desk.view.text() == TEXT
    assert not desk.view.is_modified
    assert not seen


def test_two_spans_are_shown_at_once_and_accepted_together(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here", "second line here")
    assert len(desk.session.run.request.spans) == 2
    desk.allow(4)
    expected = TEXT.replace("first line here", "FIRST LINE HERE").replace("second line here", "SECOND LINE HERE")
    assert desk.shown() == expected
    desk.controller.accept()
    assert desk.view.text() == expected
    desk.view.undo()
    assert desk.view.text() == TEXT


def test_what_is_copied_or_saved_during_a_preview_is_the_real_text(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(2)
    desk.view.copy()
    assert QGuiApplication.clipboard().text() == "first line here"
    assert desk.view.text() == TEXT


def test_typing_elsewhere_during_a_run_is_kept_and_the_draft_comes_back(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("second line here")
    desk.allow(1)
    desk.view.go_to(1, 1)
    qtbot.keyClicks(desk.view.surface, "# hi ")
    assert not desk.view.is_previewing
    assert desk.view.text() == "# hi " + TEXT
    desk.allow(1)
    assert not desk.view.is_previewing, "frames wait until typing has paused"
    assert desk.controller.state == "running"
    desk.pause_typing()
    assert desk.view.is_previewing
    assert desk.shown().startswith("# hi def one")
    desk.allow(2)
    desk.controller.accept()
    expected = "# hi " + TEXT.replace("second line here", "SECOND LINE HERE")
    assert desk.view.text() == expected
    desk.view.undo()
    assert desk.view.text() == "# hi " + TEXT
    desk.view.undo()
    assert desk.view.text() == TEXT


def test_a_composition_during_a_preview_goes_to_the_real_text(make_desk):
    desk = make_desk(TEXT)
    desk.fill("second line here")
    desk.allow(1)
    desk.view.go_to(1, 1)
    QApplication.sendEvent(desk.view.surface, QInputMethodEvent("に", []))
    assert not desk.view.is_previewing
    desk.pause_typing()
    assert not desk.view.is_previewing, "never while composing"
    event = QInputMethodEvent()
    event.setCommitString("日本")
    QApplication.sendEvent(desk.view.surface, event)
    desk.pause_typing()
    assert desk.view.is_previewing
    desk.allow(3)
    desk.controller.accept()
    assert desk.view.text() == "日本" + TEXT.replace("second line here", "SECOND LINE HERE")


def test_accepting_while_composing_keeps_the_composed_text(make_desk):
    desk = make_desk(TEXT)
    desk.fill("second line here")
    desk.allow(4)
    desk.view.go_to(1, 1)
    QApplication.sendEvent(desk.view.surface, QInputMethodEvent("に", []))
    desk.controller.accept()
    assert desk.view.text() == "に" + TEXT.replace("second line here", "SECOND LINE HERE")


@pytest.mark.parametrize("act", ["undo", "paste", "key"])
def test_every_way_to_change_the_text_takes_the_preview_away_first(make_desk, qtbot, act):
    desk = make_desk(TEXT)
    desk.view.replace_spans([(0, 3, "DEF")])
    QGuiApplication.clipboard().setText("pasted")
    desk.fill("second line here")
    desk.allow(1)
    desk.view.go_to(1, 1)
    with qtbot.waitSignal(desk.view.preview_left):
        if act == "undo":
            desk.view.undo()
        elif act == "paste":
            desk.view.paste()
        else:
            qtbot.keyClick(desk.view.surface, Qt.Key.Key_Delete)
    assert not desk.view.is_previewing
    assert desk.controller.state == "running"
    first = {"undo": "def one", "paste": "pastedDEF one", "key": "EF one"}[act]
    assert desk.view.text().startswith(first)


def test_dragging_something_over_the_text_takes_the_preview_away(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("second line here")
    desk.allow(1)
    data = QMimeData()
    data.setText("dragged")
    none = Qt.KeyboardModifier.NoModifier
    event = QDragEnterEvent(QPoint(50, 50), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, none)
    with qtbot.waitSignal(desk.view.preview_left):
        QApplication.sendEvent(desk.view.preview.viewport(), event)
    assert not desk.view.is_previewing
    assert not event.isAccepted()


def test_a_proposal_comes_back_when_the_mouse_alone_took_it_away(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("second line here")
    desk.allow(4)
    qtbot.mouseClick(desk.view.preview.viewport(), Qt.MouseButton.MiddleButton)
    assert not desk.view.is_previewing
    assert desk.controller.has_pending
    desk.pause_typing()
    assert desk.view.is_previewing


def test_editing_the_span_during_a_run_stops_it_and_says_so(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("second line here")
    desk.allow(1)
    run = desk.session.run
    qtbot.keyClicks(desk.view.surface, "x")  # replaces the selection, which is the span
    assert run.job.is_cancelled
    assert desk.controller.state == "idle"
    assert "was edited, so the run was stopped" in desk.messages[-1]
    assert desk.view.text() == TEXT.replace("second line here", "x")
    run.allow(1)
    deliver()
    assert desk.controller.state == "idle"
    assert not desk.controller.has_pending


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


def test_escape_before_anything_was_written_changes_nothing(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    assert desk.controller.state == "queued"
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Escape)
    assert desk.session.run.job.is_cancelled
    assert desk.controller.state == "idle"
    assert not desk.view.is_previewing
    assert desk.view.text() == TEXT


def test_a_stopped_run_leaves_spans_alone_in_which_nothing_was_written(make_desk):
    desk = make_desk(TEXT, answer=lambda request: ["uno dos tres cuatro cinco seis", ""], infill__steps=6)
    desk.fill("first line here", "second line here")
    desk.allow(1)
    desk.controller.stop()
    desk.allow(1)
    assert desk.controller.proposal is not None
    assert len(desk.controller.proposal.target.spans) == 1
    desk.controller.accept()
    assert "second line here" in desk.view.text()
    assert "first line here" not in desk.view.text()


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
    assert not desk.controller.can_accept
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Tab)
    assert desk.view.text() == "    " + TEXT
    assert desk.controller.has_pending
    desk.select("first line here")
    assert desk.controller.can_accept
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Tab)
    assert desk.view.text() == "    " + TEXT.replace("first line here", "FIRST LINE HERE")


def test_a_proposal_survives_typing_elsewhere_and_falls_with_typing_in_it(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("second line here")
    desk.allow(4)
    desk.view.go_to(1, 1)
    qtbot.keyClicks(desk.view.surface, "# ")
    assert desk.controller.has_pending
    assert not desk.view.is_previewing
    desk.pause_typing()
    assert desk.shown() == "# " + TEXT.replace("second line here", "SECOND LINE HERE")
    desk.select("line here\n    return 2")
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Backspace)
    assert not desk.controller.has_pending
    assert "proposal was discarded" in desk.messages[-1]


def test_late_results_of_a_replaced_run_are_dropped(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    old = desk.session.run
    desk.allow(1)
    desk.fill("second line here")
    assert old.job.is_cancelled
    old.finish()
    deliver()
    assert desk.controller.state == "queued"
    desk.allow(4)
    desk.controller.accept()
    assert desk.view.text() == TEXT.replace("second line here", "SECOND LINE HERE")


def test_a_reloaded_text_stops_the_run(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(1)
    desk.view.set_text("something else\n")
    assert desk.session.run.job.is_cancelled
    assert desk.controller.state == "idle"
    assert desk.view.text() == "something else\n"


def test_closing_the_tab_in_the_middle_of_a_run_cancels_it_and_says_nothing_more(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(1)
    told = len(desk.messages)
    desk.controller.close()
    assert desk.session.run.job.is_cancelled
    desk.session.run.finish()
    deliver()
    assert desk.view.text() == TEXT
    assert len(desk.messages) == told


def test_an_empty_result_says_that_accepting_removes_the_text(make_desk):
    desk = make_desk(TEXT, answer=lambda _request: ("",))
    desk.fill("first line here")
    desk.allow(4)
    assert desk.controller.has_pending
    assert "removes" in desk.messages[-1]
    assert desk.view.text() == TEXT
    desk.controller.accept()
    assert desk.view.text() == TEXT.replace("first line here", "")


def test_an_empty_selection_gets_a_sentence(make_desk):
    desk = make_desk(TEXT)
    desk.controller.fill()
    assert desk.controller.state == "idle"
    assert desk.messages == ["Select the text to rewrite first; to write on at the caret, use Continue."]
    assert not desk.session.runs


def test_the_whole_file_can_be_filled(make_desk):
    desk = make_desk(TEXT)
    desk.view.select_all()
    desk.controller.fill()
    desk.allow(4)
    desk.controller.accept()
    assert desk.view.text() == TEXT.upper()
    desk.view.undo()
    assert desk.view.text() == TEXT


def test_lines_that_are_selected_whole_stay_lines(make_desk, qtbot):
    desk = make_desk(TEXT, answer=lambda _request: ["other words"])
    desk.fill("    return 1\n")
    desk.allow(4)
    assert desk.controller.can_accept
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Tab)
    assert desk.view.text() == TEXT.replace("    return 1\n", "other words\n")
    desk.view.undo()
    assert desk.view.text() == TEXT


def test_continue_writes_at_the_caret(make_desk):
    desk = make_desk(TEXT)
    desk.view.go_to(2, 99)
    desk.controller.continue_at_caret()
    assert desk.session.run.request.mode is Mode.CONTINUE
    desk.allow(4)
    assert desk.controller.can_accept
    desk.controller.accept()
    assert desk.view.text() == TEXT.replace("first line here", "first line hereWRITTEN ON")


def test_refine_asks_for_the_strength_of_the_settings(make_desk):
    desk = make_desk(TEXT, infill__strength=0.3)
    desk.select("first line here")
    desk.controller.refine()
    assert desk.session.run.request.mode is Mode.REFINE
    assert desk.session.run.request.strength == 0.3
    assert desk.shown() == TEXT


def test_new_text_gets_the_line_ends_of_the_document(make_desk):
    desk = make_desk("a\r\nb\r\nc\r\n", eol="\r\n", answer=lambda request: ["x\ny"])
    desk.fill("b")
    desk.allow(4)
    desk.controller.accept()
    assert desk.view.text() == "a\r\nx\r\ny\r\nc\r\n"


def test_each_run_draws_a_seed_and_shows_it_unless_it_is_locked(make_desk):
    desk = make_desk(TEXT)
    seeds = set()
    for _ in range(3):
        desk.fill("first line here")
        seeds.add(desk.session.run.request.seed)
        assert desk.settings["infill.seed"] == desk.session.run.request.seed
    assert len(seeds) == 3
    desk.settings["infill.seed_locked"] = True
    desk.settings["infill.seed"] = 7
    desk.fill("first line here")
    assert desk.session.run.request.seed == 7


def test_progress_tells_the_figures_of_the_frames(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(4)
    assert [(at.step, at.steps, at.nfe) for at in desk.progress] == [(1, 4, 1), (2, 4, 2), (3, 4, 3), (4, 4, 4)]
    assert desk.progress[-1].reused_tokens == 10
    assert desk.states == ["queued", "running", "proposal"]


def test_a_failure_becomes_its_sentence_and_the_text_stays(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.session.run.fail("Memory ran out.")
    deliver()
    assert desk.controller.state == "idle"
    assert desk.messages[-1] == "Memory ran out."
    assert not desk.view.is_previewing
    assert desk.view.text() == TEXT


def test_reduced_motion_shows_only_the_start_and_the_end(make_desk):
    desk = make_desk(TEXT, editor__reduced_motion=True)
    desk.fill("first line here")
    at_start = desk.shown()
    assert at_start != TEXT
    desk.allow(3)
    assert desk.shown() == at_start
    desk.allow(1)
    assert desk.shown() == TEXT.replace("first line here", "FIRST LINE HERE")


def test_frames_are_skipped_while_the_view_is_hidden(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.view.hide()
    before = desk.shown()
    desk.allow(4)
    assert desk.shown() == before
    desk.view.show()
    assert desk.shown() == TEXT.replace("first line here", "FIRST LINE HERE")


def test_a_result_equal_to_the_text_is_said_and_changes_nothing(make_desk):
    desk = make_desk(TEXT, answer=lambda request: ["first line here"])
    desk.fill("first line here")
    desk.allow(4)
    assert desk.controller.state == "idle"
    assert "already" in desk.messages[-1]


def test_filling_again_at_a_proposal_rewrites_the_same_span(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(4)
    desk.view.select([TextSpan(20, 20)])
    desk.controller.fill()
    assert desk.session.run.request.spans == (TextSpan(15, 30),)


def test_an_engine_that_does_not_answer_can_be_given_up(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(1)
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Escape)
    assert desk.controller.state == "running"
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Escape)
    assert desk.controller.state == "idle"
    assert not desk.view.is_previewing


def test_a_proposal_whose_text_is_another_one_by_now_is_not_accepted(make_desk, monkeypatch):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(4)
    monkeypatch.setattr("app.infill.proposal.Target.still_holds", lambda self, source: False)
    assert not desk.controller.accept()
    assert desk.view.text() == TEXT
    assert desk.controller.state == "idle"
    assert "nothing was changed" in desk.messages[-1]


def test_frames_that_do_not_fit_the_spans_are_dropped(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here", "second line here")
    run = desk.session.run
    run.tokens = run.tokens[:1]
    desk.allow(1)
    assert desk.controller.state == "queued"


def test_keys_with_modifiers_are_left_to_the_shortcuts(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(4)
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Tab, Qt.KeyboardModifier.ShiftModifier)
    assert desk.view.text() != TEXT.replace("first line here", "FIRST LINE HERE")
