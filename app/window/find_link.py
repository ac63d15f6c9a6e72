"""Joins the find bar to the document in front: looks for its term there, goes to what is found, replaces it."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent

from app.editor.edits import Edit
from app.editor.scope import Scope
from app.editor.search import BadPatternError, Matches, Range, SearchJob
from app.editor.searcher import Answer, Searcher
from app.infill.announce import announce
from app.panels.find_bar import FindBar
from app.window.tabs import Tab, Tabs
from engine.types import TextSpan

TYPING_MS = 60
"""How long after a key in the bar the search begins in a large text."""
EDIT_MS = 150
"""How long after an edit of the text it is searched again."""
LARGE = 200_000
"""Bytes from which a text is large."""
MOST_SELECTED = 5_000
"""Found places that are selected at once."""

Act = Callable[[Tab], None]


@dataclass(frozen=True, eq=False)
class _Asked:
    """A job that is on its way, and what is done with its answer."""

    job: SearchJob
    tab: Tab
    revision: int
    text: str
    act: Callable[[Answer], None]


@dataclass(frozen=True, eq=False)
class _Found:
    """What was found in a text as it was."""

    job: SearchJob
    tab: Tab
    revision: int
    matches: Matches


class FindLink(QObject):
    """Searches the front document while the bar is shown, and does what the bar and the commands ask for."""

    said = Signal(str)
    """A sentence for the status bar."""
    changed = Signal()
    """The bar came or went, or another thing is found."""

    def __init__(self, tabs: Tabs, bar: FindBar, searcher: Searcher | None = None) -> None:
        super().__init__(bar)
        self._tabs, self.bar = tabs, bar
        self.searcher = searcher or Searcher(self)
        self._scopes: dict[Tab, Scope] = {}
        self._asked: _Asked | None = None
        self._found: _Found | None = None
        self._wished: Act | None = None
        self._anchor = 0
        self._origin = Scope(())
        self._is_moving = False
        self._waiting = QTimer(self, singleShot=True)
        self._waiting.timeout.connect(self._search)
        self.searcher.answered.connect(self._on_answer)
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
        self.bar.open(replace=replace or (was_open and self.bar.can_replace))
        if replace and was_open and self.bar.term.text():
            self.bar.replacement.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.bar.replacement.selectAll()
        self._search()
        self.changed.emit()

    def close(self) -> None:
        """Hides the bar and gives the keyboard back to the text."""
        had_focus, tab = self.bar.has_focus, self._tabs.current
        self.bar.hide()
        self._forget()
        self._scopes.clear()
        self.bar.show_scope(False)
        if tab is not None and had_focus:
            tab.view.setFocus()
        self.changed.emit()

    def find_next(self) -> None:
        """Goes to the next found place, around the end."""
        self._on_found(lambda tab: self._step(tab, 1))

    def find_previous(self) -> None:
        """Goes to the one before, around the start."""
        self._on_found(lambda tab: self._step(tab, -1))

    def select_all(self) -> None:
        """Selects all found places, and gives the keyboard to the text."""
        self._on_found(self._select_all)

    def replace(self) -> None:
        """Replaces the found place that is selected, and goes to the next; without one it only goes there."""
        self._on_found(self._replace)

    def replace_all(self) -> None:
        """Replaces all found places in one undo step."""
        self._on_found(self._replace_all)

    @Slot(bool)
    def search_in_selection(self, on: bool) -> None:
        """Searches only what is selected now, or everything again."""
        tab = self._tabs.current
        if tab is None:
            return
        self._scopes.pop(tab, None)
        if on:
            spans = tab.view.selections()
            if len(spans) == 1 and self._index(tab) is not None:
                spans = self._origin.spans
            if spans:
                self._scopes[tab] = Scope(spans)
            else:
                self.said.emit("Select the text that is to be searched first.")
        self.bar.show_scope(tab in self._scopes)
        self._search()

    # following

    def watch(self, tab: Tab) -> None:
        """Follows a new tab."""
        tab.view.text_changed.connect(lambda edit: self._on_edit(tab, edit))
        tab.view.selection_changed.connect(lambda: self._on_selection(tab))
        tab.view.surface.key_filters.append(self._on_key)

    def close_down(self) -> None:
        """Ends what would still happen later."""
        self._waiting.stop()
        self._asked = self._wished = None
        self.searcher.close()

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
        self._scopes = {one: scope for one, scope in self._scopes.items() if one in self._tabs.all}
        if self._found is not None and self._found.tab in self._tabs.all:
            self._found.tab.view.found.clear()
        self._found = self._wished = None
        self.bar.show_scope(tab in self._scopes)
        if tab is None:
            self.close()
            return
        self._note_selection(tab)
        if self.is_open:
            self._search()

    def _on_edit(self, tab: Tab, edit: Edit) -> None:
        """In the middle of the modification: changes nothing."""
        if tab in self._scopes:
            self._scopes[tab].follow(edit)
        if tab is self._tabs.current:
            self._origin.follow(edit)
            if self.is_open:
                self._waiting.start(EDIT_MS)

    def _on_selection(self, tab: Tab) -> None:
        if tab is self._tabs.current and self.is_open:
            if not self._is_moving:
                self._note_selection(tab)
            self._show_count()

    def _on_term(self) -> None:
        tab = self._tabs.current
        if tab is None or not self.is_open:
            return
        self._wished = self._go_to_first
        if tab.view.surface.length() > LARGE:
            self._waiting.start(TYPING_MS)
        else:
            self._search()

    def _take_over(self, tab: Tab) -> None:
        """The selection as a term, and where the search begins."""
        self._note_selection(tab)
        spans = tab.view.selections()
        if len(spans) == 1:
            term = tab.view.text_range(spans[0].start, spans[0].end)
            if "\n" not in term and "\r" not in term:
                self.bar.blockSignals(True)
                self.bar.set_term(term)
                self.bar.blockSignals(False)

    def _note_selection(self, tab: Tab) -> None:
        spans = tab.view.selections()
        self._origin = Scope(spans)
        self._anchor = spans[-1].start if spans else tab.view.caret_offset()

    # searching

    def _job(self, tab: Tab) -> SearchJob:
        scope = self._scopes.get(tab)
        within = tuple((span.start, span.end) for span in scope.spans) if scope is not None else None
        return SearchJob(self.bar.query, within)

    def _is_fresh(self, tab: Tab) -> bool:
        found = self._found
        if found is None or found.tab is not tab or found.revision != tab.document.revision:
            return False
        return found.job == self._job(tab)

    def _search(self) -> None:
        """Looks for the term of the bar in the front document."""
        self._waiting.stop()
        tab = self._tabs.current
        if tab is None or not self.bar.query.term:
            self._forget()
            self.bar.show_count("")
            self.bar.enable(False)
        elif self._is_fresh(tab):
            self._do_wished(tab)
        else:
            self._ask(tab, self._job(tab), self._take_matches)

    def _ask(self, tab: Tab, job: SearchJob, act: Callable[[Answer], None]) -> None:
        text = tab.view.text()
        self._asked = _Asked(job, tab, tab.document.revision, text, act)
        try:
            self.searcher.search(job, text)
        except BadPatternError as reason:
            self._on_answer(Answer(job, error=str(reason)))
            return
        if self.searcher.is_busy and job.query.is_regex and self._found is None:
            self.bar.show_count("Searching…")

    @Slot(object)
    def _on_answer(self, answer: Answer) -> None:
        asked = self._asked
        if asked is None or answer.job is not asked.job:
            return
        self._asked = None
        if answer.error:
            self._show_error(answer.error)
        elif asked.tab is not self._tabs.current or asked.revision != asked.tab.document.revision:
            if asked.job.template is not None:
                self.said.emit("The text was changed meanwhile, so nothing was replaced.")
            self._search()
        else:
            if asked.job.template is None:
                scope = self._scopes.get(asked.tab)
                self._found = _Found(asked.job, asked.tab, asked.revision, answer.matches)
                if self.is_open:
                    asked.tab.view.found.show(asked.text, answer.matches, scope.spans if scope is not None else ())
            asked.act(answer)

    def _take_matches(self, _answer: Answer) -> None:
        tab = self._tabs.current
        if tab is not None:
            self._show_count()
            self._do_wished(tab)
            self.changed.emit()

    def _do_wished(self, tab: Tab) -> None:
        act, self._wished = self._wished, None
        if act is not None:
            act(tab)

    def _on_found(self, act: Act) -> None:
        """Does something as soon as it is known what is found in the text as it is then."""
        tab = self._tabs.current
        if tab is None:
            return
        if not self.bar.query.term:
            self.open()
            return
        if not self.is_open:
            self._note_selection(tab)
        tab.view.surface.finish_composition()
        self.bar.remember()
        self._wished = act
        self._search()
        self.searcher.finish()

    def _forget(self) -> None:
        self._waiting.stop()
        self.searcher.stop()
        self._asked = self._wished = None
        if self._found is not None:
            self._found.tab.view.found.clear()
            self._found = None

    # what is shown

    def _index(self, tab: Tab) -> int | None:
        """Which of the found places is selected."""
        if not self._is_fresh(tab) or tab.view.surface.selections() > 1:
            return None
        assert self._found is not None
        spans = tab.view.selections()
        caret = tab.view.caret_offset()
        return self._found.matches.index_of((spans[0].start, spans[0].end) if spans else (caret, caret))

    def _show_count(self) -> None:
        tab = self._tabs.current
        if tab is None or self._found is None or not self._is_fresh(tab):
            return
        matches, index = self._found.matches, self._index(tab)
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

    def _show_error(self, sentence: str) -> None:
        self._forget()
        self.bar.show_count(sentence, state="wrong")
        self.bar.enable(False)

    # going

    def _go_to_first(self, tab: Tab) -> None:
        """While a term is written: the first found place from where the caret was."""
        assert self._found is not None
        matches = self._found.matches
        if len(matches) and not tab.view.surface.is_composing:
            self._go_to(tab, matches.first_from(self._anchor) or 0, keeps_anchor=True)

    def _step(self, tab: Tab, by: int) -> None:
        assert self._found is not None
        matches, here = self._found.matches, self._index(tab)
        if not len(matches):
            self._say(tab, f"“{self.bar.query.term}” is not found.")
            return
        if here is not None:
            index: int | None = here + by
        else:
            spans, caret = tab.view.selections(), tab.view.caret_offset()
            start, end = (spans[0].start, spans[-1].end) if spans else (caret, caret)
            index = matches.first_from(end) if by > 0 else matches.last_before(start)
        if index is None or not 0 <= index < len(matches):
            index = 0 if by > 0 else len(matches) - 1
            self._say(tab, "On from the start of the text." if by > 0 else "On from the end of the text.")
        self._go_to(tab, index)

    def _go_to(self, tab: Tab, index: int, *, keeps_anchor: bool = False) -> None:
        assert self._found is not None
        start, end = self._found.matches[index]
        self._is_moving = True
        tab.view.show_span(TextSpan(start, end))
        self._is_moving = False
        if not keeps_anchor:
            self._anchor = start
        self._show_count()
        if any(span.start < end and start < span.end for span in tab.controller.held_spans):
            self.said.emit("Found in text that a draft lies over; it is seen again when that is accepted or discarded.")

    def _select_all(self, tab: Tab) -> None:
        assert self._found is not None
        matches = self._found.matches
        count = min(len(matches), MOST_SELECTED)
        if not count:
            self._say(tab, f"“{self.bar.query.term}” is not found.")
            return
        tab.view.select([TextSpan(*matches[index]) for index in range(count)])
        tab.view.setFocus()
        more = f" of {len(matches):,}" if len(matches) > count else ""
        self._say(tab, f"{count:,}{more} places selected." if count > 1 else "1 place selected.")

    # replacing

    def _replace(self, tab: Tab) -> None:
        index = self._index(tab)
        if index is None:
            self._step(tab, 1)
            return
        assert self._found is not None
        self.bar.remember(replacement=True)
        self._ask_texts(tab, self._found.matches[index], lambda answer: self._put_one(tab, answer))

    def _put_one(self, tab: Tab, answer: Answer) -> None:
        if not answer.texts:
            return
        (start, end), new = answer.matches[0], answer.texts[0]
        self._is_moving = True
        before = tab.view.length
        tab.view.replace_found([(start, end, new)])
        behind = end + tab.view.length - before
        tab.view.show_span(TextSpan(behind, behind))
        self._is_moving = False
        self._wished = lambda tab: self._go_on_from(tab, behind, was_empty=start == end)
        self._search()
        self.searcher.finish()

    def _go_on_from(self, tab: Tab, offset: int, *, was_empty: bool) -> None:
        """After a replacement: the next place, but not the same empty one again."""
        assert self._found is not None
        matches = self._found.matches
        index = matches.first_from(offset)
        if was_empty and index is not None and matches[index] == (offset, offset):
            index = index + 1 if index + 1 < len(matches) else None
        if index is None and len(matches):
            index = 0
            self._say(tab, "On from the start of the text.")
        if index is None:
            self._say(tab, "Replaced the last one.")
        else:
            self._go_to(tab, index)

    def _replace_all(self, tab: Tab) -> None:
        self.bar.remember(replacement=True)
        self._ask_texts(tab, None, lambda answer: self._put_all(tab, answer))

    def _ask_texts(self, tab: Tab, only: Range | None, act: Callable[[Answer], None]) -> None:
        """What replaces what is found, or one of it. Words are all replaced by the same."""
        assert self._found is not None
        new = self.bar.replacement.text()
        job = SearchJob(self.bar.query, self._found.job.within, new, only)
        if job.query.is_regex:
            self._ask(tab, job, act)
            self.searcher.finish()
        elif only is not None:
            act(Answer(job, Matches(array("q", only[:1]), array("q", only[1:])), [new]))
        else:
            act(Answer(job, self._found.matches, [new] * len(self._found.matches)))

    def _put_all(self, tab: Tab, answer: Answer) -> None:
        count, controller = len(answer.matches), tab.controller
        if not count:
            self._say(tab, f"“{self.bar.query.term}” is not found.")
            return
        changes = [(*answer.matches[index], answer.texts[index]) for index in range(count)]
        stale, was_running = controller.proposals.stale_count, controller.is_running
        tab.view.replace_found(changes, [*controller.held_spans, *tab.view.generated.ranges])
        sentence = f"Replaced {count:,} places." if count > 1 else "Replaced 1 place."
        stale = controller.proposals.stale_count - stale
        if stale > 0:
            sentence += " A proposal" if stale == 1 else f" {stale} proposals"
            sentence += " no longer fits its text." if stale == 1 else " no longer fit their text."
        if was_running and not controller.is_running:
            sentence += " The run in this text was stopped."
        self._search()
        self._say(tab, sentence)

    def _say(self, tab: Tab, sentence: str) -> None:
        self.said.emit(sentence)
        announce(tab.view, sentence)
