from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication
from pyside6_scintilla import Scintilla

from app.editor import view as view_module
from app.editor.draft import Look, SpanPreview
from app.editor.indicators import Indicator
from app.theme import DARK
from engine.types import Cell, CellState, TextSpan

LINES = "".join(f"line {number:03}\n" for number in range(200))
FUNCTIONS = "".join(f"def f{number}():\n    a = {number}\n    return a\n\n\n" for number in range(30))


def draft(text, span, written, look=Look.DRAFT):
    start = text.index(span)
    cells = tuple(Cell(word, CellState.ACCEPTED, 0.9) for word in written)
    return SpanPreview(TextSpan(start, start + len(span)), cells, look, span)


def shown(view):
    return view.preview.text_bytes(0, view.preview.length()).decode()


def click(view, offset_in_preview, modifiers=Qt.KeyboardModifier.NoModifier, kind=QEvent.Type.MouseButtonPress):
    preview = view.preview
    x, y = preview.pointXFromPosition(offset_in_preview), preview.pointYFromPosition(offset_in_preview)
    at = QPointF(x, y + 3)
    buttons = Qt.MouseButton.LeftButton
    event = QMouseEvent(kind, at, preview.mapToGlobal(at), buttons, buttons, modifiers)
    QApplication.sendEvent(preview.viewport(), event)


def test_the_rest_of_the_text_reflows_around_the_draft(make_view):
    view = make_view("one two three\n")
    view.show_preview([draft(view.text(), "two", ["a", " much", " longer\n", "text"])])
    assert view.is_previewing
    assert shown(view) == "one a much longer\ntext three\n"
    assert view.text() == "one two three\n"


def test_masked_positions_are_boxes_as_wide_as_words(make_view):
    view = make_view("one two three\n")
    span = TextSpan(4, 7)
    view.show_preview([SpanPreview(span, (Cell("", CellState.MASKED), Cell(" x", CellState.REVEALED)))])
    preview = view.preview
    assert shown(view).replace("\N{NO-BREAK SPACE}", "▁") == "one ▁▁▁▁ x three\n"
    assert preview.indicatorValueAt(Indicator.MASKED, 4)
    assert not preview.indicatorValueAt(Indicator.MASKED, 3)
    assert preview.indicatorValueAt(Indicator.REVEALED, len(b"one 12345678 "))
    assert not view.surface.indicatorValueAt(Indicator.MASKED, 4)


def test_the_next_frame_replaces_only_the_spans(make_view):
    view = make_view(LINES)
    view.show_preview([draft(LINES, "line 050", ["first"])])
    changed = []
    view.preview.bytes_replaced.connect(lambda pos, removed, data: changed.append((pos, removed, data)))
    view.show_preview([draft(LINES, "line 050", ["first", " word"])])
    assert changed == [(LINES.index("line 050") + len("first"), 0, b" word")]


def test_the_marks_of_the_last_frame_do_not_stay(make_view):
    view = make_view("one two three\n")
    span = TextSpan(4, 7)
    view.show_preview([SpanPreview(span, (Cell("word", CellState.DOUBTFUL),))])
    assert view.preview.indicatorValueAt(Indicator.DOUBTFUL, 5)
    view.show_preview([SpanPreview(span, (Cell("word", CellState.ACCEPTED),))])
    assert not view.preview.indicatorValueAt(Indicator.DOUBTFUL, 5)
    assert view.preview.indicatorValueAt(Indicator.ACCEPTED, 5)
    assert not view.preview.indicatorValueAt(Indicator.ACCEPTED, 3)


def test_the_draft_is_colored_as_the_language(make_view):
    view = make_view("x = 1\n")
    view.show_preview([draft(view.text(), "1", ["None"])])
    view.grab()
    keyword = 5
    assert view.preview.send(Scintilla.Message.GetStyleAt, 4) == keyword
    view.apply_theme(DARK)
    assert view.preview.styleFore(keyword) == view.surface.styleFore(keyword)


@pytest.mark.parametrize("wrap", [False, True])
def test_scroll_position_and_caret_survive_the_switch_in_both_directions(make_view, wrap):
    view = make_view(LINES, wrap=wrap)
    view.go_to(105, 4)
    surface, preview = view.surface, view.preview
    surface.setFirstVisibleLine(97)
    caret = surface.currentPos()
    view.show_preview([draft(LINES, "line 103", ["a\n", "b\n", "c"])])
    assert preview.firstVisibleLine() == 97
    assert preview.currentPos() == caret + len("a\nb\nc") - len("line 103")
    view.hide_preview()
    assert surface.firstVisibleLine() == 97
    assert surface.currentPos() == caret


def test_a_draft_above_the_window_does_not_move_what_is_read(make_view):
    view = make_view(LINES)
    view.surface.setFirstVisibleLine(97)
    view.show_preview([draft(LINES, "line 003", ["a\n", "b\n", "c"])])
    preview = view.preview
    assert preview.getLine(preview.firstVisibleLine()).data() == b"line 097\n"
    view.show_preview([draft(LINES, "line 003", ["a\n", "b\n", "c\n", "d\n", "e"])])
    assert preview.getLine(preview.firstVisibleLine()).data() == b"line 097\n"
    view.hide_preview()
    assert view.surface.firstVisibleLine() == 97


def test_scrolling_the_preview_scrolls_the_text_that_comes_back(make_view):
    view = make_view(LINES)
    view.show_preview([draft(LINES, "line 003", ["a\n", "b\n", "c"])])
    view.preview.setFirstVisibleLine(52)
    view.hide_preview()
    assert view.surface.firstVisibleLine() == 50


def test_a_place_in_the_middle_of_a_wrapped_paragraph_survives(make_view):
    text = ("word " * 400 + "\n") * 5
    view = make_view(text, wrap=True, language="text")
    view.grab()
    surface, preview = view.surface, view.preview
    surface.setFirstVisibleLine(surface.visibleFromDocLine(1) + 4)
    top = surface.firstVisibleLine() - surface.visibleFromDocLine(1)
    assert top == 4
    view.show_preview([SpanPreview(TextSpan(0, 4), (Cell("other", CellState.ACCEPTED),))])
    view.grab()
    assert preview.docLineFromVisible(preview.firstVisibleLine()) == 1
    assert preview.firstVisibleLine() - preview.visibleFromDocLine(1) == 4
    view.hide_preview()
    assert surface.firstVisibleLine() - surface.visibleFromDocLine(1) == 4


def test_folds_survive_the_switch_in_both_directions(make_view):
    view = make_view(FUNCTIONS)
    view.grab()
    surface, preview = view.surface, view.preview
    surface.colourise(0, surface.length())
    surface.foldLine(10, Scintilla.FoldAction.Contract)
    surface.foldLine(20, Scintilla.FoldAction.Contract)
    assert not surface.lineVisible(11)
    view.show_preview([draft(FUNCTIONS, "a = 3\n", ["b = 1\n", "    c = 2\n"])])
    hidden = [line for line in range(preview.lineCount()) if not preview.lineVisible(line)]
    assert hidden == [11, 12, 22, 23]
    view.hide_preview()
    assert not surface.lineVisible(11)
    assert surface.lineVisible(16)


def test_the_selection_over_a_draft_is_only_a_caret_at_its_end(make_view):
    view = make_view("one two three\n")
    view.select([TextSpan(4, 7)])
    view.show_preview([draft(view.text(), "two", ["zwei"])])
    preview = view.preview
    assert (preview.selectionNStart(0), preview.selectionNEnd(0)) == (8, 8)
    assert view.selections() == [TextSpan(4, 7)]


def test_moving_the_caret_by_keys_moves_it_in_the_preview(make_view, qtbot):
    view = make_view("one two three\n")
    view.show_preview([draft(view.text(), "two", ["zwei"])])
    qtbot.keyClick(view.surface, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: view.preview.currentPos() == len("one zwei three"))
    assert view.is_previewing


def test_a_caret_moved_by_keys_stays_in_sight_below_a_long_draft(make_view, qtbot):
    view = make_view(LINES)
    view.go_to(5, 1)
    view.show_preview([draft(LINES, "line 003", ["word\n"] * 60)])
    for _ in range(3):
        qtbot.keyClick(view.surface, Qt.Key.Key_Down)
    preview = view.preview
    line = preview.lineFromPosition(preview.currentPos())
    assert preview.getLine(line).data() == b"line 007\n"
    assert preview.firstVisibleLine() <= line < preview.firstVisibleLine() + preview.linesOnScreen()


def test_a_span_that_is_shown_no_more_is_the_real_text_again(make_view):
    view = make_view(LINES)
    first, second = draft(LINES, "line 003", ["a"], Look.PROPOSAL), draft(LINES, "line 050", ["b\n", "c"])
    view.show_preview([second, first])
    assert shown(view) == LINES.replace("line 003", "a").replace("line 050", "b\nc")
    view.show_preview([second])
    assert shown(view) == LINES.replace("line 050", "b\nc")
    assert not view.preview.indicatorValueAt(Indicator.PROPOSAL, LINES.index("line 003"))
    third = draft(LINES, "line 100", ["d"])
    view.show_preview([third, second])
    assert shown(view) == LINES.replace("line 050", "b\nc").replace("line 100", "d")


def test_an_edit_in_a_shown_span_keeps_the_copy_true(make_view):
    view = make_view(LINES)
    both = [draft(LINES, "line 003", ["a"]), draft(LINES, "line 050", ["b"])]
    view.show_preview(both)
    view.replace_spans([(LINES.index("line 003") + 2, LINES.index("line 004"), "XY")])
    assert shown(view) == view.text().replace("line 050", "b")


def test_a_click_in_the_preview_places_the_real_caret(make_view, qtbot):
    view = make_view("one two three\nfour\n")
    view.show_preview([draft(view.text(), "two", ["zwei\n", "drei"])])
    click(view, len("one zwei\ndrei th"))
    assert view.caret_offset() == len("one two th")
    click(view, len("one zwei\ndrei three\nfo"), Qt.KeyboardModifier.ShiftModifier)
    assert view.selections() == [TextSpan(len("one two th"), len("one two three\nfo"))]
    click(view, len("one z"))
    assert view.caret_offset() in {4, 7}
    assert view.is_previewing


def test_dragging_the_mouse_selects_and_a_double_click_takes_the_word(make_view):
    view = make_view("one two three\nfour\n")
    view.show_preview([draft(view.text(), "two", ["zwei"])])
    click(view, 0)
    click(view, 3, kind=QEvent.Type.MouseMove)
    assert view.selections() == [TextSpan(0, 3)]
    click(view, len("one zwei thr"), kind=QEvent.Type.MouseButtonDblClick)
    assert view.selections() == [TextSpan(8, 13)]


def test_control_click_adds_a_caret(make_view):
    view = make_view("one two three\nfour\n")
    view.show_preview([draft(view.text(), "two", ["zwei"])])
    click(view, 0)
    click(view, 2, Qt.KeyboardModifier.ControlModifier)
    assert view.surface.selections() == 2


def test_the_middle_button_gives_way_to_the_real_text(make_view, qtbot):
    view = make_view("one two three\n")
    view.show_preview([draft(view.text(), "two", ["zwei"])])
    with qtbot.waitSignal(view.preview_left):
        qtbot.mouseClick(view.preview.viewport(), Qt.MouseButton.MiddleButton, pos=QPoint(80, 5))
    assert view.text() == "one two three\n"
    assert not view.is_previewing


def test_the_copy_follows_edits_elsewhere_while_it_is_hidden(make_view, qtbot):
    view = make_view(LINES)
    view.show_preview([draft(LINES, "line 050", ["draft"])])
    view.replace_spans([(0, 0, "new first\n"), (len(LINES) - 4, len(LINES), "é")])
    assert not view.is_previewing
    expected = view.text().replace("line 050", "draft")
    assert shown(view) == expected
    view.show_preview([draft(view.text(), "line 050", ["draft"])])
    assert shown(view) == expected


def test_ending_the_preview_forgets_the_copy(make_view):
    view = make_view(LINES)
    view.show_preview([draft(LINES, "line 050", ["draft"])])
    view.end_preview()
    assert not view.preview.is_open
    assert shown(view) == ""
    view.show_preview([draft(LINES, "line 051", ["other"])])
    assert shown(view) == LINES.replace("line 051", "other")


def test_a_proposal_has_a_ground_of_its_own_and_a_bar_in_the_margin(make_view):
    view = make_view("one two three\n")
    view.show_preview([draft(view.text(), "two", ["zwei"], Look.PROPOSAL)])
    assert view.preview.indicatorValueAt(Indicator.PROPOSAL, 5)
    assert view.preview.markerGet(0) & 1
    assert not view.surface.markerGet(0) & 1


def test_a_proposal_to_delete_is_visible_too(make_view):
    view = make_view("one two three\n")
    view.show_preview([draft(view.text(), " two", [], Look.PROPOSAL)])
    assert shown(view) == "one three\n"
    assert view.preview.markerGet(0) & 1


def test_very_large_documents_get_an_annotation_instead(make_view, monkeypatch):
    monkeypatch.setattr(view_module, "LARGEST_PREVIEW", 100)
    view = make_view(LINES)
    masked = SpanPreview(TextSpan(0, 4), (Cell("", CellState.MASKED), Cell(" x", CellState.REVEALED)))
    view.show_preview([masked])
    assert view.is_previewing
    assert view.preview.isHidden()
    assert view.surface.annotationText(0).data().decode() == "░ x"
    assert not view.is_modified
    assert not view.surface.canUndo()
    assert view.text() == LINES
    view.replace_spans([(20, 21, "x")])
    assert not view.is_previewing
    assert view.surface.annotationLines(0) == 0


def test_the_preview_keeps_lying_over_the_text_when_the_window_is_resized(make_view):
    view = make_view(LINES)
    view.show_preview([draft(LINES, "line 001", ["draft"])])
    view.resize(500, 300)
    assert view.preview.geometry() == view.surface.geometry()


def test_painting_a_preview_changes_nothing_of_the_real_text(make_view):
    view = make_view(LINES)
    view.show_preview([draft(LINES, "line 001", ["draft"])])
    before = view.grab().toImage()
    view.hide_preview()
    assert view.grab().toImage() != before
    assert view.text() == LINES


def test_zooming_the_preview_zooms_the_text_too(make_view):
    view = make_view(LINES)
    view.show_preview([draft(LINES, "line 001", ["draft"])])
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
    view.show_preview([draft(FUNCTIONS, "a = 3\n", ["b = 1\n", "    c = 2\n"])])
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
    view.show_preview([draft(LINES, "line 001", ["draft"])])
    at = QPoint(40, 40)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.preview.mapToGlobal(at))
    with qtbot.waitSignal(view.menu_requested):
        QApplication.sendEvent(view.preview.viewport(), event)
