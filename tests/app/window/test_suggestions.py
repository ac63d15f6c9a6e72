"""Suggestions while typing: off unless asked for, never in the way."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from app.infill import controller as controller_module
from app.infill import suggester as suggester_module
from tests.app.window.conftest import deliver


@pytest.fixture
def tab(desk):
    """A document with the caret at its end, a model that is loaded, and suggestions switched on."""
    desk.window.settings["infill.suggest"] = True
    desk.window.engine.start()
    desk.session.finish_load()
    deliver()
    tab = desk.open("a.txt", "one two")
    tab.view.go_to(1, 8)
    desk.window.status.clear_message()
    return tab


def type_(desk, tab, keys):
    tab.view.setFocus()
    desk.qtbot.keyClicks(tab.view.surface, keys)


def pause(tab):
    """As if typing had paused."""
    assert tab.suggester.timer.isActive()
    tab.suggester.timer.stop()
    tab.suggester.timer.timeout.emit()


def suggested(desk, tab):
    type_(desk, tab, "x")
    pause(tab)
    desk.allow(4)
    assert tab.controller.state == "proposal"
    assert tab.suggester.is_active


def test_nothing_is_suggested_unless_it_is_switched_on(desk, tab):
    desk.window.settings["infill.suggest"] = False
    type_(desk, tab, "x")
    assert not tab.suggester.timer.isActive()


def test_a_pause_at_the_end_of_a_line_brings_a_suggestion_that_tab_accepts(desk, tab):
    suggested(desk, tab)
    assert desk.window.status.message.text() == ""
    assert tab.view.text() == "one twox"
    desk.qtbot.keyClick(tab.view.surface, Qt.Key.Key_Tab)
    assert tab.view.text() == "one twoxWRITTEN ON"
    assert not tab.suggester.is_active
    assert desk.window.status.message.text() == ""
    tab.controller.fill()
    assert desk.window.status.message.text() != ""


def test_a_screen_reader_hears_the_suggestion_and_nothing_else(desk, tab, monkeypatch):
    said: list[str] = []
    for module in (controller_module, suggester_module):
        monkeypatch.setattr(module, "announce", lambda _view, sentence: said.append(sentence))
    suggested(desk, tab)
    assert said == ["Suggested: WRITTEN ON"]
    desk.qtbot.keyClick(tab.view.surface, Qt.Key.Key_Escape)
    assert said == ["Suggested: WRITTEN ON"]
    desk.fill("two")
    assert said[1:] == ["Filling."]


def test_typing_on_takes_the_suggestion_away_without_a_word(desk, tab):
    suggested(desk, tab)
    type_(desk, tab, "y")
    assert tab.view.text() == "one twoxy"
    assert tab.controller.state == "idle"
    assert desk.window.status.message.text() == ""
    assert tab.suggester.timer.isActive()
    tab.suggester.timer.stop()


@pytest.mark.parametrize("key", [Qt.Key.Key_Left, Qt.Key.Key_Home, Qt.Key.Key_Escape, Qt.Key.Key_Backspace])
def test_any_other_key_takes_it_away_and_does_what_it_does(desk, tab, key):
    suggested(desk, tab)
    desk.qtbot.keyClick(tab.view.surface, key)
    assert tab.controller.state == "idle"
    assert not tab.suggester.is_active
    assert tab.view.text() == ("one two" if key == Qt.Key.Key_Backspace else "one twox")


def test_tab_indents_while_the_suggestion_is_still_on_its_way(desk, tab):
    type_(desk, tab, "x")
    pause(tab)
    desk.allow(1)
    desk.qtbot.keyClick(tab.view.surface, Qt.Key.Key_Tab)
    assert tab.view.text().rstrip(" \t") == "one twox"
    assert len(tab.view.text()) > len("one twox")
    assert tab.controller.state == "idle"
    tab.suggester.timer.stop()


def test_there_is_at_most_one_job_and_none_over_a_proposal_of_the_users(desk, tab):
    desk.fill("one")
    type_(desk, tab, "x")
    pause(tab)
    assert len(desk.session.runs) == 1
    assert not tab.suggester.is_active


def test_a_run_of_the_users_own_beside_a_suggestion_is_not_stopped_by_a_key(desk, tab):
    suggested(desk, tab)
    desk.fill("one")
    assert not tab.suggester.is_active
    desk.qtbot.keyClick(tab.view.surface, Qt.Key.Key_Left)
    assert tab.controller.is_running
    desk.allow(4)
    assert len(tab.controller.proposals) == 2


def test_a_caret_that_is_set_elsewhere_takes_it_away(desk, tab):
    suggested(desk, tab)
    tab.view.go_to(1, 2)
    desk.qtbot.waitUntil(lambda: tab.controller.state == "idle")


def test_no_model_is_loaded_for_a_suggestion(desk):
    desk.window.settings["infill.suggest"] = True
    tab = desk.open("a.txt", "one two")
    tab.view.go_to(1, 8)
    type_(desk, tab, "x")
    pause(tab)
    assert not desk.session.runs


def test_pasting_asks_for_nothing(desk, tab):
    tab.view.replace_spans([(7, 7, " three four")])
    assert not tab.suggester.timer.isActive()


def test_the_next_pause_follows_how_long_this_one_took(desk, tab):
    now = iter([10.0, 11.6])
    tab.suggester._clock = lambda: next(now)
    suggested(desk, tab)
    assert tab.suggester.debounce.wait_ms == 800
