"""What the mouse does over a preview."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from engine.types import TextSpan
from tests.app.editor.drafts import FUNCTIONS, LINES, draft


def click(view, offset_in_preview, modifiers=Qt.KeyboardModifier.NoModifier, kind=QEvent.Type.MouseButtonPress):
    preview = view.preview
    x, y = preview.pointXFromPosition(offset_in_preview), preview.pointYFromPosition(offset_in_preview)
    at = QPointF(x, y + 3)
    buttons = Qt.MouseButton.LeftButton
    event = QMouseEvent(kind, at, preview.mapToGlobal(at), buttons, buttons, modifiers)
    QApplication.sendEvent(preview.viewport(), event)


def test_a_click_in_the_preview_places_the_real_caret(make_view, qtbot):
    view = make_view("one two three\nfour\n")
    view.overlay.show([draft(view.text(), "two", ["zwei\n", "drei"])])
    click(view, len("one zwei\ndrei th"))
    assert view.caret_offset() == len("one two th")
    click(view, len("one zwei\ndrei three\nfo"), Qt.KeyboardModifier.ShiftModifier)
    assert view.selections() == [TextSpan(len("one two th"), len("one two three\nfo"))]
    click(view, len("one z"))
    assert view.caret_offset() in {4, 7}
    assert view.overlay.is_shown


def test_dragging_the_mouse_selects_and_a_double_click_takes_the_word(make_view):
    view = make_view("one two three\nfour\n")
    view.overlay.show([draft(view.text(), "two", ["zwei"])])
    click(view, 0)
    click(view, 3, kind=QEvent.Type.MouseMove)
    assert view.selections() == [TextSpan(0, 3)]
    click(view, len("one zwei thr"), kind=QEvent.Type.MouseButtonDblClick)
    assert view.selections() == [TextSpan(8, 13)]


def test_control_click_adds_a_caret(make_view):
    view = make_view("one two three\nfour\n")
    view.overlay.show([draft(view.text(), "two", ["zwei"])])
    click(view, 0)
    click(view, 2, Qt.KeyboardModifier.ControlModifier)
    assert view.surface.selections() == 2


def test_the_middle_button_gives_way_to_the_real_text(make_view, qtbot):
    view = make_view("one two three\n")
    view.overlay.show([draft(view.text(), "two", ["zwei"])])
    with qtbot.waitSignal(view.overlay.left):
        qtbot.mouseClick(view.preview.viewport(), Qt.MouseButton.MiddleButton, pos=QPoint(80, 5))
    assert view.text() == "one two three\n"
    assert not view.overlay.is_shown


def test_zooming_the_preview_zooms_the_text_too(make_view):
    view = make_view(LINES)
    view.overlay.show([draft(LINES, "line 001", ["draft"])])
    view.preview.setZoom(3)  # as Control and the wheel do, which Scintilla asks the real keyboard for
    none, control = Qt.MouseButton.NoButton, Qt.KeyboardModifier.ControlModifier
    at, phase = QPointF(50, 50), Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(at, view.preview.mapToGlobal(at), QPoint(), QPoint(0, 120), none, control, phase, False)
    QApplication.sendEvent(view.preview.viewport(), event)
    assert view.surface.zoom() == 3


def test_a_click_in_the_fold_margin_of_the_preview_folds_both(make_view, qtbot):
    view = make_view(FUNCTIONS)
    view.grab()
    view.surface.colourise(0, view.surface.length())
    view.overlay.show([draft(FUNCTIONS, "a = 3\n", ["b = 1\n", "    c = 2\n"])])
    view.grab()
    x = view.preview.marginWidthN(0) + view.preview.marginWidthN(1) + 3
    y = view.preview.pointYFromPosition(view.preview.positionFromLine(5)) + 3
    qtbot.mousePress(view.preview.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, y))
    assert not view.surface.lineVisible(6)
    assert not view.preview.lineVisible(6)
    qtbot.mousePress(view.preview.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, y))
    assert view.surface.lineVisible(6)
    assert view.preview.lineVisible(6)


def test_the_context_menu_is_asked_for_over_a_preview_too(make_view, qtbot):
    view = make_view(LINES)
    view.overlay.show([draft(LINES, "line 001", ["draft"])])
    at = QPoint(40, 40)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.preview.mapToGlobal(at))
    with qtbot.waitSignal(view.menu_requested):
        QApplication.sendEvent(view.preview.viewport(), event)
