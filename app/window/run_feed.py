"""Shows what the engine does: in the status bar, on the tabs and in the list of runs."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, QPoint

from app.infill.bridge import EngineBridge
from app.infill.pacing import FramePacer
from app.infill.progress import InfillProgress
from app.panels.run_list import RunEntry, RunList
from app.statusbar import StatusBar
from app.window.tabs import Tab, Tabs
from engine.types import Failed, ModelInfo, ModelLoading, ModelReady

_ABOVE = 10
"""Pixels between the list and the button it stands over."""
WORDS_MS = 100
"""Words and bars that change more often than this cannot be read; every change lays out the status bar anew."""
_RUNNING = frozenset({"queued", "running"})


@dataclass
class _Model:
    """What is to be said of the model while nothing runs."""

    text: str = "No model loaded"
    state: str = "idle"
    loaded: int = 0


class RunFeed(QObject):
    """Listens to the tabs' runs and to the model."""

    def __init__(self, bar: StatusBar, tabs: Tabs, bridge: EngineBridge) -> None:
        super().__init__(bar)
        self._bar, self._tabs = bar, tabs
        self._model = _Model()
        self._progress: dict[Tab, InfillProgress | None] = {}
        self.list = RunList(bar)
        self.pacer = FramePacer(self)
        self.pacer.interval_ms = WORDS_MS
        self.pacer.due.connect(self._show_all)
        bar.stop_clicked.connect(self.stop)
        bar.runs.clicked.connect(self.show_list)
        bridge.model_state.connect(self._on_model)
        self.refresh()

    def watch(self, tab: Tab) -> None:
        """Follows a new tab."""
        tab.controller.state_changed.connect(lambda state: self._on_state(tab, state))
        tab.controller.progress.connect(lambda progress: self._on_progress(tab, progress))
        tab.doubt.progressed.connect(self.refresh)

    @property
    def runner(self) -> Tab | None:
        """The tab whose run is shown: the front one, else any in which something runs."""
        front = self._tabs.current
        tabs = ([front] if front is not None else []) + self._tabs.all
        return next((tab for tab in tabs if tab.controller.state in _RUNNING), None)

    @property
    def judged(self) -> Tab | None:
        """The tab in which doubtful words are looked for, the front one first."""
        front = self._tabs.current
        tabs = ([front] if front is not None else []) + self._tabs.all
        return next((tab for tab in tabs if tab.doubt.is_running), None)

    @property
    def can_stop(self) -> bool:
        """Whether something runs, or doubtful words are looked for."""
        return self.runner is not None or self.judged is not None

    def stop(self) -> None:
        """Stops the run that is shown, else the look for doubtful words."""
        runner, judged = self.runner, self.judged
        if runner is not None:
            runner.controller.stop()
        elif judged is not None:
            judged.doubt.stop()

    def forget_model(self) -> None:
        """There is no model any more, or not yet."""
        self._model = _Model()
        self.refresh()

    def show_list(self) -> None:
        """Opens the list of runs over the status bar."""
        self.list.show_runs(self._entries())
        window = self._bar.window()
        self.list.open_above(window, self._bar.stop.mapTo(window, QPoint(self._bar.stop.width(), -_ABOVE)))

    def refresh(self, *_: object) -> None:
        """Shows everything anew, for another front tab."""
        runner, judged = self.runner, self.judged
        count = sum(tab.controller.state in _RUNNING for tab in self._tabs.all)
        self._bar.set_running(self.can_stop)
        self._bar.show_runs(count)
        self.list.show_runs(self._entries())
        progress = self._progress.get(runner) if runner is not None else None
        if runner is not None and progress is not None:
            self._show_progress(runner, progress)
        elif runner is not None:
            self._bar.show_engine("Waiting for the model" if self._model.state == "busy" else "Waiting", "busy")
            self._show_loading()
        elif judged is not None and self._model.state != "busy":
            self._bar.show_engine("Looking for doubtful words", "busy")
            self._bar.show_progress(round(1000 * judged.doubt.share), 1000)
        else:
            self._bar.show_engine(self._model.text, self._model.state)
            self._show_loading()

    def _on_state(self, tab: Tab, state: str) -> None:
        if state == "queued" and not tab.suggester.is_active:
            self._bar.clear_message()  # what was said of an earlier run is not true of this one
        if state in _RUNNING:
            self._progress.setdefault(tab, None)
            self._tabs.show_progress(tab, 0.0)
        else:
            self._progress.pop(tab, None)
            self._tabs.show_progress(tab, None)
        self.refresh()

    def _on_progress(self, tab: Tab, progress: InfillProgress) -> None:
        self._progress[tab] = progress
        self.pacer.offer()

    def _show_all(self) -> None:
        for tab in self._tabs.all:
            progress = self._progress.get(tab)
            if progress is not None:
                self._tabs.show_progress(tab, progress.share)
        self.list.show_runs(self._entries())
        runner = self.runner
        shown = self._progress.get(runner) if runner is not None else None
        if runner is not None and shown is not None:
            self._show_progress(runner, shown)

    def _show_progress(self, tab: Tab, progress: InfillProgress) -> None:
        where = "" if tab is self._tabs.current else f"{tab.document.title}: "
        self._bar.show_engine(f"{where}{progress.in_full}", "busy")
        self._bar.show_progress(round(1000 * progress.share), 1000)

    def _show_loading(self) -> None:
        self._bar.show_progress(self._model.loaded, 100 if self._model.state == "busy" else 0)

    def _entries(self) -> list[RunEntry]:
        entries = []
        for tab in self._tabs.all:
            if tab.controller.state in _RUNNING:
                progress = self._progress.get(tab)
                entries.append(
                    RunEntry(
                        id(tab),
                        tab.document.title,
                        progress.in_brief if progress is not None else "Waiting",
                        progress.share if progress is not None else 0.0,
                        tab.controller.stop,
                        lambda tab=tab: self._tabs.bring_to_front(tab),  # type: ignore[misc]
                    )
                )
        return entries

    def _on_model(self, event: object) -> None:
        if isinstance(event, ModelLoading):
            loaded = round(100 * event.progress)
            self._model = _Model(f"Loading {event.name} · {loaded} %", "busy", loaded)
        elif isinstance(event, ModelReady):
            self._model = _Model(f"{_model_words(event.info)} · ready", "ready")
        elif isinstance(event, Failed):
            self._model = _Model(event.message, "failed")
        self.refresh()


def _model_words(info: ModelInfo) -> str:
    size = f"{info.parameters / 1e6:.0f} M" if info.parameters < 1e9 else f"{info.parameters / 1e9:.1f} B"
    return f"{info.name} · {size} · {info.device.upper()}"
