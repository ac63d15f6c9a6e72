"""Writes the status bar: what the front tab and the engine are doing."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu

from app.document.encodings import ENCODINGS
from app.document.languages import LANGUAGES, language_label
from app.infill.bridge import EngineBridge
from app.infill.controller import InfillProgress
from app.statusbar import StatusBar
from app.window.filing import Filing
from app.window.tabs import Tab, Tabs
from engine.types import Failed, ModelInfo, ModelLoading, ModelReady

_COUNT_MS = 250
_MOST_COUNTED = 300_000
"""Bytes up to which words are counted, which takes a few milliseconds."""


class StatusFeed(QObject):
    """Listens to the tabs and the engine and shows it in the status bar."""

    def __init__(self, bar: StatusBar, tabs: Tabs, filing: Filing, bridge: EngineBridge) -> None:
        super().__init__(bar)
        self._bar, self._tabs, self._filing = bar, tabs, filing
        self._model_text, self._model_state, self._loaded = "No model loaded", "idle", 0
        self._counting = QTimer(self, singleShot=True, interval=_COUNT_MS)
        self._counting.timeout.connect(self._count)
        bar.language.setMenu(self._language_menu())
        bar.encoding.setMenu(self._encoding_menu())
        bar.stop_clicked.connect(self.stop)
        tabs.current_tab_changed.connect(self.refresh)
        bridge.model_state.connect(self._on_model)
        self.refresh()

    def watch(self, tab: Tab) -> None:
        """Follows a new tab."""
        tab.view.caret_moved.connect(self._on_caret)
        tab.view.selection_changed.connect(self._counting.start)
        tab.view.text_changed.connect(self._counting.start)
        tab.document.properties_changed.connect(self._show_properties)
        tab.document.path_changed.connect(self._show_properties)
        tab.controller.state_changed.connect(self._show_engine)
        tab.controller.progress.connect(lambda progress: self._on_progress(tab, progress))
        tab.controller.message.connect(self._bar.show_message)

    def close_down(self) -> None:
        """Ends what would still happen later."""
        self._counting.stop()
        self._bar.close_down()

    def refresh(self, *_: object) -> None:
        """Shows everything anew, for another front tab."""
        self._on_caret()
        self._count()
        self._show_properties()
        self._show_engine()

    @property
    def runner(self) -> Tab | None:
        """The tab whose run is shown: the front one, else any in which something runs."""
        front = self._tabs.current
        tabs = ([front] if front is not None else []) + self._tabs.all
        return next((tab for tab in tabs if tab.controller.state in {"queued", "running"}), None)

    def _on_caret(self, *_: object) -> None:
        tab = self._tabs.current
        if tab is None:
            self._bar.position.clear()
            return
        line, column = tab.line_and_column
        self._bar.position.setText(f"Ln {line}, Col {column}")

    def _count(self) -> None:
        tab = self._tabs.current
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

    def _on_model(self, event: object) -> None:
        self._loaded = 0
        if isinstance(event, ModelLoading):
            self._loaded = round(100 * event.progress)
            self._model_text, self._model_state = f"Loading {event.name} · {self._loaded} %", "busy"
        elif isinstance(event, ModelReady):
            self._model_text, self._model_state = f"{_model_words(event.info)} · ready", "ready"
        elif isinstance(event, Failed):
            self._model_text, self._model_state = event.message, "failed"
        self._show_engine()

    def _show_engine(self, *_: object) -> None:
        runner = self.runner
        self._bar.set_running(runner is not None)
        if runner is not None and runner.controller.state == "running":
            return  # its progress is on the way
        waiting = "Waiting for the model" if self._model_state == "busy" else "Waiting"
        if runner is not None:
            self._bar.show_engine(waiting, "busy")
        else:
            self._bar.show_engine(self._model_text, self._model_state)
        self._bar.show_progress(self._loaded, 100 if self._model_state == "busy" else 0)

    def _on_progress(self, tab: Tab, progress: InfillProgress) -> None:
        if tab is not self.runner:
            return
        where = "" if tab is self._tabs.current else f"{tab.document.title}: "
        left = f" · {progress.remaining_ms / 1000:.1f} s left" if progress.remaining_ms > 0 else ""
        step = f"{where}Step {progress.step}/{progress.steps} · {progress.tokens_per_s:.0f} tok/s{left}"
        self._bar.show_engine(step, "busy")
        self._bar.show_progress(progress.step, progress.steps)

    def stop(self) -> None:
        """Stops the run that is shown."""
        runner = self.runner
        if runner is not None:
            runner.controller.stop()

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


def _model_words(info: ModelInfo) -> str:
    size = f"{info.parameters / 1e6:.0f} M" if info.parameters < 1e9 else f"{info.parameters / 1e9:.1f} B"
    return f"{info.name} · {size} · {info.device.upper()}"
