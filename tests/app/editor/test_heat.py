"""Doubtful words underlined in a real view and in the copy that holds drafts."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtTest import QTest

from app.editor.draft import Look, SpanPreview
from app.editor.heat import HEAT
from engine.types import Cell, CellState, TextSpan


def marked(surface, level):
    QCoreApplication.sendPostedEvents()
    parts, pos = [], 0
    while pos < surface.length():
        end = surface.indicatorEnd(HEAT[level - 1], pos) or surface.length()
        if surface.indicatorValueAt(HEAT[level - 1], pos):
            parts.append(surface.text_bytes(pos, end).decode())
        pos = end
    return "|".join(parts)


def draft(start, end, text, original):
    return SpanPreview(TextSpan(start, end), (Cell(text, CellState.ACCEPTED, 1.0),), Look.PROPOSAL, original)


def test_each_level_has_a_line_of_its_own_and_a_new_set_of_marks_replaces_the_old(make_view):
    view = make_view("naïve 😀 words here")
    view.heat.show([(TextSpan(0, 5), 1), (TextSpan(6, 7), 2), (TextSpan(8, 13), 3)])
    assert [marked(view.surface, level) for level in (1, 2, 3)] == ["naïve", "😀", "words"]
    assert len({view.surface.indicStyle(indicator) for indicator in HEAT}) == 3
    view.heat.show([(TextSpan(14, 18), 3)])
    assert [marked(view.surface, level) for level in (1, 2, 3)] == ["", "", "here"]
    assert not view.is_modified


def test_marks_are_shown_beside_drafts_but_not_in_them(make_view):
    view = make_view("one two three four")
    view.overlay.show([draft(4, 7, "naïve and longer", "two")])
    view.heat.show([(TextSpan(0, 3), 1), (TextSpan(4, 7), 1), (TextSpan(8, 13), 1)])
    assert marked(view.preview, 1) == "one|three"
    view.overlay.show([draft(8, 13, "3", "three")])
    assert marked(view.preview, 1) == "one|two"
    view.heat.show([])
    assert marked(view.preview, 1) == ""


def test_redo_brings_the_caret_to_where_typing_had_left_it(make_view):
    view = make_view("one two three")
    view.heat.show([(TextSpan(4, 7), 2)])
    view.text_changed.connect(lambda edit: view.heat.show([(edit.moved(TextSpan(4, 7)), 2)]))
    view.go_to_offset(0)
    QTest.keyClicks(view.surface, "ab")
    view.go_to_offset(9)
    view.undo()
    view.redo()
    assert (view.text(), view.caret_offset()) == ("abone two three", 2)
