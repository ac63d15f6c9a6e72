"""Ctrl+C in the terminal, and a polite kill, close the window as its own button does: it asks first."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class SignalWatch(QObject):
    """Calls `act` on the GUI thread when the process is asked to end.

    Python sees a signal only when it runs, which it does not while Qt waits: a byte through a socket wakes it.
    """

    def __init__(self, act: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._act = act
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._old_descriptor = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._old_handlers = {number: signal.signal(number, _ignore) for number in _SIGNALS}
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_byte)

    def close(self) -> None:
        """Gives the signals back to whoever had them."""
        self._notifier.setEnabled(False)
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_descriptor)
        self._reader.close()
        self._writer.close()

    def _on_byte(self, *_: object) -> None:
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(64)
        self._act()


def _ignore(*_: object) -> None:
    """Takes the signal from Python's own handler, which would raise in the middle of anything."""
