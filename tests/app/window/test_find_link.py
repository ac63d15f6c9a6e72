"""Finding and replacing in a window, as a user does it, also in the middle of runs and beside proposals."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.editor.indicators import Indicator
from app.editor.searcher import TOO_LONG
from engine.types import TextSpan

TEXT = "One cat, two cats.\nA Cat and a dog.\nconcat\n"


@pytest.fixture
def finder(desk):
    """The window's bar with a text to search in."""
    desk.open("a.txt", TEXT)
    desk.tab.view.setFocus()
    return desk.window.finding


def look_for(desk, term):
    """Opens the bar and writes a term into it."""
    desk.do("edit.find")
    desk.window.finding.bar.term.setText(term)
    settle(desk)


def settle(desk):
    """Lets all waiting be over."""
    finding = desk.window.finding
    if finding._waiting.isActive():
        finding._search()
    finding.searcher.finish()
    desk.qtbot.waitUntil(lambda: not finding.searcher.is_busy)
    QApplication.sendPostedEvents()


def selected(desk):
    view = desk.tab.view
    return [view.text_range(span.start, span.end) for span in view.selections()]


def place(desk):
    span = desk.tab.view.selections()[0]
    return span.start, span.end


def marked(surface, indicator=Indicator.FOUND):
    """The bytes that are marked."""
    ranges, pos = [], 0
    while pos < surface.length():
        end = surface.indicatorEnd(indicator, pos) or surface.length()
        if surface.indicatorValueAt(indicator, pos):
            ranges.append((pos, end))
        pos = end if end > pos else surface.length()
    return ranges


class TestFinding:
    def test_the_term_is_found_while_it_is_written(self, desk, finder):
        desk.do("edit.find")
        assert finder.bar.term.hasFocus()
        for letter in "cat":
            QTest.keyClicks(finder.bar.term, letter)
            settle(desk)
        assert place(desk) == (4, 7)
        assert finder.bar.count.text() == "1 of 4"
        assert marked(desk.tab.view.surface) == [(4, 7), (13, 16), (21, 24), (39, 42)]

    def test_the_selection_is_taken_for_the_term(self, desk, finder):
        desk.tab.view.select([TextSpan(21, 24)])
        desk.do("edit.find")
        settle(desk)
        assert finder.bar.term.text() == "Cat"
        assert finder.bar.count.text() == "3 of 4"
        assert place(desk) == (21, 24)

    def test_a_selection_of_several_lines_is_not(self, desk, finder):
        desk.tab.view.select([TextSpan(4, 24)])
        desk.do("edit.find")
        assert finder.bar.term.text() == ""

    def test_it_goes_around_the_ends_and_says_so(self, desk, finder):
        look_for(desk, "cat")
        places = []
        for _ in range(4):
            QTest.keyClick(finder.bar.term, Qt.Key.Key_Return)
            places.append(place(desk)[0])
        assert places == [13, 21, 39, 4]
        assert "from the start" in desk.window.status.message.text()
        QTest.keyClick(finder.bar.term, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
        assert place(desk) == (39, 42)
        assert "from the end" in desk.window.status.message.text()

    def test_commands_go_on_when_the_bar_is_closed(self, desk, finder):
        look_for(desk, "cat")
        QTest.keyClick(finder.bar.term, Qt.Key.Key_Escape)
        assert not finder.is_open
        assert desk.tab.view.surface.hasFocus()
        QApplication.sendPostedEvents()
        assert marked(desk.tab.view.surface) == []
        desk.tab.view.go_to_offset(15)
        desk.do("edit.find_next")
        assert place(desk) == (21, 24)
        desk.do("edit.find_previous")
        desk.do("edit.find_previous")
        assert place(desk) == (4, 7)
        assert marked(desk.tab.view.surface) == []

    def test_without_a_term_they_ask_for_one(self, desk, finder):
        desk.do("edit.find_next")
        assert finder.bar.term.hasFocus()

    def test_what_is_not_found_leaves_the_selection(self, desk, finder):
        desk.tab.view.go_to_offset(5)
        look_for(desk, "horse")
        assert finder.bar.count.text() == "No results"
        assert desk.tab.view.caret_offset() == 5
        QTest.keyClick(finder.bar.term, Qt.Key.Key_Return)
        assert desk.window.status.message.text() == "“horse” is not found."
        assert not finder.bar.next.isEnabled()

    def test_case_words_and_patterns_are_switched_by_key(self, desk, finder):
        look_for(desk, "cat")
        for command, count in (("match_case", "1 of 3"), ("whole_words", "1 of 1"), ("match_case", "1 of 2")):
            desk.do(f"edit.{command}")
            settle(desk)
            assert finder.bar.count.text() == count
        desk.do("edit.whole_words")
        desk.do("edit.regex")
        finder.bar.term.setText("^.*cat$")
        settle(desk)
        assert selected(desk) == ["concat"]
        desk.window.actions_.refresh()
        assert desk.window.actions_.of("edit.regex").isChecked()

    def test_a_bad_pattern_is_told_of_in_the_bar(self, desk, finder):
        desk.do("edit.find")
        desk.do("edit.regex")
        finder.bar.term.setText("(")
        settle(desk)
        assert finder.bar.count.text().startswith("This is no pattern: missing )")
        assert finder.bar.term.property("state") == "wrong"
        finder.bar.term.setText("(cat)")
        settle(desk)
        assert finder.bar.count.text() == "1 of 4"
        assert finder.bar.term.property("state") == ""

    def test_a_pattern_that_takes_forever_does_not_stop_the_window(self, desk, finder):
        desk.type("x" * 60 + "\n")
        finder.searcher._limit_s = 0.3
        desk.do("edit.find")
        desk.do("edit.regex")
        finder.bar.term.setText("(x+x+)+y")
        assert finder.searcher.is_busy
        settle(desk)
        assert finder.bar.count.text() == TOO_LONG

    def test_the_text_is_searched_again_after_an_edit(self, desk, finder):
        look_for(desk, "cat")
        desk.type("cat ")
        settle(desk)
        assert finder.bar.count.text() == "5 results"
        desk.do("edit.undo")
        settle(desk)
        assert finder.bar.count.text() == "1 of 4"

    def test_only_what_is_in_sight_has_marks(self, desk, finder):
        desk.open("long.txt", "cat\n" * 20_000)
        look_for(desk, "cat")
        assert finder.bar.count.text() == "1 of 20,000"
        assert 0 < len(marked(desk.tab.view.surface)) < 500
        desk.tab.view.go_to(19_999)
        desk.tab.view.grab()
        QApplication.processEvents()
        assert desk.tab.view.surface.indicatorValueAt(Indicator.FOUND, 4 * 19_998)

    def test_the_bar_follows_the_tab(self, desk, finder):
        look_for(desk, "cat")
        first = desk.tab
        second = desk.open("b.txt", "cat")
        settle(desk)
        assert finder.bar.count.text() == "1 result"
        assert marked(first.view.surface) == []
        desk.window.tabs.take(second)
        settle(desk)
        assert finder.bar.count.text() == "1 of 4"
        desk.window.tabs.take(first)
        assert not finder.is_open

    def test_escape_in_the_text_closes_the_bar(self, desk, finder):
        look_for(desk, "cat")
        desk.tab.view.setFocus()
        QTest.keyClick(desk.tab.view.surface, Qt.Key.Key_Escape)
        assert not finder.is_open

    def test_terms_before_come_back(self, desk, finder):
        for term in ("dog", "cat"):
            look_for(desk, term)
            QTest.keyClick(finder.bar.term, Qt.Key.Key_Return)
        finder.bar.term.setText("unused")
        seen = []
        for key in (Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down):
            QTest.keyClick(finder.bar.term, key)
            seen.append(finder.bar.term.text())
        assert seen == ["cat", "dog", "dog", "cat", "unused", "unused"]

    def test_all_places_become_selections(self, desk, finder):
        look_for(desk, "cat")
        QTest.keyClick(finder.bar.term, Qt.Key.Key_Return, Qt.KeyboardModifier.AltModifier)
        assert selected(desk) == ["cat", "cat", "Cat", "cat"]
        assert desk.tab.view.surface.hasFocus()
        QTest.keyClicks(desk.tab.view.surface, "x")
        assert desk.tab.view.text() == "One x, two xs.\nA x and a dog.\nconx\n"


class TestInSelection:
    def test_only_the_selection_is_searched(self, desk, finder):
        desk.tab.view.select([TextSpan(0, 17)])
        look_for(desk, "cat")
        desk.do("edit.in_selection")
        settle(desk)
        assert finder.bar.count.text() == "1 of 2"
        assert marked(desk.tab.view.surface, Indicator.SEARCHED) == [(0, 17)]
        desk.do("edit.in_selection")
        settle(desk)
        assert finder.bar.count.text() == "1 of 4"
        assert marked(desk.tab.view.surface, Indicator.SEARCHED) == []

    def test_it_grows_with_what_is_replaced_in_it(self, desk, finder):
        desk.tab.view.select([TextSpan(4, 16)])
        look_for(desk, "cat")
        desk.do("edit.in_selection")
        finder.bar.replacement.setText("kitten")
        desk.do("edit.replace_all")
        settle(desk)
        assert desk.tab.view.text() == TEXT.replace("cat", "kitten", 2)
        finder.bar.term.setText("kitten")
        settle(desk)
        assert finder.bar.count.text() == "1 of 2"

    def test_what_was_selected_is_known_also_after_something_was_replaced(self, desk, finder):
        desk.tab.view.select([TextSpan(0, 17)])
        look_for(desk, "cat")
        finder.bar.replacement.setText("kitten")
        desk.do("edit.replace_one")
        settle(desk)
        assert place(desk) == (16, 19)
        desk.do("edit.in_selection")
        settle(desk)
        assert finder.bar.count.text() == "1 of 1"
        assert marked(desk.tab.view.surface, Indicator.SEARCHED) == [(0, 20)]

    def test_without_a_selection_it_says_what_is_missing(self, desk, finder):
        look_for(desk, "horse")
        desk.do("edit.in_selection")
        assert not finder.bar.scope.isChecked()
        assert "Select" in desk.window.status.message.text()


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
