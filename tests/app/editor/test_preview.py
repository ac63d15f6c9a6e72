"""Drafts over the text of a view: what they look like, and that nothing of the text is lost."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from pyside6_scintilla import Scintilla

from app.editor.draft import Look, SpanPreview
from app.editor.indicators import Indicator
from app.theme import DARK
from engine.types import Cell, CellState, TextSpan
from tests.app.editor.drafts import FUNCTIONS, LINES, draft, shown


def test_the_rest_of_the_text_reflows_around_the_draft(make_view):
    view = make_view("one two three\n")
    view.overlay.show([draft(view.text(), "two", ["a", " much", " longer\n", "text"])])
    assert view.overlay.is_shown
    assert shown(view) == "one a much longer\ntext three\n"
    assert view.text() == "one two three\n"


def test_masked_positions_are_boxes_as_wide_as_words(make_view):
    view = make_view("one two three\n")
    span = TextSpan(4, 7)
    view.overlay.show([SpanPreview(span, (Cell("", CellState.MASKED), Cell(" x", CellState.REVEALED)))])
    preview = view.preview
    assert shown(view).replace("\N{NO-BREAK SPACE}", "▁") == "one ▁▁▁▁ x three\n"
    assert preview.indicatorValueAt(Indicator.MASKED, 4)
    assert not preview.indicatorValueAt(Indicator.MASKED, 3)
    assert preview.indicatorValueAt(Indicator.REVEALED, len(b"one 12345678 "))
    assert not view.surface.indicatorValueAt(Indicator.MASKED, 4)


def test_the_next_frame_replaces_only_the_spans(make_view):
    view = make_view(LINES)
    view.overlay.show([draft(LINES, "line 050", ["first"])])
    changed = []
    view.preview.bytes_replaced.connect(lambda pos, removed, data: changed.append((pos, removed, data)))
    view.overlay.show([draft(LINES, "line 050", ["first", " word"])])
    assert changed == [(LINES.index("line 050") + len("first"), 0, b" word")]


def test_the_marks_of_the_last_frame_do_not_stay(make_view):
    view = make_view("one two three\n")
    span = TextSpan(4, 7)
    view.overlay.show([SpanPreview(span, (Cell("word", CellState.DOUBTFUL),))])
    assert view.preview.indicatorValueAt(Indicator.DOUBTFUL, 5)
    view.overlay.show([SpanPreview(span, (Cell("word", CellState.ACCEPTED),))])
    assert not view.preview.indicatorValueAt(Indicator.DOUBTFUL, 5)
    assert view.preview.indicatorValueAt(Indicator.ACCEPTED, 5)
    assert not view.preview.indicatorValueAt(Indicator.ACCEPTED, 3)


def test_the_draft_is_colored_as_the_language(make_view):
    view = make_view("x = 1\n")
    view.overlay.show([draft(view.text(), "1", ["None"])])
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
    view.overlay.show([draft(LINES, "line 103", ["a\n", "b\n", "c"])])
    assert preview.firstVisibleLine() == 97
    assert preview.currentPos() == caret + len("a\nb\nc") - len("line 103")
    view.overlay.hide()
    assert surface.firstVisibleLine() == 97
    assert surface.currentPos() == caret


def test_a_draft_above_the_window_does_not_move_what_is_read(make_view):
    view = make_view(LINES)
    view.surface.setFirstVisibleLine(97)
    view.overlay.show([draft(LINES, "line 003", ["a\n", "b\n", "c"])])
    preview = view.preview
    assert preview.getLine(preview.firstVisibleLine()).data() == b"line 097\n"
    view.overlay.show([draft(LINES, "line 003", ["a\n", "b\n", "c\n", "d\n", "e"])])
    assert preview.getLine(preview.firstVisibleLine()).data() == b"line 097\n"
    view.overlay.hide()
    assert view.surface.firstVisibleLine() == 97


def test_scrolling_the_preview_scrolls_the_text_that_comes_back(make_view):
    view = make_view(LINES)
    view.overlay.show([draft(LINES, "line 003", ["a\n", "b\n", "c"])])
    view.preview.setFirstVisibleLine(52)
    view.overlay.hide()
    assert view.surface.firstVisibleLine() == 50


def test_a_place_in_the_middle_of_a_wrapped_paragraph_survives(make_view):
    text = ("word " * 400 + "\n") * 5
    view = make_view(text, wrap=True, language="text")
    view.grab()
    surface, preview = view.surface, view.preview
    surface.setFirstVisibleLine(surface.visibleFromDocLine(1) + 4)
    top = surface.firstVisibleLine() - surface.visibleFromDocLine(1)
    assert top == 4
    view.overlay.show([SpanPreview(TextSpan(0, 4), (Cell("other", CellState.ACCEPTED),))])
    view.grab()
    assert preview.docLineFromVisible(preview.firstVisibleLine()) == 1
    assert preview.firstVisibleLine() - preview.visibleFromDocLine(1) == 4
    view.overlay.hide()
    assert surface.firstVisibleLine() - surface.visibleFromDocLine(1) == 4


def test_folds_survive_the_switch_in_both_directions(make_view):
    view = make_view(FUNCTIONS)
    view.grab()
    surface, preview = view.surface, view.preview
    surface.colourise(0, surface.length())
    surface.foldLine(10, Scintilla.FoldAction.Contract)
    surface.foldLine(20, Scintilla.FoldAction.Contract)
    assert not surface.lineVisible(11)
    view.overlay.show([draft(FUNCTIONS, "a = 3\n", ["b = 1\n", "    c = 2\n"])])
    hidden = [line for line in range(preview.lineCount()) if not preview.lineVisible(line)]
    assert hidden == [11, 12, 22, 23]
    view.overlay.hide()
    assert not surface.lineVisible(11)
    assert surface.lineVisible(16)


def test_the_selection_over_a_draft_is_only_a_caret_at_its_end(make_view):
    view = make_view("one two three\n")
    view.select([TextSpan(4, 7)])
    view.overlay.show([draft(view.text(), "two", ["zwei"])])
    preview = view.preview
    assert (preview.selectionNStart(0), preview.selectionNEnd(0)) == (8, 8)
    assert view.selections() == [TextSpan(4, 7)]


def test_moving_the_caret_by_keys_moves_it_in_the_preview(make_view, qtbot):
    view = make_view("one two three\n")
    view.overlay.show([draft(view.text(), "two", ["zwei"])])
    qtbot.keyClick(view.surface, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: view.preview.currentPos() == len("one zwei three"))
    assert view.overlay.is_shown


def test_a_caret_moved_by_keys_stays_in_sight_below_a_long_draft(make_view, qtbot):
    view = make_view(LINES)
    view.go_to(5, 1)
    view.overlay.show([draft(LINES, "line 003", ["word\n"] * 60)])
    for _ in range(3):
        qtbot.keyClick(view.surface, Qt.Key.Key_Down)
    preview = view.preview
    line = preview.lineFromPosition(preview.currentPos())
    assert preview.getLine(line).data() == b"line 007\n"
    assert preview.firstVisibleLine() <= line < preview.firstVisibleLine() + preview.linesOnScreen()


def test_a_span_that_is_shown_no_more_is_the_real_text_again(make_view):
    view = make_view(LINES)
    first, second = draft(LINES, "line 003", ["a"], Look.PROPOSAL), draft(LINES, "line 050", ["b\n", "c"])
    view.overlay.show([second, first])
    assert shown(view) == LINES.replace("line 003", "a").replace("line 050", "b\nc")
    view.overlay.show([second])
    assert shown(view) == LINES.replace("line 050", "b\nc")
    assert not view.preview.indicatorValueAt(Indicator.PROPOSAL, LINES.index("line 003"))
    third = draft(LINES, "line 100", ["d"])
    view.overlay.show([third, second])
    assert shown(view) == LINES.replace("line 050", "b\nc").replace("line 100", "d")


def test_an_edit_in_a_shown_span_keeps_the_copy_true(make_view):
    view = make_view(LINES)
    both = [draft(LINES, "line 003", ["a"]), draft(LINES, "line 050", ["b"])]
    view.overlay.show(both)
    view.replace_spans([(LINES.index("line 003") + 2, LINES.index("line 004"), "XY")])
    assert shown(view) == view.text().replace("line 050", "b")


def test_a_proposal_has_a_ground_of_its_own_and_a_bar_in_the_margin(make_view):
    view = make_view("one two three\n")
    view.overlay.show([draft(view.text(), "two", ["zwei"], Look.PROPOSAL)])
    assert view.preview.indicatorValueAt(Indicator.PROPOSAL, 5)
    assert view.preview.markerGet(0) & 1
    assert not view.surface.markerGet(0) & 1


def test_a_proposal_to_delete_is_visible_too(make_view):
    view = make_view("one two three\n")
    view.overlay.show([draft(view.text(), " two", [], Look.PROPOSAL)])
    assert shown(view) == "one three\n"
    assert view.preview.markerGet(0) & 1


def test_the_preview_keeps_lying_over_the_text_when_the_window_is_resized(make_view):
    view = make_view(LINES)
    view.overlay.show([draft(LINES, "line 001", ["draft"])])
    view.resize(500, 300)
    assert view.preview.geometry() == view.surface.geometry()


def test_painting_a_preview_changes_nothing_of_the_real_text(make_view):
    view = make_view(LINES)
    view.overlay.show([draft(LINES, "line 001", ["draft"])])
    before = view.grab().toImage()
    view.overlay.hide()
    assert view.grab().toImage() != before
    assert view.text() == LINES
