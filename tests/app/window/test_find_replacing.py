"""Replacing what is found, also in the middle of runs and beside proposals."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.app.window.finding import TEXT, look_for, marked, place, settle


@pytest.fixture
def finder(desk):
    """The window's bar with a text to search in."""
    desk.open("a.txt", TEXT)
    desk.tab.view.setFocus()
    return desk.window.finding


class TestReplacing:
    def test_one_after_the_other(self, desk, finder):
        desk.do("edit.replace")
        finder.bar.term.setText("cat")
        settle(desk)
        finder.bar.replacement.setText("cat and cat")
        finder.bar.replacement.setFocus()
        QTest.keyClick(finder.bar.replacement, Qt.Key.Key_Return)
        assert desk.tab.view.text().startswith("One cat and cat, two cats.")
        assert place(desk) == (21, 24)
        QTest.keyClick(finder.bar.replacement, Qt.Key.Key_Return)
        assert desk.tab.view.text().startswith("One cat and cat, two cat and cats.")
        desk.do("edit.undo")
        desk.do("edit.undo")
        assert desk.tab.view.text() == TEXT

    def test_all_in_one_step(self, desk, finder):
        desk.tab.view.go_to_offset(12)
        desk.do("edit.replace")
        finder.bar.term.setText("cat")
        finder.bar.replacement.setText("lion")
        settle(desk)
        desk.tab.view.go_to_offset(12)
        QTest.keyClick(finder.bar.term, Qt.Key.Key_Return,
                       Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ControlModifier)  # fmt: skip
        assert desk.tab.view.text() == "One lion, two lions.\nA lion and a dog.\nconlion\n"
        assert desk.tab.view.caret_offset() == 13
        assert desk.window.status.message.text() == "Replaced 4 places."
        desk.do("edit.undo")
        assert desk.tab.view.text() == TEXT
        assert not desk.tab.view.surface.canUndo()

    def test_patterns_with_groups_and_the_files_line_ends(self, desk, finder):
        desk.open("crlf.txt", b"a=1\r\nb=2\r\n")
        desk.do("edit.replace")
        finder.bar.regex.click()
        finder.bar.term.setText(r"^(\w)=(\d)$")
        finder.bar.replacement.setText(r"\2\n\1")
        settle(desk)
        desk.do("edit.replace_all")
        settle(desk)
        assert desk.tab.view.text() == "1\r\na\r\n2\r\nb\r\n"

    def test_places_of_no_length_one_after_the_other(self, desk, finder):
        desk.open("lines.txt", "a\nb")
        desk.do("edit.replace")
        finder.bar.regex.click()
        finder.bar.term.setText("$")
        finder.bar.replacement.setText(";")
        settle(desk)
        for _ in range(2):
            desk.do("edit.replace_one")
            settle(desk)
        assert desk.tab.view.text() == "a;\nb;"

    def test_a_bad_replacement_changes_nothing(self, desk, finder):
        desk.do("edit.replace")
        finder.bar.regex.click()
        finder.bar.term.setText("(cat)")
        finder.bar.replacement.setText(r"\2")
        settle(desk)
        desk.do("edit.replace_all")
        settle(desk)
        assert desk.tab.view.text() == TEXT
        assert finder.bar.count.text().startswith("This cannot be a replacement")

    def test_an_edit_before_the_answer_keeps_all_as_it_is(self, desk, finder):
        desk.do("edit.replace")
        finder.bar.regex.click()
        finder.bar.term.setText("cat")
        settle(desk)
        desk.do("edit.replace_all")
        desk.type("x")
        desk.qtbot.waitUntil(lambda: "nothing was replaced" in desk.window.status.message.text())
        settle(desk)
        assert desk.tab.view.text() == "x" + TEXT

    def test_very_many_places_are_one_step(self, desk, finder):
        desk.open("many.txt", "cat dog\n" * 5_000)
        desk.do("edit.replace")
        finder.bar.term.setText("cat")
        finder.bar.replacement.setText("lion")
        settle(desk)
        desk.do("edit.replace_all")
        assert desk.tab.view.text() == "lion dog\n" * 5_000
        desk.do("edit.undo")
        assert desk.tab.view.text() == "cat dog\n" * 5_000


class TestBesideRuns:
    def test_replacing_beside_a_proposal_moves_it_and_inside_makes_it_stale(self, desk, finder):
        desk.fill("dog")
        desk.allow(4)
        desk.session.run.finish()
        QApplication.sendPostedEvents()
        proposal = desk.tab.controller.proposals.pending.spots[0]
        look_for(desk, "cat")
        finder.bar.replacement.setText("lion")
        desk.do("edit.replace_all")
        spot = desk.tab.controller.proposals.pending.spots[0]
        assert not spot.place.is_stale
        assert spot.place.span.start == proposal.place.span.start + 3
        finder.bar.term.setText("o")
        finder.bar.replacement.setText("0")
        settle(desk)
        desk.do("edit.replace_all")
        assert "A proposal no longer fits" in desk.window.status.message.text()
        desk.do("edit.undo")
        assert desk.tab.controller.proposals.has_pending
        desk.tab.controller.proposals.accept()
        assert "dog" not in desk.tab.view.text()

    def test_a_run_goes_on_beside_a_replacement_and_ends_when_it_is_inside(self, desk, finder):
        desk.fill("dog")
        desk.allow(1)
        assert desk.tab.view.overlay.is_shown
        look_for(desk, "cat")
        assert marked(desk.tab.view.preview)
        finder.bar.term.setText("dog")
        settle(desk)
        assert "that a draft lies over" in desk.window.status.message.text()
        finder.bar.term.setText("cat")
        settle(desk)
        desk.do("edit.find_next")
        assert desk.tab.view.overlay.is_shown
        finder.bar.replacement.setText("lion")
        desk.do("edit.replace_all")
        assert desk.tab.controller.is_running
        finder.bar.term.setText("dog")
        settle(desk)
        desk.do("edit.replace_all")
        assert not desk.tab.controller.is_running
        assert desk.window.status.message.text() == "Replaced 1 place. The run in this text was stopped."
        assert desk.tab.view.text() == TEXT.replace("cat", "lion").replace("Cat", "lion").replace("dog", "lion")
