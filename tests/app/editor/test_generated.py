"""Marks of generated text in a real view: typed in, undone, redone, shown and hidden."""

from __future__ import annotations

import random

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtTest import QTest

from app.editor.indicators import Indicator
from engine.types import TextSpan


def marked(view):
    """What the indicator marks, as text."""
    QCoreApplication.sendPostedEvents()
    surface = view.surface
    parts, pos = [], 0
    while pos < surface.length():
        end = surface.indicatorEnd(Indicator.GENERATED, pos) or surface.length()
        if surface.indicatorValueAt(Indicator.GENERATED, pos):
            parts.append(surface.text_bytes(pos, end).decode())
        pos = end
    return parts


def generated(view):
    text = view.text()
    return [text[span.start : span.end] for span in view.generated.ranges]


def accept(view, *changes):
    """Replaces texts by others, as an acceptance does."""
    text, spans, shift = view.text(), [], 0
    places = [(text.index(old), text.index(old) + len(old), new) for old, new in changes]
    view.replace_spans(places)
    for start, end, new in sorted(places):
        spans.append(TextSpan(start + shift, start + shift + len(new)))
        shift += len(new) - (end - start)
    view.generated.accept(spans)


def test_accepted_text_is_marked_until_it_is_edited_and_through_undo_and_redo(make_view):
    view = make_view("ein alter Text über Öl und Müll\n")
    view.generated.show(True)
    accept(view, ("alter", "ganz neuer"), ("Müll", "Schönes"))
    assert generated(view) == marked(view) == ["ganz neuer", "Schönes"]
    view.go_to(1, 9)
    QTest.keyClicks(view.surface, "xyz")
    assert generated(view) == marked(view) == ["ganz", " neuer", "Schönes"]
    view.undo()
    assert generated(view) == marked(view) == ["ganz neuer", "Schönes"]
    view.undo()
    assert "alter" in view.text()
    assert generated(view) == marked(view) == []
    view.redo()
    assert generated(view) == marked(view) == ["ganz neuer", "Schönes"]
    view.redo()
    assert generated(view) == marked(view) == ["ganz", " neuer", "Schönes"]


def test_the_share_counts_characters(make_view):
    view = make_view("äöü old")
    assert view.generated.share == 0
    accept(view, ("old", "neu"))
    assert view.generated.share == pytest.approx(3 / 7)
    view.set_text("")
    assert view.generated.share == 0


def test_marks_are_shown_only_when_wanted(make_view):
    view = make_view("some old words")
    accept(view, ("old", "new"))
    assert marked(view) == []
    view.generated.show(True)
    assert marked(view) == ["new"]
    view.generated.show(False)
    assert marked(view) == []
    assert generated(view) == ["new"]


def test_showing_marks_changes_nothing_of_the_document(make_view):
    view = make_view("some old words")
    accept(view, ("old", "new"))
    view.set_savepoint()
    view.generated.show(True)
    assert not view.is_modified
    view.undo()
    assert view.text() == "some old words"


def test_marks_put_in_later_move_with_the_edits_meanwhile(make_view):
    view = make_view("some old words")
    view.generated.show(True)
    view.generated.expect()
    view.replace_spans([(0, 0, "now ")])
    view.generated.put([TextSpan(5, 8)])
    assert generated(view) == marked(view) == ["old"]


def test_marks_of_a_text_that_was_replaced_meanwhile_are_not_taken(make_view):
    view = make_view("some old words")
    view.generated.expect()
    view.set_text("some other text")
    view.generated.put([TextSpan(5, 8)])
    assert generated(view) == []


def test_pasted_text_is_the_users_own(make_view):
    view = make_view("some old words")
    accept(view, ("old", "new"))
    view.select([TextSpan(5, 8)])
    view.cut()
    assert generated(view) == []
    view.paste()
    assert view.text() == "some new words"
    assert generated(view) == []
    view.undo()
    view.undo()
    assert generated(view) == ["new"]


def test_redo_brings_the_caret_to_where_typing_had_left_it(make_view):
    view = make_view("an old word\n")
    view.generated.show(True)
    accept(view, ("old", "new"))
    view.go_to_offset(0)
    QTest.keyClicks(view.surface, "ab")
    view.go_to_offset(9)
    view.undo()
    view.redo()
    assert (view.text(), view.caret_offset()) == ("aban new word\n", 2)
    assert marked(view) == ["new"]


def test_many_random_actions_keep_marks_and_indicator_together(make_view):
    view = make_view("one two three four five six\n" * 6)
    view.generated.show(True)
    chance = random.Random(7)
    for _ in range(400):
        length, act = view.length, chance.random()
        start = chance.randrange(length + 1)
        end = min(length, start + chance.randrange(8))
        if act < 0.3:
            view.replace_spans([(start, end, "NÄW" * chance.randrange(3))])
            view.generated.accept([TextSpan(start, view.length)])
        elif act < 0.6:
            view.select([TextSpan(start, start)])
            QTest.keyClicks(view.surface, chance.choice("abc "))
        elif act < 0.7:
            QTest.keyClick(view.surface, Qt.Key.Key_Backspace)
        elif act < 0.87:
            view.undo()
        else:
            view.redo()
        assert generated(view) == marked(view)
    while view.surface.canRedo():
        view.redo()
    last = generated(view)
    while view.surface.canUndo():
        view.undo()
    assert generated(view) == []
    while view.surface.canRedo():
        view.redo()
    assert generated(view) == marked(view) == last
