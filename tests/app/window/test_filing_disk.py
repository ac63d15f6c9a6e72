"""What other programs do to the files that are open."""

from __future__ import annotations

import pytest

from app.window.asks import Answer


class TestAFileThatAnotherProgramChanged:
    @pytest.fixture
    def changed(self, desk):
        desk.open("x.txt", "base")
        desk.type("mine ")
        desk.file("x.txt", "theirs")
        return desk

    def test_cancel_keeps_both(self, changed):
        changed.asks.answers = [Answer.CANCEL]
        changed.do("file.save")
        assert (changed.folder / "x.txt").read_text() == "theirs"
        assert changed.tab.view.text() == "mine base"
        assert changed.tab.document.is_modified

    def test_overwrite_saves_mine(self, changed):
        changed.asks.answers = [Answer.OVERWRITE]
        changed.do("file.save")
        assert (changed.folder / "x.txt").read_text() == "mine base"
        assert not changed.tab.document.is_modified

    def test_reload_takes_theirs(self, changed):
        changed.asks.answers = [Answer.RELOAD]
        changed.do("file.save")
        assert changed.tab.view.text() == "theirs"
        assert not changed.tab.document.is_modified

    def test_coming_back_to_the_window_offers_a_reload_once(self, changed):
        changed.window.look_at_disk()
        changed.window.notices.closer.click()
        changed.window.look_at_disk()
        assert changed.window.notices.text == ""
        changed.file("x.txt", "theirs, once more")
        changed.window.look_at_disk()
        assert "changed by another program" in changed.window.notices.text
        changed.asks.answers = [Answer.RELOAD]
        changed.window.notices.button.click()
        assert changed.tab.view.text() == "theirs, once more"


class TestAFileThatIsDeletedByAnotherProgram:
    def test_is_told_when_one_comes_back_and_can_be_written_again(self, desk):
        tab = desk.open("x.txt", "the only copy")
        (desk.folder / "x.txt").unlink()
        desk.window.look_at_disk()
        assert "was deleted or moved" in desk.window.notices.text
        assert tab.document.is_modified
        desk.window.notices.button.click()
        assert (desk.folder / "x.txt").read_text() == "the only copy"
        assert not tab.document.is_modified
        desk.window.look_at_disk()
        assert desk.window.notices.text == ""

    def test_is_not_closed_without_a_question(self, desk):
        desk.open("x.txt", "the only copy")
        (desk.folder / "x.txt").unlink()
        desk.asks.answers = [Answer.CANCEL, Answer.SAVE]
        desk.do("file.close")
        assert desk.tab.view.text() == "the only copy"
        desk.do("file.close")
        assert desk.window.tabs.current is None
        assert (desk.folder / "x.txt").read_text() == "the only copy"


def test_going_to_a_tab_looks_at_its_file(desk):
    desk.open("a.txt", "old")
    desk.open("b.txt")
    desk.file("a.txt", "theirs")
    desk.do("view.next_tab")
    assert "“a.txt” was changed by another program" in desk.window.notices.text


def test_reloading_asks_before_changes_are_lost(desk):
    desk.open("x.txt", "old")
    desk.type("new ")
    desk.asks.answers = [Answer.CANCEL, Answer.RELOAD]
    desk.do("file.reload")
    assert desk.tab.view.text() == "new old"
    desk.do("file.reload")
    assert desk.tab.view.text() == "old"


def test_reloading_keeps_the_place_of_the_caret(desk):
    desk.open("x.txt", "one\ntwo\nthree\n")
    desk.tab.view.go_to(3, 2)
    desk.file("x.txt", "one\ntwo\nthree, longer\n")
    desk.do("file.reload")
    assert desk.tab.line_and_column == (3, 2)
