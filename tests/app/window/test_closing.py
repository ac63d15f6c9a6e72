"""Closing a tab or the window asks about what would be lost, and about nothing else."""

from __future__ import annotations

import pytest

from app.window.asks import Answer


class TestClosingATab:
    def test_an_unmodified_one_closes_without_a_word(self, desk):
        desk.open("x.txt", "old")
        desk.do("file.close")
        assert desk.window.tabs.count() == 0
        assert not desk.window.actions_.of("file.save").isEnabled()
        assert desk.window.windowTitle() == "Redraft"

    @pytest.mark.parametrize(("answer", "on_disk", "left"), [
        (Answer.SAVE, "new old", 0), (Answer.DISCARD, "old", 0), (Answer.CANCEL, "old", 1),
    ])  # fmt: skip
    def test_a_modified_one_asks(self, desk, answer, on_disk, left):
        desk.open("x.txt", "old")
        desk.type("new ")
        desk.asks.answers = [answer]
        desk.do("file.close")
        assert (desk.folder / "x.txt").read_text() == on_disk
        assert desk.window.tabs.count() == left

    def test_a_save_that_fails_keeps_the_tab(self, desk):
        desk.open("x.txt", "old")
        desk.type("new ")
        (desk.folder / "x.txt").chmod(0o444)
        desk.asks.answers = [Answer.SAVE]
        desk.do("file.close")
        assert desk.window.tabs.count() == 1

    def test_a_running_one_asks_and_stops_the_run(self, desk):
        desk.open("x.txt", "some old words")
        desk.fill("old")
        desk.allow(1)
        desk.asks.answers = [Answer.CANCEL, Answer.STOP]
        desk.do("file.close")
        assert not desk.session.run.job.is_cancelled
        desk.do("file.close")
        assert desk.session.run.job.is_cancelled
        assert desk.window.tabs.count() == 0
        desk.allow(1)  # the late ending reaches nobody
        assert (desk.folder / "x.txt").read_text() == "some old words"

    @pytest.mark.parametrize(("answer", "modified"), [(Answer.DISCARD, False), (Answer.ACCEPT, True)])
    def test_one_with_a_proposal_asks_for_a_decision(self, desk, answer, modified):
        desk.open("x.txt", "some old words")
        desk.fill("old")
        desk.allow(4)
        desk.asks.answers = [answer, Answer.SAVE]
        desk.do("file.close")
        assert desk.asks.asked == ["1 proposed in x.txt"] + ["unsaved x.txt"] * modified
        assert (desk.folder / "x.txt").read_text() == ("some OLD words" if modified else "some old words")

    def test_going_back_keeps_the_proposal(self, desk):
        desk.open("x.txt", "some old words")
        desk.fill("old")
        desk.allow(4)
        desk.asks.answers = [Answer.CANCEL]
        desk.do("file.close")
        assert desk.tab.controller.proposals.has_pending


class TestClosingTheWindow:
    def test_it_closes_when_nothing_is_to_be_lost(self, desk):
        desk.open("x.txt", "old")
        assert desk.window.close()
        assert desk.session.is_closed

    def test_it_asks_for_every_modified_document_and_stays_on_cancel(self, desk):
        for name in ("a.txt", "b.txt"):
            desk.open(name, "old")
            desk.type("new ")
        desk.asks.answers = [Answer.SAVE, Answer.CANCEL]
        assert not desk.window.close()
        assert desk.asks.asked == ["unsaved a.txt", "unsaved b.txt"]
        assert not desk.session.is_closed
        assert desk.window.tabs.count() == 2
        desk.asks.answers = [Answer.DISCARD]
        assert desk.window.close()
        assert [(desk.folder / name).read_text() for name in ("a.txt", "b.txt")] == ["new old", "old"]

    def test_it_stops_a_run_first(self, desk):
        desk.open("x.txt", "some old words")
        desk.fill("old")
        desk.asks.answers = [Answer.STOP]
        assert desk.window.close()
        assert desk.session.run.job.is_cancelled
        assert desk.session.is_closed
