"""One loaded model at work: carries out a request from text to text, step by step, and measures it truly."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from engine.cache_pool import CachePool
from engine.denoise import prefill
from engine.doubt import doubt
from engine.errors import StoppedError
from engine.framing import canvas_of, frame
from engine.infill_run import InfillRun
from engine.models.uncached import UncachedAdapter
from engine.scoring import bits_per_byte, bound, score
from engine.types import (
    Cancelled,
    Doubted,
    DoubtRequest,
    Event,
    Finished,
    InfillRequest,
    ModelInfo,
    Prewarmed,
    RunStats,
    Scored,
    ScoreRequest,
    TokenScore,
    WordDoubt,
)

if TYPE_CHECKING:
    from engine.models.base import ModelAdapter
    from engine.session import Job

Clock = Callable[[], float]


class Runner:
    """Keeps the model's caches between requests."""

    def __init__(self, adapter: ModelAdapter, clock: Clock = time.perf_counter) -> None:
        self._adapter = adapter
        self._clock = clock
        self._pool = CachePool(adapter.new_cache)

    @property
    def info(self) -> ModelInfo:
        """The model's particulars."""
        return self._adapter.info

    def drop_caches(self) -> None:
        """Frees the memory of the caches and of what the model keeps beside its weights."""
        self._pool.clear()
        self._adapter.release()

    def run(self, job: Job, request: InfillRequest, on_event: Callable[[Event], None]) -> Finished | Cancelled:
        """Carries out a request; frames go to `on_event`, the ending is returned.

        Raises:
            RequestError: the request cannot be carried out.
        """
        adapter: ModelAdapter = self._adapter
        pool = self._pool
        if not request.use_cache:
            adapter = UncachedAdapter(adapter)
            pool = CachePool(adapter.new_cache)
        return InfillRun(adapter, pool, job, request, on_event, self._clock).carry_out()

    def prewarm(self, job: Job, request: InfillRequest) -> Prewarmed | Cancelled:
        """Computes the context of a request that may soon come, so that it costs only the denoising then.

        Raises:
            RequestError: the request could not be carried out.
        """
        started = self._clock()
        pieces = frame(request, self._adapter.config, self._adapter.tokenizer)
        context = canvas_of(pieces, request, self._adapter.config).context
        stats = RunStats()
        for progress in prefill(self._adapter, self._pool.lease(context), context):
            elapsed = 1000.0 * (self._clock() - started)
            stats = RunStats(
                reused_tokens=progress.reused,
                computed_tokens=progress.computed,
                elapsed_ms=elapsed,
                prefill_ms=elapsed,
            )
            if job.is_cancelled:
                return Cancelled(job.id, request, (), stats)
        return Prewarmed(job.id, stats)

    def score(self, job: Job, request: ScoreRequest) -> Scored | Cancelled:
        """How likely the request's text is, token by token.

        Raises:
            RequestError: there is nothing to score, or it is too large.
        """
        tokens: list[TokenScore] = []

        def check() -> None:
            if job.is_cancelled:
                raise StoppedError

        try:
            for part in score(self._adapter, self._pool.lease, request):
                tokens += part
                check()
            bounds = bound(self._adapter, self._pool.lease, request, check)
        except StoppedError:
            return Cancelled(job.id, request, (), RunStats())
        return Scored(job.id, request, tuple(tokens), bits_per_byte(request.text, tokens), self.info, bounds)

    def doubt(self, job: Job, request: DoubtRequest) -> Doubted | Cancelled:
        """How likely each word of the request's text is where it stands; may be stopped after every word.

        Raises:
            RequestError: there is nothing to judge.
        """
        words: list[WordDoubt] = []
        with closing(doubt(self._adapter, self._pool.lease, request)) as parts:
            for part in parts:
                words += part
                if job.is_cancelled:
                    return Cancelled(job.id, request, (), RunStats())
        return Doubted(job.id, request, tuple(words), self.info)
