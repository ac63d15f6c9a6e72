"""Writes the settings to their file, a moment after one was changed."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.settings import Settings

_SAVE_MS = 500


class SettingsSaver(QObject):
    """Follows the settings, and gathers changes that come close together into one writing."""

    failed = Signal(str)
    """A sentence: the disk did not take them."""

    def __init__(self, settings: Settings, parent: QObject) -> None:
        super().__init__(parent)
        self._settings = settings
        self._timer = QTimer(self, singleShot=True, interval=_SAVE_MS)
        self._timer.timeout.connect(self.save)
        settings.changed.connect(self._on_setting)

    def save(self) -> None:
        """Writes them now."""
        self._timer.stop()
        try:
            self._settings.save()
        except OSError as error:
            path, reason = self._settings.path, error.strerror or error
            self.failed.emit(f"The settings could not be saved in {path}: {reason}.")

    def _on_setting(self, key: str, _value: object) -> None:
        if key != "infill.seed" or self._settings["infill.seed_locked"]:  # else it is drawn anew in every run
            self._timer.start()
