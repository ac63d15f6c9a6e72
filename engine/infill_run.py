"""One infill on its way: from a request to its frames and its ending, measured truly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from engine.borders import drop_doubled_spaces
from engine.cache_pool import CachePool
from engine.canvas import Canvas, Piece
from engine.capacity import find_capacities
from engine.config import Attention
from engine.correction import correct, most_steps
from engine.denoise import DenoiseSettings, DenoisingStep, Prefill, denoise, denoise_batch
from engine.drafting import draft_spans, span_texts
from engine.errors import StoppedError
from engine.framing import canvas_of, frame, mask_doubtful
from engine.likelihood import canvas_likelihood, doubt_span
from engine.samplers.banning import bans_of
from engine.sampling import SamplingRule
from engine.schedule import make_schedule
from engine.types import Cancelled, Event, Finished, Frame, InfillRequest, Mode, RunStats, SpanDraft, Variation

if TYPE_CHECKING:
    from engine.cache import CleanTokenCache
    from engine.models.base import ModelAdapter
    from engine.session import Job

EMPTIES_A_HOLE = 16
"""Empty tokens that a hole may accept before its end is found: about log2 of its capacity, with room to spare."""


class InfillRun:
    """Carries out one request; used once."""

    def __init__(
        self,
        adapter: ModelAdapter,
        pool: CachePool,
        job: Job,
        request: InfillRequest,
        on_event: Callable[[Event], None],
        clock: Callable[[], float],
    ) -> None:
        self._adapter, self._pool, self._job, self._request = adapter, pool, job, request
        self._on_event, self._clock = on_event, clock
        self._stats = RunStats()
        self._canvases: list[Canvas] = []
        self._written_in: dict[int, int] = {}  # variation: steps until it stood whole
        self._correcting: dict[int, int] = {}  # variation: steps that correcting it may still take
        self._judged: dict[int, tuple[float, int]] = {}  # variation: its exact log-likelihood, of how many tokens
        self._shown = 0  # the variation that the frames show
        self._step = 0
        self._started = clock()

    def carry_out(self) -> Finished | Cancelled:
        """Writes all variations; frames go to `on_event`, the ending is returned.

        Raises:
            RequestError: the request cannot be carried out.
        """
        request = self._request
        try:
            pieces = self._pieces()
            self._canvases = [canvas_of(pieces, request, self._adapter.config) for _ in range(request.variations)]
            each = self._most_accepted()
            self._correcting = dict.fromkeys(range(request.variations), most_steps(each, request.correction_passes))
            for group in self._groups():
                self._denoise(group)
        except StoppedError:
            drafts = self._drafts(self._shown, self._step, keep_old=True)
            return Cancelled(self._job.id, request, drafts, self._timed())
        variations = tuple(self._variation(number) for number in range(request.variations))
        return Finished(self._job.id, request, variations, self._timed(), self._adapter.info)

    def _variation(self, number: int) -> Variation:
        canvas = self._canvases[number]
        likelihood, judged = self._judged.get(number, (canvas.log_likelihood(), 0))
        return Variation(
            texts=span_texts(canvas, self._adapter.tokenizer, len(self._request.spans)),
            spans=self._drafts(number, step=0),
            seed=self._request.seed + number,
            log_likelihood=likelihood,
            judged=judged,
        )

    def _pieces(self) -> list[Piece]:
        request = self._request
        pieces = frame(request, self._adapter.config, self._adapter.tokenizer)
        if request.mode is not Mode.REFINE:
            is_given = request.capacity is not None or request.length_factor is not None
            has_length = self._adapter.config.special_tokens.empty is not None or is_given
            return pieces if has_length else find_capacities(self._adapter, self._pool.lease, pieces, self._check)

        def doubt(all_pieces: Sequence[Piece], index: int) -> list[float]:
            self._check()
            return doubt_span(self._adapter, self._pool.lease, all_pieces, index, request.context_order)

        return mask_doubtful(pieces, request.strength, doubt)

    def _groups(self) -> Iterator[range]:
        """Variations that are written in one batch: as many as the cache has room for beside the shared context. In
        Eso-LM (A) none is shared, and each would hold a cache of its own through all of the batch."""
        canvas, size = self._canvases[0], 1
        if self._adapter.config.attention is Attention.CAUSAL:
            room = self._pool.lease(canvas.context).room - len(canvas.context)
            size = max(1, room // max(1, self._most_accepted()))
        for start in range(0, len(self._canvases), size):
            yield range(start, min(start + size, len(self._canvases)))

    def _most_accepted(self) -> int:
        """Tokens that a canvas accepts at most, ends of holes among them."""
        canvas = self._canvases[0]
        return len(canvas.masked()) + EMPTIES_A_HOLE * len(canvas.holes)

    def _denoise(self, group: range) -> None:
        cache = self._pool.lease(self._canvases[0].context)
        canvases = [self._canvases[number] for number in group]
        generators = [torch.Generator().manual_seed(self._request.seed + number) for number in group]
        progress: Iterator[Prefill | DenoisingStep | tuple[DenoisingStep | None, ...]]
        if len(group) == 1:
            progress = denoise(self._adapter, cache, canvases[0], self._settings(), generators[0])
        else:
            progress = denoise_batch(self._adapter, cache, canvases, self._settings(), generators)
        for report in progress:
            if isinstance(report, Prefill):
                self._note_prefill(report, group)
            else:
                self._note_pass(report if isinstance(report, tuple) else (report,), group)
            self._check()
        if self._request.correction_passes:
            for number, generator in zip(group, generators, strict=True):
                self._correct(number, cache, generator, group)
        if self._request.mode is not Mode.REFINE:  # which keeps the number of tokens
            self._drop_doubled_spaces(group)
        if self._is_judged:
            for number in group:
                self._judged[number] = canvas_likelihood(self._adapter, cache, self._canvases[number])
                self._check()

    def _drop_doubled_spaces(self, group: range) -> None:
        has_least = self._request.length_factor is not None or self._request.least_tokens is not None
        for number in group:
            drop_doubled_spaces(self._canvases[number], self._adapter.tokenizer, self._step, keep_least=has_least)

    @property
    def _is_judged(self) -> bool:
        """Several results are ranked, and parallel steps know too little of one another for that."""
        return self._request.variations > 1

    def _correct(self, number: int, cache: CleanTokenCache, generator: torch.Generator, group: range) -> None:
        canvas, passes = self._canvases[number], self._request.correction_passes
        self._correcting[number] = most_steps(len(canvas.accepted), passes)
        written_in = self._written_in.get(number, 0)
        with closing(correct(self._adapter, cache, canvas, self._settings(), generator, passes)) as steps:
            for step in steps:
                self._correcting[number] = step.steps - step.step
                self._count_pass()
                self._send(number, step.step, written_in + step.step, written_in + step.steps, self._left(0, group))
                self._check()
        self._correcting[number] = 0

    def _settings(self) -> DenoiseSettings:
        request, special = self._request, self._adapter.config.special_tokens
        bans = bans_of(self._adapter.tokenizer, request.banned)
        rule = SamplingRule(
            request.temperature,
            request.top_p,
            (*special.never_written(), *self._adapter.tokenizer.wordless_ids, *bans.tokens),
            special.empty,
            request.top_k,
            request.min_p,
            request.repetition_penalty,
            bans.runs,
        )
        schedule = make_schedule(request.schedule)
        has_free_ends = request.mode is not Mode.REFINE
        return DenoiseSettings(request.steps, request.alpha_0, rule, request.sampler, schedule, has_free_ends)

    def _check(self) -> None:
        if self._job.is_cancelled:
            raise StoppedError

    def _note_prefill(self, prefill: Prefill, group: range) -> None:
        if group.start == 0:
            self._stats = replace(
                self._stats,
                reused_tokens=prefill.reused,
                computed_tokens=prefill.computed,
                prefill_ms=self._elapsed_ms(),
            )

    def _note_pass(self, steps: Sequence[DenoisingStep | None], group: range) -> None:
        """A forward pass was made: the frame shows the first variation of the group that is not done yet."""
        done = {number: step for number, step in zip(group, steps, strict=True) if step is not None}
        shown, step = next(iter(done.items()))
        self._written_in |= {number: step.step for number, step in done.items()}
        self._count_pass()
        longest = max(step.steps - step.step for step in done.values())
        left = self._left(longest, group, each=step.steps)
        self._send(shown, step.step, step.step, step.steps + self._correcting[shown], left)

    def _count_pass(self) -> None:
        elapsed = self._elapsed_ms()
        self._stats = replace(
            self._stats,
            nfe=self._stats.nfe + 1,
            written_tokens=sum(len(canvas.written) for canvas in self._canvases),
            elapsed_ms=elapsed,
            first_frame_ms=self._stats.first_frame_ms or elapsed,
        )

    def _left(self, longest: int, group: range, each: int = 0) -> int:
        """Forward passes that are still to be made: for this group, for the groups after it, for corrections, and one
        for each result that is to be judged."""
        groups = -(-(self._request.variations - group.stop) // len(group))
        judging = self._request.variations - len(self._judged) if self._is_judged else 0
        written_in = each or max(self._written_in.values(), default=0)
        return longest + groups * written_in + sum(self._correcting.values()) + judging

    def _send(self, shown: int, drawn: int, step: int, steps: int, left: int) -> None:
        """Sends a frame of variation `shown` with what step `drawn` wrote marked."""
        self._shown, self._step = shown, drawn
        a_pass = (self._stats.elapsed_ms - self._stats.prefill_ms) / self._stats.nfe
        drafts = self._drafts(shown, drawn)
        self._on_event(Frame(self._job.id, step, steps, drafts, self._stats, shown, remaining_ms=a_pass * left))

    def _drafts(self, number: int, step: int, *, keep_old: bool = False) -> tuple[SpanDraft, ...]:
        if not self._canvases:
            return ()
        spans = len(self._request.spans)
        return draft_spans(self._canvases[number], self._adapter.tokenizer, spans, step, keep_old=keep_old)

    def _elapsed_ms(self) -> float:
        return 1000.0 * (self._clock() - self._started)

    def _timed(self) -> RunStats:
        return replace(self._stats, elapsed_ms=self._elapsed_ms())
