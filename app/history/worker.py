"""The thread that alone touches the history's database, so that the window never waits for the disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeAlias

from PySide6.QtCore import QObject, Qt, Signal, Slot

if TYPE_CHECKING:
    from app.history.store import Store

Act: TypeAlias = "Callable[[Store], Any]"
Then: TypeAlias = Callable[[Any], object]

log = logging.getLogger(__name__)


class Worker(QObject):
    """Does what it is given one after the other, on a thread that begins with the first of it.

    `then` gets an order's answer on the thread the worker was made on. An order that fails has no answer: its sentence
    comes with `failed`.
    """

    failed = Signal(str)

    _arrived = Signal()

    def __init__(self, path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self._orders: SimpleQueue[tuple[Act, Then | None] | threading.Event | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[Then | None, Any, tuple[str, ...]]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def do(self, act: Act, then: Then | None = None) -> None:
        """Queues an order."""
        if self._is_closed:
            return
        self._orders.put((act, then))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="history", daemon=True)
            self._thread.start()

    def finish(self, timeout: float = 10.0) -> bool:
        """Waits until all that was ordered is done and delivered. Returns whether it was, within `timeout` seconds."""
        is_done = threading.Event()
        if self._thread is not None:
            self._orders.put(is_done)
            if not is_done.wait(timeout):
                return False
        self._deliver()
        return True

    def close(self, timeout: float = 10.0) -> bool:
        """Ends the thread when all that was ordered is done, and delivers nothing more. Returns whether it ended."""
        self._is_closed = True
        if self._thread is None:
            return True
        self._orders.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        from app.history.store import Store  # not needed for the window's start

        store = Store(self._path)
        while (order := self._orders.get()) is not None:
            if isinstance(order, threading.Event):
                order.set()
            else:
                self._carry_out(store, *order)
        store.close()

    def _carry_out(self, store: Store, act: Act, then: Then | None) -> None:
        from app.history.database import HistoryError

        answer: Any = None
        problems: list[str] = []
        try:
            answer = act(store)
        except HistoryError as error:
            then, problems = None, [str(error)]
        except Exception as error:
            log.exception("the history failed")
            then = None
            problems = [f"The history of runs failed ({type(error).__name__}). Your text is not affected."]
        problems += store.take_problems()
        self._answers.put((then, answer, tuple(problems)))
        if not self._is_closed:
            self._arrived.emit()

    @Slot()
    def _deliver(self) -> None:
        while not self._is_closed and not self._answers.empty():
            then, answer, problems = self._answers.get()
            for problem in problems:
                self.failed.emit(problem)
            if then is not None:
                then(answer)
