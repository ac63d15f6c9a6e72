"""At most so many frames a second, and always the last one."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

FRAME_MS = 33


class FramePacer(QObject):
    """`offer` says that something new can be shown; `due` says when to show it."""

    due = Signal()

    def __init__(self, parent: QObject | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self.interval_ms: float = FRAME_MS
        self._clock = clock
        self._last = float("-inf")
        self.timer = QTimer(self, singleShot=True)
        self.timer.timeout.connect(self._now)

    def offer(self) -> None:
        """Emits `due` at once, or as soon as the last one is long enough ago."""
        if self.timer.isActive():
            return
        left_ms = self.interval_ms - 1000 * (self._clock() - self._last)
        if left_ms <= 0:
            self._now()
        else:
            self.timer.start(max(1, round(left_ms)))

    def stop(self) -> None:
        """Forgets what was offered."""
        self.timer.stop()

    def _now(self) -> None:
        self._last = self._clock()
        self.due.emit()
