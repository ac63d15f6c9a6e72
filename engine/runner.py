"""One loaded model at work: carries out a request from text to text, step by step, and measures it truly."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from engine.cache_pool import CachePool
from engine.canvas import Canvas, Piece
from engine.denoise import DenoiseSettings, DenoisingStep, Prefill, denoise, prefill
from engine.drafting import draft_spans, span_texts
from engine.framing import canvas_of, frame, mask_doubtful
from engine.likelihood import doubt_span
from engine.sampling import SamplingRule
from engine.scoring import bits_per_byte, score
from engine.types import (
    Cancelled,
    Event,
    Finished,
    Frame,
    InfillRequest,
    Mode,
    ModelInfo,
    Prewarmed,
    RunStats,
    Scored,
    ScoreRequest,
    SpanDraft,
    TokenScore,
    Variation,
)

if TYPE_CHECKING:
    from engine.models.base import ModelAdapter
    from engine.session import Job

Clock = Callable[[], float]


class _StoppedError(Exception):
    """The job was cancelled between two steps."""


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
        """Frees the caches' memory."""
        self._pool.clear()

    def run(self, job: Job, request: InfillRequest, on_event: Callable[[Event], None]) -> Finished | Cancelled:
        """Carries out a request; frames go to `on_event`, the ending is returned.

        Raises:
            RequestError: the request cannot be carried out.
        """
        if not request.use_cache:
            self._pool.clear()
        run = _Run(self._adapter, self._pool, job, request, on_event, self._clock)
        try:
            return run.carry_out()
        except _StoppedError:
            return run.cancelled()

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
        for part in score(self._adapter, self._pool.lease, request):
            tokens += part
            if job.is_cancelled:
                return Cancelled(job.id, request, (), RunStats())
        return Scored(job.id, request, tuple(tokens), bits_per_byte(request.text, tokens), self.info)


class _Run:
    """One request on its way."""

    def __init__(
        self,
        adapter: ModelAdapter,
        pool: CachePool,
        job: Job,
        request: InfillRequest,
        on_event: Callable[[Event], None],
        clock: Clock,
    ) -> None:
        self._adapter, self._pool, self._job, self._request = adapter, pool, job, request
        self._on_event, self._clock = on_event, clock
        self._stats = RunStats()
        self._canvas: Canvas | None = None
        self._started = clock()
        self._earlier_tokens = 0  # of earlier variations
        self._step = 0

    def carry_out(self) -> Finished:
        """All variations, one after the other on the same context."""
        request, config = self._request, self._adapter.config
        pieces = self._pieces(frame(request, config, self._adapter.tokenizer))
        variations = []
        for number in range(request.variations):
            self._canvas = canvas_of(pieces, request, config)
            self._denoise(number)
            self._earlier_tokens = self._stats.written_tokens
            spans = len(request.spans)
            variations.append(
                Variation(
                    texts=span_texts(self._canvas, self._adapter.tokenizer, spans),
                    spans=draft_spans(self._canvas, self._adapter.tokenizer, spans, step=0),
                    seed=request.seed + number,
                    log_likelihood=self._canvas.log_likelihood(),
                )
            )
        return Finished(self._job.id, request, tuple(variations), self._timed(), self._adapter.info)

    def cancelled(self) -> Cancelled:
        """The ending of a run that was stopped: what was revealed until now."""
        return Cancelled(self._job.id, self._request, self._drafts(), self._timed())

    def _pieces(self, pieces: list[Piece]) -> list[Piece]:
        if self._request.mode is not Mode.REFINE:
            return pieces

        def doubt(all_pieces: Sequence[Piece], index: int) -> list[float]:
            self._check()
            return doubt_span(self._adapter, self._pool.lease, all_pieces, index, self._request.context_order)

        return mask_doubtful(pieces, self._request.strength, doubt)

    def _denoise(self, number: int) -> None:
        assert self._canvas is not None
        generator = torch.Generator().manual_seed(self._request.seed + number)
        self._step = 0
        cache = self._pool.lease(self._canvas.context)
        for progress in denoise(self._adapter, cache, self._canvas, self._settings(), generator):
            if isinstance(progress, Prefill):
                self._note_prefill(progress, number)
            else:
                self._note_step(progress, number)
            self._check()

    def _settings(self) -> DenoiseSettings:
        request, special = self._request, self._adapter.config.special_tokens
        rule = SamplingRule(request.temperature, request.top_p, special.never_written(), special.empty)
        return DenoiseSettings(request.steps, request.alpha_0, rule, request.sampler)

    def _check(self) -> None:
        if self._job.is_cancelled:
            raise _StoppedError

    def _note_prefill(self, progress: Prefill, number: int) -> None:
        if number == 0:
            self._stats = replace(
                self._stats,
                reused_tokens=progress.reused,
                computed_tokens=progress.computed,
                prefill_ms=self._elapsed_ms(),
            )

    def _note_step(self, progress: DenoisingStep, number: int) -> None:
        assert self._canvas is not None
        self._step = progress.step
        elapsed = self._elapsed_ms()
        self._stats = replace(
            self._stats,
            nfe=self._stats.nfe + 1,
            written_tokens=self._earlier_tokens + len(self._canvas.written),
            elapsed_ms=elapsed,
            first_frame_ms=self._stats.first_frame_ms or elapsed,
        )
        a_step = (elapsed - self._stats.prefill_ms) / self._stats.nfe
        steps_left = progress.steps - progress.step + (self._request.variations - number - 1) * progress.steps
        self._on_event(
            Frame(
                self._job.id,
                progress.step,
                progress.steps,
                self._drafts(),
                self._stats,
                variation=number,
                remaining_ms=a_step * steps_left,
            )
        )

    def _drafts(self) -> tuple[SpanDraft, ...]:
        if self._canvas is None:
            return ()
        return draft_spans(self._canvas, self._adapter.tokenizer, len(self._request.spans), self._step)

    def _elapsed_ms(self) -> float:
        return 1000.0 * (self._clock() - self._started)

    def _timed(self) -> RunStats:
        return replace(self._stats, elapsed_ms=self._elapsed_ms())
