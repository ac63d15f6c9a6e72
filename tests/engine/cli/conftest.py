"""A session that answers at once with what the test has laid down."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from engine.session import Job
from engine.types import (
    Cancelled,
    Cell,
    CellState,
    Event,
    Failed,
    Finished,
    Frame,
    InfillRequest,
    ModelChoice,
    ModelInfo,
    ModelLoading,
    RunStats,
    SpanDraft,
    Variation,
)

INFO = ModelInfo("fake", "test", 1000, 512, "cpu", "float32", 1, (0.0, 1.0))
STATS = RunStats(nfe=3, written_tokens=6, reused_tokens=40, computed_tokens=2, elapsed_ms=50.0, first_frame_ms=9.0)


@dataclass
class Script:
    """What the fake answers, and what it was asked."""

    texts: tuple[str, ...] = ("new text",)
    failure: str | None = None
    interrupts: bool = False
    requests: list[InfillRequest] = field(default_factory=list)
    choices: list[ModelChoice] = field(default_factory=list)
    closed: int = 0
    likelihoods: dict[int, tuple[float, int]] = field(default_factory=dict)
    """By seed: a variation's log-likelihood and how many tokens it counts."""
    texts_of: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """By seed: other texts than `texts`."""


class FakeSession:
    """Stands at the seam: the methods of EngineSession that the command line calls."""

    script: Script

    def __init__(self, choice: ModelChoice) -> None:
        self.script.choices.append(choice)
        self._ids = itertools.count(1)

    def submit(self, request: InfillRequest, on_event: Callable[[Event], None], *, key: str = "") -> Job:
        self.script.requests.append(request)
        job = InterruptingJob(next(self._ids), on_event, request) if self.script.interrupts else Job(1, key)
        for event in self._events(job, request):
            on_event(event)
        return job

    def close(self, timeout: float = 5.0) -> bool:
        self.script.closed += 1
        return True

    def _events(self, job: Job, request: InfillRequest) -> Iterator[Event]:
        yield ModelLoading(job.id, "fake", 0.0)
        if self.script.failure is not None:
            yield Failed(job.id, self.script.failure, "EngineError")
            return
        masked = SpanDraft((Cell("", CellState.MASKED), Cell("word", CellState.REVEALED, 0.9)))
        yield Frame(job.id, 1, 2, (masked,) * len(request.spans), STATS)
        if not self.script.interrupts:
            done = SpanDraft((Cell("a\nword", CellState.DOUBTFUL, 0.1),))
            yield Frame(job.id, 2, 2, (done,) * len(request.spans), STATS)
            yield Finished(job.id, request, tuple(self._variations(request)), STATS, INFO)

    def _variations(self, request: InfillRequest) -> Iterator[Variation]:
        for number in range(request.variations):
            seed = request.seed + number
            texts = self.script.texts_of.get(seed, self.script.texts)
            texts = (texts * len(request.spans))[: len(request.spans)]
            yield Variation(texts, (), seed, *self.script.likelihoods.get(seed, (-1.5, 0)))


class InterruptingJob(Job):
    """A job that ends with Cancelled when it is cancelled."""

    def __init__(self, job_id: int, on_event: Callable[[Event], None], request: InfillRequest) -> None:
        super().__init__(job_id, "")
        self._on_event = on_event
        self._request = request

    def cancel(self) -> None:
        super().cancel()
        self._on_event(Cancelled(self.id, self._request, (), STATS))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """The fake session's script, in the command line's place of the engine."""
    script = Script()
    monkeypatch.setattr(FakeSession, "script", script, raising=False)
    monkeypatch.setattr("engine.cli.filling.EngineSession", FakeSession)
    return script
