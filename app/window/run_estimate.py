"""Tells beside the presets how long a run would take with the settings and the selection as they are."""

from __future__ import annotations

import contextlib

from PySide6.QtCore import QObject, QTimer

from app.infill.bridge import EngineBridge
from app.infill.context import read_options
from app.infill.estimate import Estimate, Speeds
from app.infill.progress import duration
from app.panels.preset_bar import PresetBar
from app.paths import speeds_file
from app.settings import Settings
from app.window.tabs import Tab, Tabs
from engine.types import Finished, ModelInfo, ModelReady

EXAMPLE = 100
"""Characters that are told of while nothing is selected."""
_PAUSE_MS = 120


class RunEstimate(QObject):
    """Learns from every run that ends; shows nothing of a model that has not run yet."""

    def __init__(self, bar: PresetBar, settings: Settings, tabs: Tabs, bridge: EngineBridge) -> None:
        super().__init__(bar)
        self._bar, self._settings, self._tabs = bar, settings, tabs
        self._model: ModelInfo | None = None
        self.speeds = Speeds(speeds_file())
        self._waiting = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._waiting.timeout.connect(self.refresh)
        settings.changed.connect(self._on_setting)
        tabs.current_tab_changed.connect(self._waiting.start)
        bridge.finished.connect(self._on_finished)
        bridge.model_state.connect(self._on_model)

    def watch(self, tab: Tab) -> None:
        """Follows the selection of a new tab."""
        tab.view.selection_changed.connect(self._waiting.start)

    def close_down(self) -> None:
        """Ends what would still happen later, and keeps what was learned."""
        self._waiting.stop()
        with contextlib.suppress(OSError):
            self.speeds.save()

    def refresh(self) -> None:
        """Shows the time for what is selected now."""
        if self._model is None:
            return
        tab = self._tabs.current
        selected = sum(span.end - span.start for span in tab.view.selections()) if tab is not None else 0
        options = read_options(self._settings, 0)
        estimate = self.speeds.of(self._model).estimate(options, selected or EXAMPLE)
        self._bar.show_estimate(*(_words(estimate, selected) if estimate is not None else ("", "")))

    def _on_finished(self, event: Finished) -> None:
        self.speeds.learn(event)
        self._model = event.model
        self.refresh()

    def _on_model(self, event: object) -> None:
        if isinstance(event, ModelReady):
            self._model = event.info
            self.refresh()

    def _on_setting(self, key: str, _value: object) -> None:
        if key.startswith("infill.") and key != "infill.seed":
            self._waiting.start()


def _words(estimate: Estimate, selected: int) -> tuple[str, str]:
    what = "the selection" if selected else f"{EXAMPLE} characters"
    text = f"{'Roughly' if estimate.is_rough else 'About'} {duration(max(50.0, estimate.ms))} for {what}."
    more = "From the speed of earlier runs with this model."
    if estimate.reading_ms is not None:
        more += f" Text around it that was not read before adds {duration(estimate.reading_ms)} for 1,000 tokens."
    return text, more
