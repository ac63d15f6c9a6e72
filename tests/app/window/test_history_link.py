"""The history in the window: runs are kept, found, replayed, restored, copied and deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.infill.record import Acceptance
from app.paths import history_file
from app.window.asks import Answer
from engine.types import TextSpan
from tests.app.window.keeping import generated, run, settle


@pytest.fixture
def panel(desk):
    desk.do("infill.history")
    return desk.window.history_panel


def listed(panel):
    return [(item.before, item.after) for item in (panel.list.item(row).data(256) for row in range(panel.list.count()))]


def test_every_run_is_listed_whether_it_was_accepted_or_not(desk, panel):
    desk.open("x.txt", "some old words stand here\n")
    run(desk, "old")
    run(desk, "stand", accept=True)
    assert listed(panel) == [("stand", "STAND"), ("old", "OLD")]
    assert history_file().exists()
    assert (desk.folder / "x.txt").read_text() == "some old words stand here\n"


def test_the_list_is_that_of_the_front_document(desk, panel):
    desk.open("a.txt", "some old words")
    run(desk, "old")
    desk.open("b.txt", "other text")
    settle(desk)
    assert listed(panel) == []
    desk.do("view.next_tab")
    settle(desk)
    assert listed(panel) == [("old", "OLD")]


def test_the_list_is_there_again_when_the_file_is_opened_again(desk, panel):
    desk.open("x.txt", "some old words")
    run(desk, "old")
    desk.do("file.close")
    assert listed(panel) == []
    desk.window.open_paths([(desk.folder / "x.txt", None, 1)])
    settle(desk)
    assert listed(panel) == [("old", "OLD")]


def test_a_run_is_restored_as_a_proposal(desk, panel):
    desk.open("x.txt", "some old words")
    run(desk, "old")
    desk.tab.view.replace_spans([(0, 0, "Well, ")])
    panel.restore.click()
    settle(desk)
    assert desk.tab.controller.state == "proposal"
    assert desk.tab.view.overlay.is_shown
    assert desk.tab.view.text() == "Well, some old words"
    desk.do("proposal.accept")
    assert desk.tab.view.text() == "Well, some OLD words"
    assert generated(desk.tab) == ["OLD"]
    assert len(listed(panel)) == 1


def test_restoring_what_stands_there_says_so(desk, panel):
    desk.open("x.txt", "some old words")
    run(desk, "old", accept=True)
    panel.restore.click()
    settle(desk)
    assert desk.tab.controller.state == "idle"
    assert "already" in desk.window.status.message.text()


def test_a_run_whose_text_is_gone_says_so(desk, panel):
    desk.open("x.txt", "some old words")
    run(desk, "old")
    desk.tab.view.replace_spans([(0, 14, "nothing of it")])
    for button in (panel.restore, panel.replay):
        desk.window.status.clear_message()
        button.click()
        settle(desk)
        assert "no longer in the document" in desk.window.status.message.text()
    assert desk.tab.controller.state == "idle"
    assert len(desk.session.runs) == 1


def test_a_run_is_replayed_with_its_settings_and_seed(desk, panel):
    desk.open("x.txt", "some old words")
    desk.window.settings["infill.top_p"] = 0.5
    run(desk, "old")
    first = desk.session.run.request
    desk.window.settings["infill.steps"] = 9
    desk.window.settings["infill.top_p"] = 0.7
    desk.tab.view.go_to(1, 1)
    panel.replay.click()
    settle(desk)
    assert desk.session.run.request == first
    assert (desk.window.settings["infill.steps"], desk.window.settings["infill.top_p"]) == (9, 0.7)
    desk.allow(4)
    settle(desk)
    assert desk.tab.controller.state == "proposal"
    assert listed(panel) == [("old", "OLD")] * 2


def test_a_continuation_that_was_accepted_is_written_anew(desk, panel):
    desk.open("x.txt", "some words. The end of it all.")
    desk.tab.view.go_to(1, 12)
    desk.do("infill.continue")
    desk.allow(4)
    desk.do("proposal.accept")
    settle(desk)
    panel.replay.click()
    settle(desk)
    request = desk.session.run.request
    assert request.text[request.spans[0].start : request.spans[0].end] == "WRITTEN ON"
    desk.tab.controller.give_up()
    desk.do("edit.undo")
    panel.replay.click()
    settle(desk)
    assert desk.session.run.request == desk.session.runs[0].request


def test_the_settings_of_a_run_are_copied_with_its_seed(desk, panel):
    settings = desk.window.settings
    desk.open("x.txt", "some old words")
    run(desk, "old")
    seed = desk.session.run.request.seed
    settings["infill.steps"], settings["infill.sampler"], settings["infill.seed"] = 30, "p2", 1
    panel.copy.click()
    settle(desk)
    assert (settings["infill.steps"], settings["infill.sampler"]) == (4, "ancestral")
    assert settings["infill.seed_locked"]
    assert settings["infill.seed"] == seed
    run(desk, "some")
    assert desk.session.run.request.seed == seed


def test_runs_are_deleted_one_and_all(desk, panel):
    desk.open("x.txt", "some old words")
    for text in ("some", "old", "words"):
        run(desk, text)
    panel.delete.click()
    settle(desk)
    assert listed(panel) == [("old", "OLD"), ("some", "SOME")]
    desk.asks.answers = [Answer.CANCEL, Answer.DELETE]
    panel.delete_all_asked.emit()
    settle(desk)
    assert len(listed(panel)) == 2
    panel.delete_all_asked.emit()
    settle(desk)
    assert listed(panel) == []
    assert desk.asks.asked == ["forget x.txt"] * 2


def test_the_whole_history_is_deleted_at_once(desk, panel):
    desk.open("a.txt", "some old words")
    run(desk, "old")
    desk.open("b.txt", "some other words")
    run(desk, "other")
    desk.asks.answers = [Answer.DELETE]
    panel.delete_everything_asked.emit()
    desk.do("view.next_tab")
    settle(desk)
    assert listed(panel) == []


def test_switched_off_nothing_is_kept(desk, panel):
    desk.window.settings["history.enabled"] = False
    desk.open("x.txt", "some old words")
    run(desk, "old")
    assert listed(panel) == []
    assert "No history is kept" in panel.note.text()
    assert not history_file().exists()


def test_an_unnamed_document_has_its_runs_and_keeps_them_under_its_name(desk, panel):
    desk.do("file.new")
    desk.type("some old words")
    run(desk, "old")
    assert listed(panel) == [("old", "OLD")]
    desk.asks.answers = [desk.folder / "named.txt"]
    desk.do("file.save")
    settle(desk)
    assert listed(panel) == [("old", "OLD")]
    desk.asks.answers = [desk.folder / "other.txt"]
    desk.do("file.save_as")
    settle(desk)
    assert listed(panel) == [("old", "OLD")]


def test_a_damaged_history_is_told_in_the_strip(desk, panel):
    history_file().write_bytes(b"nonsense" * 500)
    desk.open("x.txt", "some old words")
    settle(desk)
    run(desk, "old")
    assert "damaged" in desk.window.notices.text
    assert listed(panel) == [("old", "OLD")]


def test_a_suggestion_is_kept_only_when_it_is_accepted(desk, panel):
    desk.open("x.txt", "some words")
    suggester = desk.tab.suggester
    for command in ("proposal.reject", "proposal.accept"):
        desk.tab.view.go_to(1, 11)
        suggester.ask()
        desk.allow(4)
        desk.do(command)
        settle(desk)
    assert listed(panel) == [("", "WRITTEN ON")]


def test_another_variation_that_is_accepted_is_kept_too(desk, panel):
    desk.open("x.txt", "some old words")
    desk.fill("old")
    desk.allow(4)
    run = desk.tab.controller.proposals.wanted.run
    third = replace(run, variation=2, after=("third",), seed=run.seed + 2)
    for accepted in (third, third, run):
        desk.tab.controller.accepted.emit(Acceptance((TextSpan(5, 8),), ("third",), accepted))
    desk.do("proposal.reject")
    settle(desk)
    assert listed(panel) == [("old", "third"), ("old", "OLD")]


def test_the_panel_is_reached_and_left_by_keys(desk, panel):
    desk.open("x.txt", "some old words")
    run(desk, "old")
    desk.tab.view.setFocus()
    desk.do("view.next_pane")
    desk.do("view.next_pane")
    assert panel.list.hasFocus()
    QTest.keyClick(panel.list, Qt.Key.Key_Return)
    settle(desk)
    assert desk.tab.controller.state == "proposal"
    assert desk.tab.view.surface.hasFocus()
    desk.do("infill.history")
    assert not desk.window.docks.history_shown()
    assert desk.window.actions_.of("infill.history").shortcut().toString() == "Ctrl+Shift+H"


def test_a_tab_that_is_closed_before_the_answer_comes_gets_none(desk, panel):
    desk.open("x.txt", "some old words")
    run(desk, "old")
    panel.restore.click()
    desk.do("file.close")
    settle(desk)
    assert desk.window.tabs.count() == 0


# generated text
