"""The engine's thread: owns the model, turns a denoising generator into events. No algorithm lives here.

A model that fails to load, runs out of memory or raises never ends the thread. Nothing here imports torch at import
time: the thread does when it starts, so that the window need not wait for it.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from engine.device import give_back_memory, is_out_of_memory, prepare_process, settle_objects, yield_to_the_window
from engine.errors import EngineError, OutOfMemoryError
from engine.types import (
    Cancelled,
    DoubtRequest,
    Event,
    Failed,
    InfillRequest,
    ModelChoice,
    ModelLoading,
    ModelReady,
    RunStats,
    ScoreRequest,
)

if TYPE_CHECKING:
    from engine.models.base import ModelAdapter
    from engine.runner import Runner
    from engine.session import Job

log = logging.getLogger(__name__)

OnEvent: TypeAlias = Callable[[Event], None]
Loader: TypeAlias = "Callable[[ModelChoice], ModelAdapter]"


@dataclass(frozen=True, slots=True)
class _Infill:
    job: Job
    request: InfillRequest
    on_event: OnEvent


@dataclass(frozen=True, slots=True)
class _Prewarm:
    job: Job
    request: InfillRequest
    on_event: OnEvent


@dataclass(frozen=True, slots=True)
class _Score:
    job: Job
    request: ScoreRequest
    on_event: OnEvent


@dataclass(frozen=True, slots=True)
class _Doubt:
    job: Job
    request: DoubtRequest
    on_event: OnEvent


@dataclass(frozen=True, slots=True)
class _Load:
    job: Job
    choice: ModelChoice
    on_event: OnEvent


class _Unload:
    """Free the model."""


class _Close:
    """End the thread."""


_Job: TypeAlias = _Infill | _Prewarm | _Score | _Doubt | _Load
_Order: TypeAlias = _Job | _Unload | _Close


class EngineThread:
    """A daemon thread with a queue of orders, worked off one by one."""

    def __init__(self, choice: ModelChoice, loader: Loader | None) -> None:
        self._choice = choice
        self._loader = loader
        self._orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._runner: Runner | None = None

    def start(self) -> None:
        """Starts the thread; returns at once."""
        self._thread.start()

    def submit(self, job: Job, request: InfillRequest, on_event: OnEvent) -> None:
        """Queues an infill."""
        self._orders.put(_Infill(job, request, on_event))

    def prewarm(self, job: Job, request: InfillRequest, on_event: OnEvent) -> None:
        """Queues the computation of a request's context."""
        self._orders.put(_Prewarm(job, request, on_event))

    def score(self, job: Job, request: ScoreRequest, on_event: OnEvent) -> None:
        """Queues the scoring of a text."""
        self._orders.put(_Score(job, request, on_event))

    def doubt(self, job: Job, request: DoubtRequest, on_event: OnEvent) -> None:
        """Queues the judging of a text's words."""
        self._orders.put(_Doubt(job, request, on_event))

    def load(self, job: Job, choice: ModelChoice, on_event: OnEvent) -> None:
        """Queues the loading of a model, which answers all later requests."""
        self._orders.put(_Load(job, choice, on_event))

    def unload(self) -> None:
        """Queues the freeing of the model."""
        self._orders.put(_Unload())

    def close(self, timeout: float) -> bool:
        """Ends the thread once its orders are done (the caller has cancelled them). Returns whether it ended."""
        self._orders.put(_Close())
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        prepare_process()
        yield_to_the_window()
        while not isinstance(order := self._orders.get(), _Close):
            if isinstance(order, _Unload):
                self._forget_model()
            else:
                self._carry_out(order)
        self._forget_model()

    def _forget_model(self) -> None:
        self._runner = None
        give_back_memory()

    def _carry_out(self, order: _Job) -> None:
        """The outermost line of a job: whatever happens, exactly one ending is sent."""
        job = order.job
        try:
            order.on_event(self._answer(order))
        except EngineError as error:
            order.on_event(Failed(job.id, str(error), type(error).__name__))
        except MemoryError:
            order.on_event(self._out_of_memory(job))
        except Exception as error:
            if is_out_of_memory(error):
                order.on_event(self._out_of_memory(job))
                return
            log.exception("job %d failed", job.id)
            sentence = f"The engine failed ({type(error).__name__}: {error}). Your text is unchanged; try again."
            order.on_event(Failed(job.id, sentence, type(error).__name__))

    def _answer(self, order: _Job) -> Event:
        job = order.job
        if job.is_cancelled:
            return Cancelled(job.id, None if isinstance(order, _Load) else order.request, (), RunStats())
        if isinstance(order, _Load):
            return self._load_model(order)
        runner = self._ready_runner(order)
        if isinstance(order, _Prewarm):
            return runner.prewarm(job, order.request)
        if isinstance(order, _Score):
            return runner.score(job, order.request)
        if isinstance(order, _Doubt):
            return runner.doubt(job, order.request)
        return runner.run(job, order.request, order.on_event)

    def _load_model(self, order: _Load) -> Event:
        job = order.job
        self._forget_model()
        self._choice = order.choice
        order.on_event(ModelLoading(job.id, order.choice.name, 0.0))
        runner = self._load_runner()
        order.on_event(ModelLoading(job.id, order.choice.name, 1.0))
        return ModelReady(job.id, runner.info)

    def _ready_runner(self, order: _Infill | _Prewarm | _Score | _Doubt) -> Runner:
        if self._runner is None:
            order.on_event(ModelLoading(order.job.id, self._choice.name, 0.0))
            runner = self._load_runner()
            order.on_event(ModelLoading(order.job.id, self._choice.name, 1.0, runner.info))
            return runner
        return self._runner

    def _load_runner(self) -> Runner:
        from engine.runner import Runner

        if self._loader is not None:
            adapter = self._loader(self._choice)
        else:
            from engine.models.registry import load

            adapter = load(self._choice)
        self._runner = Runner(adapter)
        settle_objects()
        return self._runner

    def _out_of_memory(self, job: Job) -> Failed:
        """Drops the cache, so that the next, smaller job has room."""
        if self._runner is not None:
            self._runner.drop_caches()
        give_back_memory()
        sentence = "Memory ran out. Your text is unchanged; select less, choose a smaller context, or the device “cpu”."
        return Failed(job.id, sentence, OutOfMemoryError.__name__)
