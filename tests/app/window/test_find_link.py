"""Finding in a window, as a user does it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.editor.indicators import Indicator
from app.editor.searcher import TOO_LONG
from engine.types import TextSpan
from tests.app.window.finding import TEXT, look_for, marked, place, selected, settle


@pytest.fixture
def finder(desk):
    """The window's bar with a text to search in."""
    desk.open("a.txt", TEXT)
    desk.tab.view.setFocus()
    return desk.window.finding


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
        desk.do("edit.find")
        settle(desk)
        assert len(marked(desk.tab.view.surface)) == 4

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
        finder.search.searcher._limit_s = 0.3
        desk.do("edit.find")
        desk.do("edit.regex")
        finder.bar.term.setText("(x+x+)+y")
        assert finder.search.searcher.is_busy
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
