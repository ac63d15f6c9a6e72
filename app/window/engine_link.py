"""Keeps the engine's model in step with the settings: loads it in the background, again when another one is chosen."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from app.infill.bridge import EngineBridge
from app.settings import Settings
from engine.types import ModelChoice

_SETTLE_MS = 600


class EngineLink(QObject):
    """Asks the bridge for the chosen model: once at `start`, and whenever a setting of the engine has changed."""

    def __init__(self, bridge: EngineBridge, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._settings = settings
        self._waiting = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._waiting.timeout.connect(self.start)
        self._started = False
        bridge.switch(settings["engine.enabled"])
        settings.changed.connect(self._on_setting)

    @property
    def choice(self) -> ModelChoice:
        """The model the settings ask for."""
        settings = self._settings
        return ModelChoice(
            name=settings["engine.model"],
            device=settings["engine.device"],
            dtype=settings["engine.dtype"],
            threads=settings["engine.threads"],
        )

    def start(self) -> None:
        """Loads the chosen model now, if the model is to be used at all."""
        self._waiting.stop()
        self._started = True
        if self._settings["engine.enabled"]:
            self._bridge.load_model(self.choice)

    def settle(self) -> None:
        """Loads a model that was just chosen without waiting for more changes: a run is about to ask for it."""
        if self._waiting.isActive():
            self.start()

    def close_down(self) -> None:
        """Ends what would still happen later."""
        self._waiting.stop()

    def _on_setting(self, key: str, value: object) -> None:
        if key == "engine.enabled":
            self._waiting.stop()
            self._bridge.switch(bool(value))
            if self._started:
                self.start()
        elif self._started and key.startswith("engine."):
            self._waiting.start()
