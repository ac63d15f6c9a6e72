"""Marks of found places: in sight, in the preview, through edits; and replacing what was found."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication

from app.editor import found, writing
from app.editor.draft import Look, SpanPreview
from app.editor.edits import Edit
from app.editor.indicators import Indicator
from app.editor.replacing import gathered
from app.editor.search import Haystack, Matches, Query, Search, SearchJob
from engine.types import Cell, CellState, TextSpan

TEXT = "naïve cat\nold cat 😀 cat\n"


def show(view, term, scope=()):
    text = view.text()
    matches = Search(SearchJob(Query(term)), Haystack(text)).run().matches
    view.found.show(text, matches, scope)
    QCoreApplication.sendPostedEvents()
    return matches


def marked(surface, indicator=Indicator.FOUND):
    """The marked pieces of what a surface holds."""
    pieces, pos = [], 0
    while pos < surface.length():
        end = surface.indicatorEnd(indicator, pos) or surface.length()
        if surface.indicatorValueAt(indicator, pos):
            pieces.append(surface.text_bytes(pos, end).decode())
        pos = max(end, pos + 1)
    return pieces


def test_places_are_marked_and_cleared(make_view):
    view = make_view(TEXT)
    show(view, "cat", [TextSpan(0, 9)])
    assert marked(view.surface) == ["cat"] * 3
    assert marked(view.surface, Indicator.SEARCHED) == ["naïve cat"]
    view.found.point_at(TextSpan(14, 17))
    QCoreApplication.sendPostedEvents()
    assert marked(view.surface, Indicator.FOUND_HERE) == ["cat"]
    view.found.clear()
    QCoreApplication.sendPostedEvents()
    for indicator in (Indicator.FOUND, Indicator.FOUND_HERE, Indicator.SEARCHED):
        assert marked(view.surface, indicator) == []


def test_places_move_with_edits_until_they_are_known_again(make_view):
    view = make_view(TEXT)
    show(view, "cat")
    view.replace_spans([(0, 0, "a cat and ")])
    QCoreApplication.sendPostedEvents()
    assert marked(view.surface) == ["cat"] * 3
    show(view, "cat")
    assert marked(view.surface) == ["cat"] * 4


def test_marks_go_even_if_the_text_is_edited_at_once(make_view):
    view = make_view(TEXT)
    show(view, "cat")
    view.found.clear()
    view.replace_spans([(0, 0, "x")])
    QCoreApplication.sendPostedEvents()
    assert marked(view.surface) == []


def test_drawing_marks_is_no_change_and_leaves_undo_alone(make_view):
    view = make_view(TEXT)
    show(view, "cat")
    assert not view.is_modified
    assert not view.surface.canUndo()


def test_they_are_seen_in_the_preview_beside_drafts(make_view):
    view = make_view(TEXT)
    show(view, "cat")
    view.overlay.show([SpanPreview(TextSpan(14, 17), (Cell("dog", CellState.ACCEPTED, 1.0),), Look.PROPOSAL)])
    assert marked(view.preview) == ["cat", "cat"]
    view.found.clear()
    QCoreApplication.sendPostedEvents()
    assert marked(view.preview) == []


def test_places_come_into_sight(make_view):
    view = make_view("cat\n" * 3000)
    show(view, "cat")
    assert len(marked(view.surface)) < 300
    view.go_to(2500)
    view.grab()
    QApplication.sendPostedEvents()
    assert view.surface.indicatorValueAt(Indicator.FOUND, 4 * 2499)


def test_of_very_many_in_one_line_those_around_the_caret_are_marked(make_view, monkeypatch):
    monkeypatch.setattr(found, "MOST_MARKED", 10)
    view = make_view("cat " * 100)
    view.go_to_offset(200)
    show(view, "cat")
    assert len(marked(view.surface)) == 10
    assert view.surface.indicatorValueAt(Indicator.FOUND, 200)


class TestReplacing:
    def test_is_one_step_with_the_files_line_ends_and_carets_where_they_were(self, make_view):
        view = make_view("a b\r\na c\r\n", eol="\r\n")
        view.select([TextSpan(1, 3), TextSpan(6, 8)])
        view.replace_found([(0, 1, "one\ntwo"), (5, 6, "")])
        assert view.text() == "one\r\ntwo b\r\n c\r\n"
        assert view.selections() == [TextSpan(8, 10), TextSpan(12, 14)]
        view.undo()
        assert view.text() == "a b\r\na c\r\n"
        assert view.selections() == [TextSpan(1, 3), TextSpan(6, 8)]
        assert not view.surface.canUndo()

    def test_of_very_many_leaves_what_is_kept_alone(self, make_view, monkeypatch):
        monkeypatch.setattr(writing, "gathered", lambda changes, text, kept: gathered(changes, text, kept, 1))
        view = make_view("a b a b a")
        edits: list[Edit] = []
        view.text_changed.connect(edits.append)
        view.replace_found([(0, 1, "x"), (4, 5, "x"), (8, 9, "x")], [TextSpan(2, 3)])
        assert view.text() == "x b x b x"
        assert not any(edit.touches(TextSpan(2, 3)) for edit in edits)


def test_a_span_is_shown_from_far_away_in_the_middle(make_view):
    view = make_view("line\n" * 500)
    view.show_span(TextSpan(2000, 2004))
    surface = view.surface
    assert view.selections() == [TextSpan(2000, 2004)]
    assert surface.firstVisibleLine() + 3 < 400 < surface.firstVisibleLine() + surface.linesOnScreen() - 3
    top = surface.firstVisibleLine()
    view.show_span(TextSpan(2005, 2009))
    assert surface.firstVisibleLine() == top


def test_nothing_is_found_in_no_matches(make_view):
    view = make_view("")
    view.found.show("", Matches())
    QCoreApplication.sendPostedEvents()
    assert marked(view.surface) == []
