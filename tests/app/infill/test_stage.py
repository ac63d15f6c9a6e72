from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QDragEnterEvent, QGuiApplication, QInputMethodEvent
from PySide6.QtWidgets import QApplication

TEXT = "def one():\n    first line here\n    return 1\n\n\ndef two():\n    second line here\n    return 2\n"


def test_a_run_touches_neither_the_text_nor_its_history_nor_the_modified_flag(make_desk):
    desk = make_desk(TEXT)
    desk.view.replace_spans([(0, 3, "DEF")])
    desk.view.undo()
    seen: list[object] = []
    desk.view.text_changed.connect(seen.append)
    desk.fill("first line here")
    for _ in range(4):
        desk.allow(1)
        assert desk.view.overlay.is_shown
        assert desk.shown() != TEXT
        assert desk.view.text() == TEXT
        assert not desk.view.is_modified
        assert not desk.view.surface.canUndo()
        assert desk.view.surface.canRedo()
    desk.controller.reject()
    assert desk.view.text() == TEXT
    assert not desk.view.is_modified
    assert not seen


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
    assert not desk.view.overlay.is_shown
    assert desk.view.text() == "# hi " + TEXT
    desk.allow(1)
    assert not desk.view.overlay.is_shown, "frames wait until typing has paused"
    assert desk.controller.state == "running"
    desk.pause_typing()
    assert desk.view.overlay.is_shown
    assert desk.shown().startswith("# hi def one")
    desk.allow(2)
    desk.controller.proposals.accept()
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
    assert not desk.view.overlay.is_shown
    desk.pause_typing()
    assert not desk.view.overlay.is_shown, "never while composing"
    event = QInputMethodEvent()
    event.setCommitString("日本")
    QApplication.sendEvent(desk.view.surface, event)
    desk.pause_typing()
    assert desk.view.overlay.is_shown
    desk.allow(3)
    desk.controller.proposals.accept()
    assert desk.view.text() == "日本" + TEXT.replace("second line here", "SECOND LINE HERE")


@pytest.mark.parametrize("act", ["undo", "paste", "key"])
def test_every_way_to_change_the_text_takes_the_preview_away_first(make_desk, qtbot, act):
    desk = make_desk(TEXT)
    desk.view.replace_spans([(0, 3, "DEF")])
    QGuiApplication.clipboard().setText("pasted")
    desk.fill("second line here")
    desk.allow(1)
    desk.view.go_to(1, 1)
    with qtbot.waitSignal(desk.view.overlay.left):
        if act == "undo":
            desk.view.undo()
        elif act == "paste":
            desk.view.paste()
        else:
            qtbot.keyClick(desk.view.surface, Qt.Key.Key_Delete)
    assert not desk.view.overlay.is_shown
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
    with qtbot.waitSignal(desk.view.overlay.left):
        QApplication.sendEvent(desk.view.preview.viewport(), event)
    assert not desk.view.overlay.is_shown
    assert not event.isAccepted()


def test_a_proposal_comes_back_when_the_mouse_alone_took_it_away(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("second line here")
    desk.allow(4)
    qtbot.mouseClick(desk.view.preview.viewport(), Qt.MouseButton.MiddleButton)
    assert not desk.view.overlay.is_shown
    assert desk.controller.proposals.has_pending
    desk.pause_typing()
    assert desk.view.overlay.is_shown


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
