"""What is found in the document in front: known until the text or the term changes, then asked for anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.editor.edits import Edit
from app.editor.scope import Scope
from app.editor.search import BadPatternError, Matches, SearchJob
from app.editor.searcher import Answer, Searcher
from app.panels.find_bar import FindBar
from app.window.tabs import Tab, Tabs
from engine.types import TextSpan

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
class Found:
    """What was found in a text as it was."""

    job: SearchJob
    tab: Tab
    revision: int
    matches: Matches


class FrontSearch(QObject):
    """Searches for the term of the bar, in the selection only where that is wished, and marks what is found."""

    known = Signal()
    """It is known what is found; what was wished for is done after this."""
    acted = Signal()
    """What was wished for is done."""
    begun = Signal()
    """A search that may take long has begun, and nothing is known yet."""
    failed = Signal(str)
    """A sentence: there can be no answer."""
    outdated = Signal()
    """Replacements were asked for, but the text is another one by now."""

    def __init__(self, tabs: Tabs, bar: FindBar, searcher: Searcher | None, parent: QObject) -> None:
        super().__init__(parent)
        self._tabs, self._bar = tabs, bar
        self.searcher = searcher or Searcher(self)
        self._scopes: dict[Tab, Scope] = {}
        self._asked: _Asked | None = None
        self._found: Found | None = None
        self._wished: Act | None = None
        self._waiting = QTimer(self, singleShot=True)
        self._waiting.timeout.connect(self.search)
        self.searcher.answered.connect(self._on_answer)

    # what is known

    @property
    def found(self) -> Found:
        """What was found last. Only for what was wished for, which is done when it is known."""
        assert self._found is not None
        return self._found

    def is_fresh(self, tab: Tab) -> bool:
        """Whether it is known what is found in the text as it is now."""
        found = self._found
        if found is None or found.tab is not tab or found.revision != tab.document.revision:
            return False
        return found.job == self._job(tab)

    def index(self, tab: Tab) -> int | None:
        """Which of the found places is selected."""
        if not self.is_fresh(tab) or tab.view.surface.selections() > 1:
            return None
        spans, caret = tab.view.selections(), tab.view.caret_offset()
        return self.found.matches.index_of((spans[0].start, spans[0].end) if spans else (caret, caret))

    # where it is searched

    def has_scope(self, tab: Tab | None) -> bool:
        """Whether only parts of the text are searched."""
        return tab in self._scopes

    def set_scope(self, tab: Tab, spans: Sequence[TextSpan]) -> None:
        """Searches only these spans; without any, everything."""
        self._scopes.pop(tab, None)
        if spans:
            self._scopes[tab] = Scope(spans)

    def clear_scopes(self) -> None:
        """Searches everything in every document."""
        self._scopes.clear()

    def follow(self, tab: Tab, edit: Edit) -> None:
        """Takes over an edit of a text. In the middle of the modification: changes nothing."""
        if tab in self._scopes:
            self._scopes[tab].follow(edit)

    # searching

    def search(self) -> None:
        """Looks for the term of the bar, if it is not known where that is."""
        self._waiting.stop()
        tab = self._tabs.current
        if tab is None or not self._bar.query.term:
            self.forget()
            self._bar.show_count("")
            self._bar.enable(False)
        elif self.is_fresh(tab):
            self._do_wished(tab)
        else:
            self.ask(tab, self._job(tab), self._take_matches)

    def search_later(self, after_ms: int) -> None:
        """Does that in so many milliseconds, counted from the last time this was asked for."""
        self._waiting.start(after_ms)

    def wish(self, act: Act) -> None:
        """Does something after the next search, in place of what was wished for before."""
        self._wished = act

    def do_when_found(self, act: Act) -> None:
        """Does something as soon as it is known what is found; at once if no process has to be waited for."""
        self.wish(act)
        self.search()
        self.searcher.finish()

    def ask(self, tab: Tab, job: SearchJob, act: Callable[[Answer], None]) -> None:
        """Gives the answer to `act`, unless the text changes before it comes."""
        text = tab.view.text()
        self._asked = _Asked(job, tab, tab.document.revision, text, act)
        try:
            self.searcher.search(job, text)
        except BadPatternError as reason:
            self._on_answer(Answer(job, error=str(reason)))
            return
        if self.searcher.is_busy and job.query.is_regex and self._found is None:
            self.begun.emit()

    def leave(self) -> None:
        """Another document is in front, or one was closed."""
        self._scopes = {one: scope for one, scope in self._scopes.items() if one in self._tabs.all}
        if self._found is not None and self._found.tab in self._tabs.all:
            self._found.tab.view.found.clear()
        self._found = self._wished = None

    def forget(self) -> None:
        """Looks for nothing any more, and marks nothing."""
        self._waiting.stop()
        self.searcher.stop()
        self._asked = self._wished = None
        if self._found is not None:
            self._found.tab.view.found.clear()
            self._found = None

    def close_down(self) -> None:
        """Ends what would still happen later."""
        self._waiting.stop()
        self._asked = self._wished = None
        self.searcher.close()

    def _job(self, tab: Tab) -> SearchJob:
        scope = self._scopes.get(tab)
        within = tuple((span.start, span.end) for span in scope.spans) if scope is not None else None
        return SearchJob(self._bar.query, within)

    @Slot(object)
    def _on_answer(self, answer: Answer) -> None:
        asked = self._asked
        if asked is None or answer.job is not asked.job:
            return
        self._asked = None
        if answer.error:
            self.forget()
            self.failed.emit(answer.error)
        elif asked.tab is not self._tabs.current or asked.revision != asked.tab.document.revision:
            if asked.job.template is not None:
                self.outdated.emit()
            self.search()
        else:
            if asked.job.template is None:
                scope = self._scopes.get(asked.tab)
                self._found = Found(asked.job, asked.tab, asked.revision, answer.matches)
                if not self._bar.isHidden():
                    asked.tab.view.found.show(asked.text, answer.matches, scope.spans if scope is not None else ())
            asked.act(answer)

    def _take_matches(self, _answer: Answer) -> None:
        tab = self._tabs.current
        if tab is not None:
            self.known.emit()
            self._do_wished(tab)
            self.acted.emit()

    def _do_wished(self, tab: Tab) -> None:
        act, self._wished = self._wished, None
        if act is not None:
            act(tab)
