"""Joins the history to the window: what is kept of the tabs' runs, and what the user does with it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeAlias
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal

from app.document.document import Document
from app.history import Entry, History, Kept, Marks
from app.history.again import generated_spans, proposal_of, request_of, settings_of
from app.history.places import around, find_places
from app.infill.record import Acceptance, RunRecord
from app.panels.history_panel import HistoryPanel
from app.settings import SettingError, Settings
from app.window.asks import Answer, Asks
from app.window.filing import Filing
from app.window.tabs import Tab, Tabs
from engine.types import TextSpan

Act: TypeAlias = Callable[[Tab, Kept], None]

_MOST_ENDED = 64
"""Runs of a tab whose other variations are still expected to be accepted, at most."""

_GONE = "The text that this run rewrote is no longer in the document."


class HistoryLink(QObject):
    """Keeps what runs end with, finds it again, and shows it in the panel while that is on the screen."""

    said = Signal(str)
    """A word for the status bar."""
    failed = Signal(str)
    """A sentence that must be read."""

    def __init__(self, settings: Settings, tabs: Tabs, filing: Filing, panel: HistoryPanel, asks: Asks) -> None:
        super().__init__(panel)
        self._settings, self._tabs, self._panel, self._asks = settings, tabs, panel, asks
        self.history = History(settings, self)
        self._paths: WeakKeyDictionary[Tab, Path | None] = WeakKeyDictionary()
        self._ended: WeakKeyDictionary[Tab, dict[datetime, tuple[Kept, set[int]]]] = WeakKeyDictionary()
        self.history.failed.connect(self.failed)
        self.history.changed.connect(self._on_changed)
        tabs.current_tab_changed.connect(self.refresh)
        filing.loaded.connect(self._on_loaded)
        filing.saved.connect(self._on_saved)
        settings.changed.connect(self._on_setting)
        panel.replay_asked.connect(lambda entry: self._with_run(entry, self._replay))
        panel.restore_asked.connect(lambda entry: self._with_run(entry, self._restore))
        panel.copy_asked.connect(lambda entry: self._with_run(entry, self._copy_settings))
        panel.delete_asked.connect(self._delete)
        panel.delete_all_asked.connect(self._delete_all)
        panel.delete_everything_asked.connect(self._delete_everything)
        panel.show_on(self.history.is_on)

    def watch(self, tab: Tab) -> None:
        """Follows a new tab."""
        self._paths[tab] = tab.document.path
        tab.controller.run_ended.connect(lambda run: self._on_run(tab, run))
        tab.controller.accepted.connect(lambda acceptance: self._on_accepted(tab, acceptance))
        self._show_marks(tab)

    def refresh(self, *_: object) -> None:
        """Shows the runs of the front document, if the panel is on the screen."""
        tab = self._tabs.current
        if tab is None:
            self._panel.show_entries([])
        elif self._panel.isVisible():
            self.history.entries(tab.document, lambda entries: self._show(tab.document, entries))

    def close_down(self) -> bool:
        """Ends it once everything is kept."""
        return self.history.close()

    # what is kept

    def _on_run(self, tab: Tab, run: RunRecord) -> None:
        """A suggestion that nobody asked for is kept when it is accepted."""
        kept = Kept(run, around(tab.view, run.spans, run.before))
        is_kept = not tab.suggester.is_active
        if is_kept:
            self.history.add(tab.document, kept)
        ended = self._ended.setdefault(tab, {})
        ended[run.when] = (kept, {run.variation} if is_kept else set())
        if len(ended) > _MOST_ENDED:
            del ended[next(iter(ended))]

    def _on_accepted(self, tab: Tab, acceptance: Acceptance) -> None:
        run = acceptance.run
        kept, variations = self._ended.get(tab, {}).get(run.when, (None, set[int]()))
        if kept is not None and run.variation not in variations:  # it was not the first one that was accepted
            variations.add(run.variation)
            self.history.add(tab.document, Kept(run, kept.around))
        tab.view.generated.accept(generated_spans(acceptance))

    def _on_loaded(self, tab: Tab) -> None:
        self._paths[tab] = tab.document.path
        tab.view.generated.expect()
        self.history.opened(tab.document, lambda marks: self._put_marks(tab, marks))
        self.refresh()

    def _on_saved(self, tab: Tab) -> None:
        document, ranges = tab.document, tab.view.generated.ranges
        marks = Marks(document.digest or b"", document.encoding, ranges) if ranges else None
        self.history.saved(document, marks, self._paths.get(tab))
        self._paths[tab] = document.path

    def _put_marks(self, tab: Tab, marks: Marks | None) -> None:
        if tab in self._tabs.all:  # it may be closed by now
            tab.view.generated.put(marks.ranges if marks is not None else ())

    # what is shown

    def _on_changed(self, document: Document | None) -> None:
        tab = self._tabs.current
        if document is None or (tab is not None and tab.document is document):
            self.refresh()

    def _show(self, document: Document, entries: list[Entry]) -> None:
        tab = self._tabs.current
        if tab is not None and tab.document is document:
            self._panel.show_entries(entries)

    def _on_setting(self, key: str, _value: object) -> None:
        if key == "history.enabled":
            self._panel.show_on(self.history.is_on)
        elif key in {"editor.show_generated", "engine.enabled"}:
            for tab in self._tabs.all:
                self._show_marks(tab)

    def _show_marks(self, tab: Tab) -> None:
        tab.view.generated.show(bool(self._settings["editor.show_generated"] and self._settings["engine.enabled"]))

    # what the user does with a run

    def _with_run(self, entry_id: int, act: Act) -> None:
        tab = self._tabs.current
        if tab is not None:
            self.history.run(tab.document, entry_id, lambda kept: self._act(tab, kept, act))

    def _act(self, tab: Tab, kept: Kept, act: Act) -> None:
        if tab is self._tabs.current:  # it may be closed by now
            act(tab, kept)

    def _replay(self, tab: Tab, kept: Kept) -> None:
        places = self._places(tab, kept)
        if places is not None:
            tab.view.setFocus()
            tab.controller.run_again(request_of(kept.run), places)

    def _restore(self, tab: Tab, kept: Kept) -> None:
        places = self._places(tab, kept)
        if places is None:
            return
        standing = [tab.view.text_range(place.start, place.end) for place in places]
        proposal = proposal_of(kept.run, places, standing, tab.document.eol)
        if proposal is None:
            self.said.emit("The result of this run stands in the document already.")
            return
        tab.view.setFocus()
        tab.view.go_to_offset(proposal.spans[0].start)
        tab.controller.restore(proposal)

    def _places(self, tab: Tab, kept: Kept) -> tuple[TextSpan, ...] | None:
        places = find_places(tab.view.text(), kept)
        if places is None:
            self.said.emit(_GONE)
        return places

    def _copy_settings(self, _tab: Tab, kept: Kept) -> None:
        """The seed is locked with them: else the next run would draw another one."""
        for key, value in settings_of(kept.run).items():
            with contextlib.suppress(SettingError, KeyError):  # of another version
                self._settings[key] = value
        model = (
            "" if kept.run.model in {"", Path(self._settings["engine.model"]).name} else f" It ran on {kept.run.model}."
        )
        self.said.emit(f"The settings of this run are in use now, its seed too.{model}")

    def _delete(self, entry_ids: list[int]) -> None:
        tab = self._tabs.current
        if tab is not None:
            self.history.delete(tab.document, entry_ids)
            many = len(entry_ids)
            self.said.emit("The run was deleted." if many == 1 else f"{many} runs were deleted.")

    def _delete_all(self) -> None:
        tab = self._tabs.current
        if tab is not None and self._asks.forget_runs(tab.document.title) is Answer.DELETE:
            self.history.delete_all(tab.document)

    def _delete_everything(self) -> None:
        if self._asks.forget_runs(None) is Answer.DELETE:
            self.history.delete_all(None)
