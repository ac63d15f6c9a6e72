"""Goes from one found place to another, and knows from where one set out."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.editor.edits import Edit
from app.editor.scope import Scope
from app.infill.announce import announce
from app.window.front_search import FrontSearch
from app.window.tabs import Tab
from engine.types import TextSpan

MOST_SELECTED = 5_000
"""Found places that are selected at once."""


class FoundPlaces(QObject):
    """The found places of a search, to be gone through. All but `note` is for when they are known."""

    said = Signal(str)
    """A sentence for the status bar."""
    arrived = Signal()
    """Another place is selected."""

    def __init__(self, search: FrontSearch, parent: QObject) -> None:
        super().__init__(parent)
        self._search = search
        self._anchor = 0
        self._origin = Scope(())
        self.is_moving = False
        """Whether the selection changes because a place is gone to."""

    # where one set out

    @property
    def origin(self) -> Sequence[TextSpan]:
        """What the user selected last, where it is now."""
        return self._origin.spans

    def note(self, tab: Tab) -> None:
        """The user set out from what is selected now."""
        spans = tab.view.selections()
        self._origin = Scope(spans)
        self._anchor = spans[-1].start if spans else tab.view.caret_offset()

    def follow(self, edit: Edit) -> None:
        """Takes over an edit of the text."""
        self._origin.follow(edit)

    # going

    def go_to_first(self, tab: Tab) -> None:
        """While a term is written: the first found place from where the caret was."""
        matches = self._search.found.matches
        if len(matches) and not tab.view.surface.is_composing:
            self._go_to(tab, matches.first_from(self._anchor) or 0, keeps_anchor=True)

    def step(self, tab: Tab, by: int) -> None:
        """The next place (`by` 1) or the one before (-1), around the ends."""
        matches, here = self._search.found.matches, self._search.index(tab)
        if not len(matches):
            self.say_missing(tab)
            return
        if here is not None:
            index: int | None = here + by
        else:
            spans, caret = tab.view.selections(), tab.view.caret_offset()
            start, end = (spans[0].start, spans[-1].end) if spans else (caret, caret)
            index = matches.first_from(end) if by > 0 else matches.last_before(start)
        if index is None or not 0 <= index < len(matches):
            index = 0 if by > 0 else len(matches) - 1
            self.say(tab, "On from the start of the text." if by > 0 else "On from the end of the text.")
        self._go_to(tab, index)

    def go_on_from(self, tab: Tab, offset: int, *, was_empty: bool) -> None:
        """After a replacement: the next place, but not the same empty one again."""
        matches = self._search.found.matches
        index = matches.first_from(offset)
        if was_empty and index is not None and matches[index] == (offset, offset):
            index = index + 1 if index + 1 < len(matches) else None
        if index is None and len(matches):
            index = 0
            self.say(tab, "On from the start of the text.")
        if index is None:
            self.say(tab, "Replaced the last one.")
        else:
            self._go_to(tab, index)

    def select_all(self, tab: Tab) -> None:
        """Selects all of them, and gives the keyboard to the text."""
        matches = self._search.found.matches
        count = min(len(matches), MOST_SELECTED)
        if not count:
            self.say_missing(tab)
            return
        tab.view.select([TextSpan(*matches[index]) for index in range(count)])
        tab.view.setFocus()
        more = f" of {len(matches):,}" if len(matches) > count else ""
        self.say(tab, f"{count:,}{more} places selected." if count > 1 else "1 place selected.")

    def say_missing(self, tab: Tab) -> None:
        """Says that there is none."""
        self.say(tab, f"“{self._search.found.job.query.term}” is not found.")

    def say(self, tab: Tab, sentence: str) -> None:
        """In the status bar, and to screen readers."""
        self.said.emit(sentence)
        announce(tab.view, sentence)

    def _go_to(self, tab: Tab, index: int, *, keeps_anchor: bool = False) -> None:
        start, end = self._search.found.matches[index]
        self.is_moving = True
        tab.view.show_span(TextSpan(start, end))
        self.is_moving = False
        if not keeps_anchor:
            self._anchor = start
        self.arrived.emit()
        if any(span.start < end and start < span.end for span in tab.controller.held_spans):
            self.said.emit("Found in text that a draft lies over; it is seen again when that is accepted or discarded.")
