"""Writes the status bar: what the front tab is. What runs is told by `run_feed`."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from app.document.encodings import ENCODINGS
from app.document.languages import LANGUAGES, language_label
from app.infill.bridge import EngineBridge
from app.settings import Settings
from app.statusbar import StatusBar
from app.window.filing import Filing
from app.window.run_feed import RunFeed
from app.window.tabs import Tab, Tabs

_COUNT_MS = 250
_MOST_COUNTED = 300_000
"""Bytes up to which words are counted, which takes a few milliseconds."""


class StatusFeed(QObject):
    """Listens to the tabs and shows it in the status bar."""

    def __init__(self, bar: StatusBar, tabs: Tabs, filing: Filing, bridge: EngineBridge, settings: Settings) -> None:
        super().__init__(bar)
        self._bar, self._tabs, self._filing, self._settings = bar, tabs, filing, settings
        self.runs = RunFeed(bar, tabs, bridge)
        self._counting = QTimer(self, singleShot=True, interval=_COUNT_MS)
        self._counting.timeout.connect(self._count)
        bar.language.setMenu(self._language_menu())
        bar.encoding.setMenu(self._encoding_menu())
        tabs.current_tab_changed.connect(self.refresh)
        settings.changed.connect(self._on_setting)
        self.refresh()

    def watch(self, tab: Tab) -> None:
        """Follows a new tab."""
        tab.view.caret_moved.connect(self._on_caret)
        tab.view.selection_changed.connect(self._counting.start)
        tab.view.text_changed.connect(self._counting.start)
        tab.document.properties_changed.connect(self._show_properties)
        tab.document.path_changed.connect(self._show_properties)
        tab.view.generated.changed.connect(self._counting.start)
        self.runs.watch(tab)
        tab.controller.message.connect(lambda sentence: self._on_message(tab, sentence))

    def close_down(self) -> None:
        """Ends what would still happen later."""
        self._counting.stop()
        self._bar.close_down()

    def refresh(self, *_: object) -> None:
        """Shows everything anew, for another front tab."""
        self._on_caret()
        self._count()
        self._show_properties()
        self.runs.refresh()

    def _on_message(self, tab: Tab, sentence: str) -> None:
        if not tab.suggester.keeps_quiet():
            self._bar.show_message(sentence)

    def _on_caret(self, *_: object) -> None:
        tab = self._tabs.current
        if tab is None:
            self._bar.position.clear()
            return
        line, column = tab.line_and_column
        self._bar.position.setText(f"Ln {line}, Col {column}")

    def _on_setting(self, key: str, _value: object) -> None:
        if key in {"editor.show_generated", "engine.enabled"}:
            self._count()

    def _count(self) -> None:
        tab = self._tabs.current
        is_shown = self._settings["editor.show_generated"] and self._settings["engine.enabled"]
        self._bar.show_generated(tab.view.generated.share if tab is not None and is_shown else None)
        if tab is None:
            self._bar.counts.clear()
            return
        spans = tab.view.selections()
        selected = sum(span.end - span.start for span in spans)
        if selected:
            self._bar.counts.setText(f"{selected:,} selected" + (f" in {len(spans)} places" if len(spans) > 1 else ""))
        elif tab.view.surface.length() > _MOST_COUNTED:
            self._bar.counts.setText(f"{tab.view.length:,} characters")
        else:
            words = len(tab.view.text().split())
            self._bar.counts.setText(f"{words:,} word{'' if words == 1 else 's'}")

    def _show_properties(self) -> None:
        tab = self._tabs.current
        for widget in (self._bar.language, self._bar.encoding, self._bar.eol):
            widget.setVisible(tab is not None)
        if tab is not None:
            self._bar.language.setText(language_label(tab.document.language))
            self._bar.encoding.setText(tab.document.encoding_label)
            self._bar.eol.setText(tab.document.eol_label)

    def _language_menu(self) -> QMenu:
        menu = QMenu(self._bar)
        group = QActionGroup(menu)
        for language in LANGUAGES:
            action = menu.addAction(language.label)
            action.setCheckable(True)
            group.addAction(action)
            action.triggered.connect(lambda _on=False, name=language.name: self._choose_language(name))
        menu.aboutToShow.connect(lambda: self._check(menu, self._bar.language.text()))
        return menu

    def _encoding_menu(self) -> QMenu:
        menu = QMenu(self._bar)
        reopen, save = menu.addMenu("Reopen with"), menu.addMenu("Save with")
        for encoding, label in ENCODINGS.items():
            reopen.addAction(label).triggered.connect(lambda _on=False, name=encoding: self._reopen(name))
            save.addAction(label).triggered.connect(lambda _on=False, name=encoding: self._save_with(name))
        menu.aboutToShow.connect(
            lambda: reopen.setEnabled(bool(self._tabs.current and self._tabs.current.document.path))
        )
        return menu

    def _check(self, menu: QMenu, text: str) -> None:
        for action in menu.actions():
            action.setChecked(action.text() == text)

    def _choose_language(self, name: str) -> None:
        tab = self._tabs.current
        if tab is not None:
            tab.document.set_language(name)
            tab.view.set_language(name)

    def _reopen(self, encoding: str) -> None:
        tab = self._tabs.current
        if tab is not None:
            self._filing.reload(tab, encoding)

    def _save_with(self, encoding: str) -> None:
        tab = self._tabs.current
        if tab is not None:
            tab.document.set_encoding(encoding, bom=encoding.startswith("utf-16"))
            tab.document.set_modified(True)
            self._bar.show_message(f"The next save writes {tab.document.encoding_label}.")
