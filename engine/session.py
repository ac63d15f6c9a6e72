"""The only door to the engine: `EngineSession` takes requests, a background thread answers with events.

Importing this module imports no torch; the thread does, when it first needs a model.

Every job ends with exactly one of `Cancelled`, `Failed` and its own ending: `Finished` (infill), `ModelReady`
(loading), `Scored`, `Doubted`, `Prewarmed`; frames and progress come before it. Events are delivered on the
engine's thread: `on_event` must be quick and thread-safe (hand the value over, do nothing else).
"""

from __future__ import annotations

import importlib
import itertools
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from engine.errors import EngineError
from engine.types import (
    DoubtRequest,
    Ending,
    Event,
    Failed,
    Frame,
    InfillRequest,
    ModelChoice,
    ModelLoading,
    ScoreRequest,
)

if TYPE_CHECKING:
    from engine.thread import EngineThread, Loader

OnEvent = Callable[[Event], None]
Answer = TypeVar("Answer", bound=Ending)


def load_libraries_first(platform: str = sys.platform) -> bool:
    """To be called before any Qt library is loaded: on Windows torch must be loaded first, later it fails to load
    (torch 2.9 and newer). Elsewhere it does nothing, for it takes a second. Returns whether torch was loaded."""
    if platform != "win32":
        return False
    from engine.device import prepare_process

    prepare_process()
    importlib.import_module("torch")
    return True


def known_models() -> tuple[str, ...]:
    """Names of the models that come with Redraft and of the user's own. Loads none and imports no torch."""
    from engine.models import registry

    return tuple(registry.known_models())


def why_no_model(name: str) -> str:
    """Why there is no usable model of that name or in that folder, in one sentence; empty when there seems to be one.

    Looks at its description and at which files are there, not into the weights.
    """
    from engine.errors import EngineError
    from engine.models.registry import describe

    try:
        describe(name)
    except EngineError as error:
        return str(error)
    return ""


class Job:
    """A request on its way through the engine."""

    def __init__(self, job_id: int, key: str) -> None:
        self.id = job_id
        self.key = key
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Asks the job to stop: it ends with `Cancelled` after at most one more denoising step. Any thread may."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """Whether the job was asked to stop."""
        return self._cancelled.is_set()


class EngineSession:
    """Owns the engine's thread. All methods return at once and may be called from one (the GUI's) thread.

    Args:
        choice: the model to load; it is loaded at the first job, or by `load_model`.
        loader: makes a `ModelAdapter` of a choice; tests put a fake in here.
    """

    def __init__(self, choice: ModelChoice | None = None, *, loader: Loader | None = None) -> None:
        self._choice = choice or ModelChoice()
        self._loader = loader
        self._thread: EngineThread | None = None
        self._ids = itertools.count(1)
        self._live: dict[str, Job] = {}

    def submit(self, request: InfillRequest, on_event: OnEvent, *, key: str = "") -> Job:
        """Queues a request; an older job with the same `key` (one per document) is cancelled first."""
        self._cancel(f"prewarm {key}")
        job = self._new_job(f"run {key}")
        self._running().submit(job, request, on_event)
        return job

    def prewarm(self, request: InfillRequest, on_event: OnEvent, *, key: str = "") -> Job:
        """Queues the computation of the context of a request that may soon come; it ends with `Prewarmed`.

        It never cancels a run of the same document, and the next `submit` or `prewarm` with its `key` cancels it."""
        job = self._new_job(f"prewarm {key}")
        self._running().prewarm(job, request, on_event)
        return job

    def score(self, request: ScoreRequest, on_event: OnEvent, *, key: str = "") -> Job:
        """Queues the scoring of a text; it ends with `Scored`. An older scoring with the same `key` is cancelled."""
        job = self._new_job(f"score {key}")
        self._running().score(job, request, on_event)
        return job

    def doubt(self, request: DoubtRequest, on_event: OnEvent, *, key: str = "") -> Job:
        """Queues the judging of a text's words; it ends with `Doubted`. An older one with its `key` is cancelled."""
        job = self._new_job(f"doubt {key}")
        self._running().doubt(job, request, on_event)
        return job

    def load_model(self, choice: ModelChoice, on_event: OnEvent) -> Job:
        """Loads a model (or loads it again on another device); later requests are answered by it."""
        self._choice = choice
        job = self._new_job("model")
        self._running().load(job, choice, on_event)
        return job

    def unload(self) -> None:
        """Frees the model and its cache once the running job has ended; the next job loads it again."""
        if self._thread is not None:
            self._thread.unload()

    def close(self, timeout: float = 5.0) -> bool:
        """Cancels everything and ends the thread. Returns whether it ended within `timeout` seconds."""
        if self._thread is None:
            return True
        for job in self._live.values():
            job.cancel()
        ended = self._thread.close(timeout)
        self._thread = None
        return ended

    def _new_job(self, key: str) -> Job:
        self._cancel(key)
        job = Job(next(self._ids), key)
        self._live[key] = job
        return job

    def _cancel(self, key: str) -> None:
        older = self._live.get(key)
        if older is not None:
            older.cancel()

    def _running(self) -> EngineThread:
        if self._thread is None:
            from engine.thread import EngineThread  # keeps torch out of the GUI's start

            self._thread = EngineThread(self._choice, self._loader)
            self._thread.start()
        return self._thread


def answer_of(kind: type[Answer], ask: Callable[[OnEvent], object]) -> Answer:
    """Asks for something that ends with a `kind`, and waits: for those who have no window to keep alive.

    Args:
        ask: starts the job and is given what is to be told of its events.

    Raises:
        EngineError: the job failed, with its sentence, or was stopped.
    """
    events: SimpleQueue[Event] = SimpleQueue()
    ask(events.put)
    while isinstance(event := events.get(), Frame | ModelLoading):
        pass
    if isinstance(event, Failed):
        raise EngineError(event.message)
    if not isinstance(event, kind):
        raise EngineError("The job was stopped before its end.")
    return event
