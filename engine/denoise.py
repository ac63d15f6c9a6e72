"""The reverse process: from a canvas of masks to text, one generator, one yield per denoising step.

It knows no threads, clocks, queues or callbacks; whoever iterates it owns stopping. The steps, numbered once:

1. Prefill: compute the context's keys and values in blocks, on top of what the cache already holds.
2. Plan: split the masked positions by alpha_0, shuffle the diffusion share (Eso-LM, arXiv 2506.01928, section 3).
3. Diffusion phase: at most `steps` parallel steps. Feed [tokens accepted in the last step] + [masks of this step]; keep
   the keys and values of the clean ones (section 4.2).
4. Sequential phase: what is left, one position at a time, left to right.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from engine.cache import BLOCK
from engine.canvas import Canvas, Placed, Written
from engine.config import Attention
from engine.models.base import Feed
from engine.samplers import Proposal, Sampler, make_sampler
from engine.schedule import LogLinearSchedule, NoiseSchedule, reveal_count, split_by_alpha_0
from engine.stopping import rows_that_may_end

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from engine.cache import CleanTokenCache
    from engine.models.base import ModelAdapter
    from engine.sampling import SamplingRule

PREFILL_BLOCKS_A_YIELD = 4


@dataclass(frozen=True, slots=True)
class Prefill:
    """Part of the context was computed. Counts of tokens: `reused` from the cache, `computed` so far, `total`."""

    reused: int
    computed: int
    total: int


@dataclass(frozen=True, slots=True)
class DenoisingStep:
    """One step was done: positions that became clean in it (an ended hole counts as a position), and how many steps
    are planned in all by now."""

    step: int
    steps: int
    accepted: tuple[int, ...]


Progress: TypeAlias = Prefill | DenoisingStep


@dataclass(frozen=True, slots=True)
class DenoiseSettings:
    """What a run needs to know beside the canvas."""

    steps: int
    alpha_0: float
    rule: SamplingRule
    sampler: str = "ancestral"
    schedule: NoiseSchedule = field(default_factory=LogLinearSchedule)


def denoise(
    adapter: ModelAdapter,
    cache: CleanTokenCache,
    canvas: Canvas,
    settings: DenoiseSettings,
    generator: torch.Generator,
) -> Generator[Progress, None, None]:
    """Writes the canvas's holes, changing `canvas` and `cache` as it goes.

    Args:
        cache: of this adapter; whatever it holds, the result is the same.
        generator: on the CPU, seeded by the caller.

    Yields:
        `Prefill` while the context is computed, then one `DenoisingStep` a forward pass. The canvas may be read
        between yields. After a stop in the middle the cache stays valid.
    """
    yield from prefill(adapter, cache, canvas.context)
    run = _Run(0, canvas, settings, generator).steps()
    item = next(run, None)
    while item is not None:
        if isinstance(item, Feed):
            item = run.send(adapter.step(cache, item.clean, item.masked, seen=_seen(adapter, item)))
        else:
            yield item
            item = next(run, None)


def denoise_batch(
    adapter: ModelAdapter,
    cache: CleanTokenCache,
    canvases: Sequence[Canvas],
    settings: DenoiseSettings,
    generators: Sequence[torch.Generator],
) -> Generator[Prefill | tuple[DenoisingStep | None, ...], None, None]:
    """Variations of one request in one batch: canvases with the same context, each with its own generator.

    Yields:
        `Prefill` while the shared context is computed, then for every forward pass what it did for each canvas (None
        for those that are done).
    """
    yield from prefill(adapter, cache, canvases[0].context)
    runs = [
        _Run(number, canvas, settings, generator).steps()
        for number, (canvas, generator) in enumerate(zip(canvases, generators, strict=True))
    ]
    asks = [next(run, None) for run in runs]
    while feeds := [ask for ask in asks if isinstance(ask, Feed)]:
        logits = iter(adapter.step_batch(cache, feeds))
        done = [run.send(next(logits)) if ask is not None else None for run, ask in zip(runs, asks, strict=True)]
        yield tuple(step if isinstance(step, DenoisingStep) else None for step in done)
        asks = [next(run, None) if step is not None else None for run, step in zip(runs, done, strict=True)]


def prefill(adapter: ModelAdapter, cache: CleanTokenCache, context: Sequence[Placed]) -> Iterator[Prefill]:
    """Step 1: makes the cache hold exactly the context."""
    reused = cache.reuse(context)
    for count, start in enumerate(range(reused, len(context), BLOCK), start=1):
        block = context[start : start + BLOCK]
        adapter.step(cache, block, (), as_block=True)
        if count % PREFILL_BLOCKS_A_YIELD == 0 or len(cache) == len(context):
            yield Prefill(reused, len(cache) - reused, len(context))
    if reused == len(context):
        yield Prefill(reused, 0, len(context))


_Asking: TypeAlias = "Generator[Feed | DenoisingStep, Tensor, None]"
"""Yields a `Feed` to be sent the logits of its masks, then the `DenoisingStep` that came of them."""


class _Run:
    """Steps 2 to 4 of one canvas. It never calls the model: whoever drives it does, for one run or for a batch."""

    def __init__(self, variation: int, canvas: Canvas, settings: DenoiseSettings, generator: torch.Generator) -> None:
        self._variation, self._canvas = variation, canvas
        self._settings, self._generator = settings, generator
        self._fed = 0  # accepted tokens that the model has been given
        self._sampler: Sampler = make_sampler(settings.sampler)
        self._done = 0
        # Step 2.
        masked = canvas.masked()
        parallel, _ = split_by_alpha_0(len(masked), settings.alpha_0)
        self._plan = _shuffled(masked, generator)
        self._quota = parallel
        self._accepted: set[int] = set()

    def steps(self) -> _Asking:
        """Steps 3 and 4."""
        yield from self._diffusion_phase()
        yield from self._sequential_phase()

    def _diffusion_phase(self) -> _Asking:
        """Step 3. Ends when the diffusion share is written, or dropped because its hole ended before it."""
        steps = min(self._settings.steps, self._quota)
        for step in range(steps):
            self._drop_unused()
            if self._quota == 0:
                return
            count = reveal_count(self._settings.schedule, self._quota, step, steps)
            accepted = yield from self._forward(self._sampler.look_at(self._plan, count), count)
            self._quota -= len(accepted)
            sequential = max(0, len(self._canvas.masked()) - self._quota)
            yield self._report(accepted, steps_left=min(steps - step - 1, self._quota) + sequential)

    def _sequential_phase(self) -> _Asking:
        """Step 4."""
        first = True  # it still feeds what the diffusion phase accepted last
        while masked := self._canvas.masked():
            accepted = yield from self._forward(masked[:1], 1, sequential=not first)
            first = False
            yield self._report(accepted, steps_left=len(self._canvas.masked()))

    def _drop_unused(self) -> None:
        """Forgets planned positions that are written, or unused because their hole ended before them. The latter leave
        the quota too: the plan is in random order, so diffusion keeps its share alpha_0 of what is really written."""
        self._plan = [position for position in self._plan if position not in self._accepted]
        self._quota = sum(1 for position in self._plan[: self._quota] if self._canvas.is_masked(position))
        self._plan = [position for position in self._plan if self._canvas.is_masked(position)]

    def _forward(
        self, looked_at: Sequence[int], count: int, *, sequential: bool = False
    ) -> Generator[Feed, Tensor, tuple[int, ...]]:
        """One forward pass: feed what was accepted last and these masks, sample, accept."""
        from engine.sampling import sample

        canvas = self._canvas
        logits = yield Feed(self._variation, canvas.accepted[self._fed :], looked_at, sequential)
        self._fed = len(canvas.accepted)
        drawn = sample(logits, self._settings.rule, rows_that_may_end(canvas, looked_at), self._generator)
        proposal = Proposal(looked_at, drawn.tokens, drawn.probabilities)
        self._done += 1
        accepted = []
        for row in self._sampler.accept(proposal, count):
            written = Written(proposal.tokens[row], proposal.probabilities[row], self._done)
            if canvas.accept(proposal.positions[row], written):
                accepted.append(proposal.positions[row])
        self._accepted.update(accepted)
        return tuple(accepted)

    def _report(self, accepted: tuple[int, ...], *, steps_left: int) -> DenoisingStep:
        return DenoisingStep(self._done, self._done + steps_left, accepted)


def _seen(adapter: ModelAdapter, feed: Feed) -> Sequence[int] | None:
    """Only Eso-LM (A) attends in another way in the sequential phase."""
    return feed.seen() if adapter.config.attention is Attention.MIXED2 else None


def _shuffled(positions: Sequence[int], generator: torch.Generator) -> list[int]:
    import torch

    return [positions[i] for i in torch.randperm(len(positions), generator=generator).tolist()]
