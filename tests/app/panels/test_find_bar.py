"""What the find bar asks for, and that everyone can use it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QMainWindow

from app.editor.search import Query
from app.panels.find_bar import NARROW, FindBar

ENTER, NONE = Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier
ALT, CONTROL, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


@pytest.fixture
def bar(qtbot):
    window = QMainWindow()
    made = FindBar()
    window.setCentralWidget(made)
    qtbot.addWidget(window)
    window.resize(900, 100)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    made.open(replace=True)
    made._window = window  # type: ignore[attr-defined]
    return made


@pytest.mark.parametrize(("where", "key", "modifiers", "wish"), [
    ("term", ENTER, NONE, "next_wished"), ("term", ENTER, SHIFT, "previous_wished"), ("term", ENTER, ALT, "all_wished"),
    ("term", ENTER, CONTROL | ALT, "replace_all_wished"), ("replacement", ENTER, NONE, "replace_wished"),
    ("replacement", ENTER, CONTROL | ALT, "replace_all_wished"), ("case", ENTER, ALT, "all_wished"),
    ("case", ENTER, CONTROL | ALT, "replace_all_wished"), ("word", Qt.Key.Key_Escape, NONE, "close_wished"),
    ("term", Qt.Key.Key_Escape, NONE, "close_wished"),
    ("term", Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier, "next_wished"),
])  # fmt: skip
def test_keys_ask_for_something(qtbot, bar, where, key, modifiers, wish):
    widget = getattr(bar, where)
    widget.setFocus()
    with qtbot.waitSignal(getattr(bar, wish), timeout=1000):
        QTest.keyClick(widget, key, modifiers)


def test_the_windows_enter_is_left_to_the_window(qtbot, bar):
    for signal in (bar.next_wished, bar.replace_wished, bar.all_wished, bar.replace_all_wished):
        signal.connect(lambda: pytest.fail("asked for something"))
    for modifiers in (CONTROL, CONTROL | SHIFT):
        QTest.keyClick(bar.term, ENTER, modifiers)


def test_every_control_has_a_name_and_a_tooltip(bar):
    for button in bar.findChildren(QAbstractButton):
        assert button.accessibleName() or button.text()
        assert "(" in button.toolTip()
    assert bar.term.accessibleName()
    assert bar.replacement.accessibleName()


def test_the_query_is_what_is_written_and_switched(bar):
    bar.term.setText("a.b")
    bar.case.click()
    bar.regex.click()
    assert bar.query == Query("a.b", match_case=True, is_regex=True)
    bar.set_term("(")
    assert bar.query == Query("(", match_case=True)


def test_a_sentence_takes_the_room_of_the_buttons(bar):
    bar.show_count("This is no pattern.", state="wrong")
    assert not bar.next.isVisible()
    assert bar.count.accessibleName() == "This is no pattern."
    bar.show_count("1 of 2")
    assert bar.next.isVisible()


def test_in_a_narrow_window_the_term_keeps_its_room(bar):
    bar.window().resize(NARROW - 60, 100)
    assert not bar.all.isVisible()
    assert bar.term.width() >= 110
    bar.window().resize(900, 100)
    assert bar.all.isVisible()
