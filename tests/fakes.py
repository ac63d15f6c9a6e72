"""Stand-ins at the project's real seams, stepped by hand: nothing in them waits or knows a clock."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from engine.session import Job, OnEvent
from engine.types import (
    Cancelled,
    Cell,
    CellState,
    Doubted,
    DoubtRequest,
    Failed,
    Finished,
    Frame,
    InfillRequest,
    ModelChoice,
    ModelInfo,
    ModelReady,
    Prewarmed,
    RunStats,
    SpanDraft,
    Variation,
    WordDoubt,
)

FAKE_MODEL = ModelInfo("fake", "fake", 1, 1024, "cpu", "float32", 1, (0.0, 1.0))


def upper(request: InfillRequest) -> tuple[str, ...]:
    """The default answer: the spans in capitals, and WRITTEN ON at a caret."""
    return tuple(request.text[span.start : span.end].upper() or "WRITTEN ON" for span in request.spans)


@dataclass
class SteppedRun:
    """One job of a `SteppedSession`: `allow` lets it do steps, in random-looking but fixed order of tokens."""

    job: Job
    request: InfillRequest
    on_event: OnEvent
    answer: Callable[[InfillRequest], Sequence[str]]
    done: int = 0
    has_ended: bool = False
    sureness: Sequence[float] = (0.9,)
    texts: Sequence[str] = ()
    tokens: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.texts = self.answer(self.request)
        self.tokens = [re.findall(r"\s*\S+|\s+", text) for text in self.texts]

    @property
    def steps(self) -> int:
        """Steps the run takes in all."""
        return self.request.steps

    def allow(self, steps: int = 1) -> None:
        """Does up to so many steps; a job that was cancelled before a step ends instead of doing it."""
        for _ in range(steps):
            if self.has_ended:
                return
            if self.job.is_cancelled:
                self.cancel()
                return
            self.done += 1
            self.on_event(Frame(self.job.id, self.done, self.steps, self.drafts(), self.stats()))
            if self.done == self.steps:
                self.finish()

    def finish(self) -> None:
        """Ends with the whole result at once."""
        self.done, self.has_ended = self.steps, True
        results = tuple(self._variation(number) for number in range(self.request.variations))
        self.on_event(Finished(self.job.id, self.request, results, self.stats(), FAKE_MODEL))

    def cancel(self) -> None:
        """Ends as a stopped job does."""
        self.has_ended = True
        self.on_event(Cancelled(self.job.id, self.request, self.drafts() if self.done else (), self.stats()))

    def fail(self, sentence: str = "The engine failed.") -> None:
        """Ends with an error."""
        self.has_ended = True
        self.on_event(Failed(self.job.id, sentence, "EngineError"))

    def drafts(self) -> tuple[SpanDraft, ...]:
        """The draft after the steps so far."""
        return tuple(SpanDraft(tuple(self._cells(tokens))) for tokens in self.tokens)

    def stats(self) -> RunStats:
        """Figures that look like a run's."""
        written = sum(1 for draft in self.drafts() for cell in draft.cells if cell.text)
        return RunStats(nfe=self.done, written_tokens=written, reused_tokens=10, computed_tokens=5, elapsed_ms=8.0)

    def _variation(self, number: int) -> Variation:
        seed = self.request.seed + number
        sure = self.sureness[number % len(self.sureness)]
        judged = (math.log(sure), 1) if self.request.variations > 1 else (-1.0, 0)
        if not number:
            return Variation(tuple(self.texts), self.drafts(), seed, *judged)
        texts = tuple(self.answer(replace(self.request, seed=seed)))
        drafts = [
            tuple(Cell(token, CellState.ACCEPTED, sure) for token in re.findall(r"\s*\S+|\s+", text)) for text in texts
        ]
        return Variation(texts, tuple(map(SpanDraft, drafts)), seed, *judged)

    def _cells(self, tokens: Sequence[str]) -> list[Cell]:
        order = sorted(range(len(tokens)), key=lambda index: (index * 7919) % 101)
        now = math.ceil(len(tokens) * self.done / self.steps)
        before = math.ceil(len(tokens) * max(0, self.done - 1) / self.steps)
        states = {index: CellState.ACCEPTED if rank < before else CellState.REVEALED
                  for rank, index in enumerate(order[:now])}  # fmt: skip
        return [
            Cell(token, states[index], self.sureness[0]) if index in states else Cell("", CellState.MASKED)
            for index, token in enumerate(tokens)
        ]


class SteppedSession:
    """Has the methods of an EngineSession, runs nothing by itself."""

    def __init__(self, answer: Callable[[InfillRequest], Sequence[str]] = upper) -> None:
        self.answer = answer
        self.sureness: Sequence[float] = (0.9,)
        """The confidence of all cells of a run's variations, one after the other."""
        self.runs: list[SteppedRun] = []
        self.prewarmed: list[InfillRequest] = []
        self.loads: list[tuple[Job, ModelChoice, OnEvent]] = []
        self.doubts: list[tuple[Job, DoubtRequest, OnEvent]] = []
        self.is_closed = False
        self._ids = itertools.count(1)
        self._live: dict[str, Job] = {}

    @property
    def run(self) -> SteppedRun:
        """The newest job."""
        return self.runs[-1]

    def submit(self, request: InfillRequest, on_event: OnEvent, *, key: str = "") -> Job:
        job = self._job(key)
        self.runs.append(SteppedRun(job, request, on_event, self.answer, sureness=self.sureness))
        return job

    def prewarm(self, request: InfillRequest, on_event: OnEvent, *, key: str = "") -> Job:
        job = self._job(f"prewarm {key}")
        self.prewarmed.append(request)
        on_event(Prewarmed(job.id, RunStats()))
        return job

    def doubt(self, request: DoubtRequest, on_event: OnEvent, *, key: str = "") -> Job:
        job = self._job(f"doubt {key}")
        self.doubts.append((job, request, on_event))
        return job

    def answer_doubt(self, words: Sequence[WordDoubt]) -> None:
        """Lets the newest judging of words end with these."""
        job, request, on_event = self.doubts[-1]
        on_event(Doubted(job.id, request, tuple(words), FAKE_MODEL))

    def fail_doubt(self, sentence: str) -> None:
        """Lets the newest judging of words fail."""
        job, _, on_event = self.doubts[-1]
        on_event(Failed(job.id, sentence, "EngineError"))

    def load_model(self, choice: ModelChoice, on_event: OnEvent) -> Job:
        job = self._job("model")
        self.loads.append((job, choice, on_event))
        return job

    def finish_load(self) -> None:
        """Lets the newest load end well."""
        job, _, on_event = self.loads[-1]
        on_event(ModelReady(job.id, FAKE_MODEL))

    def unload(self) -> None:
        pass

    def close(self, timeout: float = 5.0) -> bool:
        self.is_closed = True
        for job in self._live.values():
            job.cancel()
        return True

    def _job(self, key: str) -> Job:
        if key in self._live:
            self._live[key].cancel()
        job = self._live[key] = Job(next(self._ids), key)
        return job
