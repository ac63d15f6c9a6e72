"""Joins the find bar to the document in front: looks for its term there, goes to what is found, replaces it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent

from app.editor.edits import Edit
from app.editor.searcher import Searcher
from app.panels.find_bar import FindBar
from app.window.find_replacing import FindReplacing
from app.window.found_places import FoundPlaces
from app.window.front_search import Act, FrontSearch
from app.window.tabs import Tab, Tabs
from engine.types import TextSpan

TYPING_MS = 60
"""How long after a key in the bar the search begins in a large text."""
EDIT_MS = 150
"""How long after an edit of the text it is searched again."""
LARGE = 200_000
"""Bytes from which a text is large."""


class FindLink(QObject):
    """Searches the front document while the bar is shown, and does what the bar and the commands ask for."""

    said = Signal(str)
    """A sentence for the status bar."""
    changed = Signal()
    """The bar came or went, or another thing is found."""

    def __init__(self, tabs: Tabs, bar: FindBar, searcher: Searcher | None = None) -> None:
        super().__init__(bar)
        self._tabs, self.bar = tabs, bar
        self.search = FrontSearch(tabs, bar, searcher, self)
        self._places = FoundPlaces(self.search, self)
        self._replacing = FindReplacing(self.search, self._places, bar)
        self.search.known.connect(self._show_count)
        self.search.acted.connect(self.changed)
        self.search.begun.connect(self._show_begun)
        self.search.failed.connect(self._show_error)
        self.search.outdated.connect(self._say_outdated)
        self._places.arrived.connect(self._show_count)
        self._places.said.connect(self.said)
        tabs.current_tab_changed.connect(self._on_tab)
        bar.changed.connect(self._on_term)
        bar.scope_wished.connect(self.search_in_selection)
        for signal, act in (
            (bar.next_wished, self.find_next),
            (bar.previous_wished, self.find_previous),
            (bar.all_wished, self.select_all),
            (bar.replace_wished, self.replace),
            (bar.replace_all_wished, self.replace_all),
            (bar.close_wished, self.close),
        ):
            signal.connect(act)

    # what commands ask for

    @property
    def is_open(self) -> bool:
        """Whether the bar is shown."""
        return not self.bar.isHidden()

    def is_ready(self) -> bool:
        """Whether the bar is shown with a term that is found."""
        return self.is_open and self.bar.next.isEnabled()

    def open(self, *, replace: bool = False) -> None:
        """Shows the bar with what is selected as the term, if that is in one line."""
        tab = self._tabs.current
        if tab is None:
            return
        tab.view.surface.finish_composition()
        was_open = self.is_open
        if tab.view.surface.hasFocus() or not was_open:
            self._take_over(tab)
        if not was_open:
            self.search.forget()  # what was found without the bar has no marks
        self.bar.open(replace=replace or (was_open and self.bar.can_replace))
        if replace and was_open and self.bar.term.text():
            self.bar.replacement.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.bar.replacement.selectAll()
        self.search.search()
        self.changed.emit()

    def close(self) -> None:
        """Hides the bar and gives the keyboard back to the text."""
        had_focus, tab = self.bar.has_focus, self._tabs.current
        self.bar.hide()
        self.search.forget()
        self.search.clear_scopes()
        self.bar.show_scope(False)
        if tab is not None and had_focus:
            tab.view.setFocus()
        self.changed.emit()

    def find_next(self) -> None:
        """Goes to the next found place, around the end."""
        self._on_found(lambda tab: self._places.step(tab, 1))

    def find_previous(self) -> None:
        """Goes to the one before, around the start."""
        self._on_found(lambda tab: self._places.step(tab, -1))

    def select_all(self) -> None:
        """Selects all found places, and gives the keyboard to the text."""
        self._on_found(self._places.select_all)

    def replace(self) -> None:
        """Replaces the found place that is selected, and goes to the next; without one it only goes there."""
        self._on_found(self._replacing.replace)

    def replace_all(self) -> None:
        """Replaces all found places in one undo step."""
        self._on_found(self._replacing.replace_all)

    @Slot(bool)
    def search_in_selection(self, on: bool) -> None:
        """Searches only what is selected now, or everything again."""
        tab = self._tabs.current
        if tab is None:
            return
        spans = list(tab.view.selections()) if on else []
        if len(spans) == 1 and self.search.index(tab) is not None:
            spans = list(self._places.origin)
        if on and not spans:
            self.said.emit("Select the text that is to be searched first.")
        self.search.set_scope(tab, spans)
        self.bar.show_scope(self.search.has_scope(tab))
        self.search.search()

    # following

    def watch(self, tab: Tab) -> None:
        """Follows a new tab."""
        tab.view.text_changed.connect(lambda edit: self._on_edit(tab, edit))
        tab.view.selection_changed.connect(lambda: self._on_selection(tab))
        tab.view.surface.key_filters.append(self._on_key)

    def close_down(self) -> None:
        """Ends what would still happen later."""
        self.search.close_down()

    def _on_key(self, event: QKeyEvent) -> bool:
        """Escape in the text closes the bar, if it means nothing else there."""
        tab = self._tabs.current
        is_escape = event.key() == Qt.Key.Key_Escape and not event.modifiers()
        if tab is None or not is_escape or not self.is_open or tab.view.surface.selections() > 1:
            return False
        self.close()
        return True

    def _on_tab(self, *_: object) -> None:
        tab = self._tabs.current
        self.search.leave()
        self.bar.show_scope(self.search.has_scope(tab))
        if tab is None:
            self.close()
            return
        self._places.note(tab)
        if self.is_open:
            self.search.search()

    def _on_edit(self, tab: Tab, edit: Edit) -> None:
        """In the middle of the modification: changes nothing."""
        self.search.follow(tab, edit)
        if tab is self._tabs.current:
            self._places.follow(edit)
            if self.is_open:
                self.search.search_later(EDIT_MS)

    def _on_selection(self, tab: Tab) -> None:
        if tab is self._tabs.current and self.is_open:
            if not self._places.is_moving:
                self._places.note(tab)
            self._show_count()

    def _on_term(self) -> None:
        tab = self._tabs.current
        if tab is None or not self.is_open:
            return
        self.search.wish(self._places.go_to_first)
        if tab.view.surface.length() > LARGE:
            self.search.search_later(TYPING_MS)
        else:
            self.search.search()

    def _take_over(self, tab: Tab) -> None:
        """The selection as a term, and where the search begins."""
        self._places.note(tab)
        spans = tab.view.selections()
        if len(spans) == 1:
            term = tab.view.text_range(spans[0].start, spans[0].end)
            if "\n" not in term and "\r" not in term:
                self.bar.blockSignals(True)
                self.bar.set_term(term)
                self.bar.blockSignals(False)

    # what is wished for

    def _on_found(self, act: Act) -> None:
        """Does something as soon as it is known what is found in the text as it is then."""
        tab = self._tabs.current
        if tab is None:
            return
        if not self.bar.query.term:
            self.open()
            return
        if not self.is_open:
            self._places.note(tab)
        tab.view.surface.finish_composition()
        self.bar.remember()
        self.search.do_when_found(act)

    # what is shown

    @Slot()
    def _show_count(self) -> None:
        tab = self._tabs.current
        if tab is None or not self.search.is_fresh(tab):
            return
        matches, index = self.search.found.matches, self.search.index(tab)
        count = len(matches)
        if self.is_open:
            tab.view.found.point_at(TextSpan(*matches[index]) if index is not None else None)
        self.bar.enable(count > 0)
        if not count:
            self.bar.show_count("No results", state="none")
        elif index is not None:
            self.bar.show_count(f"{index + 1:,} of {count:,}")
        else:
            self.bar.show_count(f"{count:,} results" if count > 1 else "1 result")

    @Slot()
    def _show_begun(self) -> None:
        self.bar.show_count("Searching…")

    @Slot(str)
    def _show_error(self, sentence: str) -> None:
        self.bar.show_count(sentence, state="wrong")
        self.bar.enable(False)

    @Slot()
    def _say_outdated(self) -> None:
        self.said.emit("The text was changed meanwhile, so nothing was replaced.")
