"""The engine's events as signals on the GUI thread. Frames may be dropped on the way, endings never are.

The engine's thread only puts plain values into a mailbox and, when none is waiting yet, posts one signal. So however
fast the engine is, the window has one event to handle at a time, and that one holds the latest frame of each job.
"""

from __future__ import annotations

import itertools
import logging
import threading
from typing import Protocol

from PySide6.QtCore import QObject, Qt, Signal, Slot

from engine.session import Job, OnEvent
from engine.types import (
    Cancelled,
    Doubted,
    DoubtRequest,
    Event,
    Failed,
    Finished,
    Frame,
    InfillRequest,
    ModelChoice,
    ModelLoading,
    ModelReady,
)

log = logging.getLogger(__name__)


OFF = "The model is switched off. Switch it on with “Use the Model” in the View menu."


class Session(Protocol):
    """What is needed of an EngineSession; tests put a stepped one in its place."""

    def submit(self, request: InfillRequest, on_event: OnEvent, *, key: str = "") -> Job: ...

    def prewarm(self, request: InfillRequest, on_event: OnEvent, *, key: str = "") -> Job: ...

    def doubt(self, request: DoubtRequest, on_event: OnEvent, *, key: str = "") -> Job: ...

    def load_model(self, choice: ModelChoice, on_event: OnEvent) -> Job: ...

    def unload(self) -> None: ...

    def close(self, timeout: float = 5.0) -> bool: ...


class Mailbox:
    """The latest frame of each job, and every ending, until someone takes them. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._passing: dict[tuple[int, bool], Frame | ModelLoading] = {}
        self._endings: list[Event] = []
        self._is_announced = False

    def put(self, event: Event) -> bool:
        """Leaves an event. Returns whether the taker has to be told: not when it was told before and has not come."""
        with self._lock:
            if isinstance(event, Frame | ModelLoading):
                self._passing[event.job_id, isinstance(event, Frame)] = event
            else:
                self._endings.append(event)
            was_announced, self._is_announced = self._is_announced, True
            return not was_announced

    def take(self) -> list[Event]:
        """Empties the mailbox: frames and progress first, then the endings in the order they came."""
        with self._lock:
            events = [*self._passing.values(), *self._endings]
            self._passing, self._endings, self._is_announced = {}, [], False
            return events


class EngineBridge(QObject):
    """Submits to an engine session and emits what it answers, always on the thread the bridge was made on."""

    frame = Signal(object)
    finished = Signal(object)
    doubted = Signal(object)
    cancelled = Signal(object)
    failed = Signal(object)
    """Failed, of an infill or of judging words."""
    model_state = Signal(object)
    """ModelLoading, ModelReady, or Failed of a model's loading, also of one that an infill needs first."""

    _arrived = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._mailbox = Mailbox()
        self._loading: set[int] = set()
        self._loading_first: set[int] = set()  # infills that found no model and load one
        self._is_closed = False
        self._is_ready = False
        self._is_on = True
        self._refused = itertools.count(-1, -1)
        self._model_name = ""
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def is_on(self) -> bool:
        """Whether there is an engine to ask."""
        return self._is_on

    def switch(self, on: bool) -> None:
        """Off ends the engine's thread within a step and frees its model, without waiting for it; whatever is asked
        then fails with a sentence. On, the next thing that is asked begins a new thread."""
        if on == self._is_on:
            return
        self._is_on, self._is_ready = on, False
        if not on:
            self._session.close(timeout=0.0)

    def submit(self, request: InfillRequest, key: str) -> Job:
        """Queues a request; an older one with the same key is cancelled."""
        if not self._is_on:
            return self._refuse(key)
        return self._session.submit(request, self._on_event, key=key)

    @property
    def is_ready(self) -> bool:
        """Whether a model is loaded: what is asked for now costs no loading."""
        return self._is_ready

    @property
    def model_name(self) -> str:
        """The name of the model that answered or was loaded last; empty before that."""
        return self._model_name

    def prewarm(self, request: InfillRequest, key: str) -> None:
        """Has the context of a request computed that may soon come. Nothing is told about it."""
        if not self._is_on:
            return
        self._session.prewarm(request, self._on_event, key=key)

    def doubt(self, request: DoubtRequest, key: str) -> Job:
        """Queues the judging of a text's words; `doubted` answers. An older one with the same key is cancelled."""
        if not self._is_on:
            return self._refuse(key)
        return self._session.doubt(request, self._on_event, key=key)

    def load_model(self, choice: ModelChoice) -> Job:
        """Loads a model; `model_state` tells how it goes."""
        self._is_ready = False
        if not self._is_on:
            return self._refuse("model")
        job = self._session.load_model(choice, self._on_event)
        self._loading.add(job.id)
        return job

    def unload(self) -> None:
        """Frees the model until it is needed again."""
        self._is_ready = False
        self._session.unload()

    def close(self) -> bool:
        """Ends the engine and all that would still be delivered. Returns whether its thread ended."""
        self._is_closed = True
        return self._session.close()

    def _refuse(self, key: str) -> Job:
        job = Job(next(self._refused), key)
        self._on_event(Failed(job.id, OFF, "EngineOffError"))
        return job

    def _on_event(self, event: Event) -> None:
        """Called on the engine's thread."""
        if self._mailbox.put(event) and not self._is_closed:
            self._arrived.emit()

    @Slot()
    def _deliver(self) -> None:
        for event in self._mailbox.take():
            if self._is_closed:
                return
            try:
                self._emit(event)
            except Exception:
                log.exception("could not deliver %s", type(event).__name__)

    def _emit(self, event: Event) -> None:
        is_loading = event.job_id in self._loading
        if not self._is_on and isinstance(event, Frame | ModelLoading | ModelReady):
            return  # of a thread that is ending
        if isinstance(event, Frame):
            self._is_ready = True
            self.frame.emit(event)
        elif isinstance(event, Finished):
            self._model_name = event.model.name
            self.finished.emit(event)
        elif isinstance(event, Doubted):
            self.doubted.emit(event)
        elif isinstance(event, Cancelled):
            self.cancelled.emit(event)
        elif isinstance(event, ModelLoading) and not is_loading:
            self._emit_first_loading(event)
        elif isinstance(event, Failed) and not is_loading:
            if event.job_id in self._loading_first:
                self._emit_model_state(event)
            self.failed.emit(event)
        elif isinstance(event, ModelLoading | ModelReady | Failed):
            self._emit_model_state(event)
        if not isinstance(event, Frame | ModelLoading):
            self._loading.discard(event.job_id)
            self._loading_first.discard(event.job_id)

    def _emit_first_loading(self, event: ModelLoading) -> None:
        if event.info is None:
            self._loading_first.add(event.job_id)
            self._emit_model_state(event)
        else:
            self._loading_first.discard(event.job_id)
            self._emit_model_state(ModelReady(event.job_id, event.info))

    def _emit_model_state(self, event: ModelLoading | ModelReady | Failed) -> None:
        self._is_ready = isinstance(event, ModelReady)
        if isinstance(event, ModelReady):
            self._model_name = event.info.name
        self.model_state.emit(event)
