"""Runs are told of truly: in the status bar, on the tabs, in the list of runs."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.window.asks import Answer
from tests.app.window.conftest import deliver


def engine(desk):
    return desk.window.status.engine.text()


def line_under(desk, tab):
    return desk.window.tabs.tabBar().tabData(desk.window.tabs.indexOf(tab.view))


def two_runs(desk):
    """A run in a.txt and a newer one in b.txt, which is in front."""
    first = desk.open("a.txt", "one two three")
    desk.fill("two")
    run = desk.session.run
    second = desk.open("b.txt", "four five six")
    desk.fill("five")
    return first, run, second, desk.session.run


def test_a_run_tells_step_speed_passes_and_what_of_the_context_was_reused(desk):
    desk.open("a.txt", "one two three")
    desk.fill("two")
    assert engine(desk) == "Waiting"
    desk.allow(1)
    for words in ("Step 1/4", "tok/s", "NFE 1", "context 10 reused, 5 new"):
        assert words in engine(desk)
    assert desk.window.status.engine.toolTip() == engine(desk)
    assert desk.window.status.stop.isEnabled()
    desk.allow(3)
    assert engine(desk) == "No model loaded"
    assert not desk.window.status.stop.isEnabled()


def test_a_new_run_takes_the_message_of_the_last_one_away(desk):
    desk.open("a.txt", "one two three")
    desk.fill("two")
    desk.allow(4)
    assert "Done" in desk.window.status.message.text()
    desk.fill("three")
    assert desk.window.status.message.text() == ""


def test_the_line_under_a_tab_shows_how_far_its_run_is(desk):
    tab = desk.open("a.txt", "one two three")
    assert line_under(desk, tab) is None
    desk.fill("two")
    assert line_under(desk, tab) == 0.0
    desk.allow(1)
    assert line_under(desk, tab) == 0.25
    assert not desk.window.tabs.tabBar().grab().isNull()
    desk.allow(3)
    assert line_under(desk, tab) is None


def test_the_line_stays_with_its_tab_when_tabs_are_moved(desk):
    first, run, second, _ = two_runs(desk)
    run.allow(2)
    deliver()
    desk.window.tabs.tabBar().moveTab(0, 1)
    assert line_under(desk, first) == 0.5
    assert line_under(desk, second) == 0.0


def test_several_runs_are_offered_as_a_list_and_each_can_be_stopped(desk):
    first, run, _, other = two_runs(desk)
    assert desk.window.status.runs.text() == "2 runs"
    assert desk.window.status.runs.isVisible()
    desk.window.status.runs.click()
    runs = desk.window.feed.runs.list
    assert runs.isVisible()
    rows = list(runs.rows.values())
    assert [row.chosen.text() for row in rows] == ["a.txt", "b.txt"]
    assert [row.state.text() for row in rows] == ["Waiting", "Waiting"]
    run.allow(1)
    deliver()
    assert rows[0].state.text().startswith("Step 1/4")
    rows[0].stop.click()
    run.allow(1)
    deliver()
    assert [row.chosen.text() for row in runs.rows.values()] == ["b.txt"]
    assert not desk.window.status.runs.isVisible()
    assert first.controller.proposals.has_pending
    other.finish()
    deliver()
    assert not runs.rows
    assert not runs.empty.isHidden()
    runs.hide()


def test_a_document_in_the_list_is_brought_to_the_front(desk):
    first, *_ = two_runs(desk)
    desk.do("infill.runs")
    runs = desk.window.feed.runs.list
    next(iter(runs.rows.values())).chosen.click()
    assert desk.window.tabs.current is first
    assert not runs.isVisible()


def test_looking_for_doubtful_words_is_told_and_can_be_stopped(desk):
    tab = desk.open("a.txt", "one two three\n\nfour five six\n")
    desk.do("infill.doubt")
    assert engine(desk) == "Looking for doubtful words"
    desk.session.answer_doubt([])
    deliver()
    assert desk.window.status.progress.value() == 500
    desk.window.status.stop.click()
    assert not tab.doubt.is_running
    assert engine(desk) == "No model loaded"
    assert not desk.window.status.stop.isEnabled()


def test_the_list_of_no_runs_says_so(desk):
    desk.do("infill.runs")
    runs = desk.window.feed.runs.list
    assert runs.isVisible()
    assert runs.empty.isVisible()
    runs.hide()


def test_a_run_in_another_document_is_told_with_its_name(desk):
    _, run, _, other = two_runs(desk)
    other.finish()
    run.allow(1)
    deliver()
    assert engine(desk).startswith("a.txt: Step 1/4")


def test_closing_a_document_in_which_something_runs_leaves_no_trace_of_it(desk):
    first, *_ = two_runs(desk)
    desk.window.tabs.bring_to_front(first)
    desk.asks.answers.append(Answer.STOP)
    desk.do("file.close")
    assert not desk.window.status.runs.isVisible()
    assert engine(desk) == "Waiting"


def test_the_list_closes_at_escape_and_at_a_click_elsewhere(desk):
    desk.open("a.txt", "one two three")
    runs = desk.window.feed.runs.list
    desk.do("infill.runs")
    desk.qtbot.keyClick(desk.tab.view.surface, Qt.Key.Key_Escape)
    assert not runs.isVisible()
    desk.do("infill.runs")
    desk.qtbot.mouseClick(runs, Qt.MouseButton.LeftButton)
    assert runs.isVisible()
    desk.qtbot.mouseClick(desk.window.strip, Qt.MouseButton.LeftButton)
    assert not runs.isVisible()


def test_words_about_a_run_do_not_change_faster_than_one_can_read(desk):
    pacer = desk.window.feed.runs.pacer
    pacer.interval_ms = 1e9
    desk.open("a.txt", "some old words")
    desk.fill("old")
    desk.allow(1)
    assert desk.window.status.engine.text().startswith("Step 1/4")
    desk.allow(1)
    assert desk.window.status.engine.text().startswith("Step 1/4")
    pacer.timer.timeout.emit()
    assert desk.window.status.engine.text().startswith("Step 2/4")
