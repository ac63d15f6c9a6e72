"""Replaces found places, one after the other or all at once."""

from __future__ import annotations

from array import array
from collections.abc import Callable

from app.editor.search import Matches, Range, SearchJob
from app.editor.searcher import Answer
from app.panels.find_bar import FindBar
from app.window.found_places import FoundPlaces
from app.window.front_search import FrontSearch
from app.window.tabs import Tab
from engine.types import TextSpan


class FindReplacing:
    """Replaces by what the bar says; for when it is known what is found."""

    def __init__(self, search: FrontSearch, places: FoundPlaces, bar: FindBar) -> None:
        self._search, self._places, self._bar = search, places, bar

    def replace(self, tab: Tab) -> None:
        """Replaces the found place that is selected, and goes to the next; without one it only goes there."""
        index = self._search.index(tab)
        if index is None:
            self._places.step(tab, 1)
            return
        self._bar.remember(replacement=True)
        self._ask_texts(tab, self._search.found.matches[index], lambda answer: self._put_one(tab, answer))

    def replace_all(self, tab: Tab) -> None:
        """Replaces all found places in one undo step."""
        self._bar.remember(replacement=True)
        self._ask_texts(tab, None, lambda answer: self._put_all(tab, answer))

    def _ask_texts(self, tab: Tab, only: Range | None, act: Callable[[Answer], None]) -> None:
        """What replaces what is found, or one of it. Words are all replaced by the same."""
        found, new = self._search.found, self._bar.replacement.text()
        job = SearchJob(self._bar.query, found.job.within, new, only)
        if job.query.is_regex:
            self._search.ask(tab, job, act)
            self._search.searcher.finish()
        elif only is not None:
            act(Answer(job, Matches(array("q", only[:1]), array("q", only[1:])), [new]))
        else:
            act(Answer(job, found.matches, [new] * len(found.matches)))

    def _put_one(self, tab: Tab, answer: Answer) -> None:
        if not answer.texts:
            return
        (start, end), new = answer.matches[0], answer.texts[0]
        self._places.is_moving = True
        before = tab.view.length
        tab.view.replace_found([(start, end, new)])
        behind = end + tab.view.length - before
        tab.view.show_span(TextSpan(behind, behind))
        self._places.is_moving = False
        self._search.do_when_found(lambda tab: self._places.go_on_from(tab, behind, was_empty=start == end))

    def _put_all(self, tab: Tab, answer: Answer) -> None:
        count, controller = len(answer.matches), tab.controller
        if not count:
            self._places.say_missing(tab)
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
        self._search.search()
        self._places.say(tab, sentence)
