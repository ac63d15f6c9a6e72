"""Finding as a user does it, and what there is to be seen of it."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication

from app.editor.indicators import Indicator

TEXT = "One cat, two cats.\nA Cat and a dog.\nconcat\n"


def look_for(desk, term):
    """Opens the bar and writes a term into it."""
    desk.do("edit.find")
    desk.window.finding.bar.term.setText(term)
    settle(desk)


def settle(desk):
    """Lets all waiting be over."""
    finding = desk.window.finding
    if finding.search._waiting.isActive():
        finding.search.search()
    finding.search.searcher.finish()
    desk.qtbot.waitUntil(lambda: not finding.search.searcher.is_busy)
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
