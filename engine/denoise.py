"""The reverse process: from a canvas of masks to text, one generator, one yield per denoising step.

It knows no threads, clocks, queues or callbacks; whoever iterates it owns stopping. The steps, numbered once:

1. Prefill: compute the context's keys and values in blocks, on top of what the cache already holds.
2. Plan: split the masked positions by alpha_0, put them in order (Eso-LM, arXiv 2506.01928, section 3).
3. Diffusion phase: at most `steps` parallel steps. Feed [tokens accepted in the last step] + [masks of this step]; keep
   the keys and values of the clean ones (section 4.2). What a sampler takes back is masked again: the cache then ends
   before the first such token of the order, and what stood after it is fed once more.
4. Sequential phase: what is left, one position at a time, left to right.
5. Ends: where a hole ends is drawn again, given its text (`engine.ends`).

Steps 2 to 5 are `engine.reverse`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from engine.cache import BLOCK
from engine.canvas import Canvas, Placed
from engine.config import Attention
from engine.passes import DenoiseSettings, DenoisingStep, Pass, Steps
from engine.reverse import Reversal
from engine.samplers import make_sampler

if TYPE_CHECKING:
    import torch

    from engine.cache import CleanTokenCache
    from engine.models.base import Feed, ModelAdapter

__all__ = ["DenoiseSettings", "DenoisingStep", "Prefill", "Progress", "denoise", "denoise_batch", "drive", "prefill"]

PREFILL_BLOCKS_A_YIELD = 4


@dataclass(frozen=True, slots=True)
class Prefill:
    """Part of the context was computed. Counts of tokens: `reused` from the cache, `computed` so far, `total`."""

    reused: int
    computed: int
    total: int


Progress: TypeAlias = Prefill | DenoisingStep


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
    yield from drive(adapter, cache, canvas, settings, generator)


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
    if make_sampler(settings.sampler).remasks or settings.rule.temperature == 0.0:
        yield from _one_after_the_other(adapter, cache, canvases, settings, generators)
        return
    room = cache.room - len(cache)
    context = len(cache)
    reversals = [
        Reversal(number, canvas, settings, generator, room=room)
        for number, (canvas, generator) in enumerate(zip(canvases, generators, strict=True))
    ]
    runs = [reversal.writing() for reversal in reversals]
    asks = [next(run, None) for run in runs]
    while feeds := [ask.feed for ask in asks if isinstance(ask, Pass)]:
        logits = iter(adapter.step_batch(cache, feeds))
        done = [run.send(next(logits)) if ask is not None else None for run, ask in zip(runs, asks, strict=True)]
        yield tuple(step if isinstance(step, DenoisingStep) else None for step in done)
        asks = [next(run, None) if step is not None else None for run, step in zip(runs, done, strict=True)]
    for number, reversal in enumerate(reversals):  # only the cache's end can be forgotten, so they take turns
        for ended in _carry_out(adapter, cache, context, reversal.ending()):
            yield tuple(ended if other == number else None for other in range(len(canvases)))


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


def drive(
    adapter: ModelAdapter,
    cache: CleanTokenCache,
    canvas: Canvas,
    settings: DenoiseSettings,
    generator: torch.Generator,
    *,
    done: int = 0,
) -> Iterator[DenoisingStep]:
    """Steps 2 to 5 on a cache that holds the context. Steps are counted from `done` on."""
    context = len(cache)
    run = Reversal(0, canvas, settings, generator, room=cache.room - context, done=done)
    yield from _carry_out(adapter, cache, context, run.steps())


def _carry_out(adapter: ModelAdapter, cache: CleanTokenCache, context: int, run: Steps) -> Iterator[DenoisingStep]:
    """Makes the passes of one canvas, on top of the first `context` tokens of the cache."""
    item = next(run, None)
    while item is not None:
        if isinstance(item, Pass):
            if context + item.kept < len(cache):
                cache.truncate(context + item.kept)
            seen = _seen(adapter, item.feed) if item.seen is None else item.seen
            item = run.send(adapter.step(cache, item.feed.clean, item.feed.masked, seen=seen))
        else:
            yield item
            item = next(run, None)


def _one_after_the_other(
    adapter: ModelAdapter,
    cache: CleanTokenCache,
    canvases: Sequence[Canvas],
    settings: DenoiseSettings,
    generators: Sequence[torch.Generator],
) -> Iterator[tuple[DenoisingStep | None, ...]]:
    """A batch whose sampler takes tokens back: the variations share one cache, of which only the end can be forgotten,
    so they take turns on the context."""
    context = len(cache)
    for number, (canvas, generator) in enumerate(zip(canvases, generators, strict=True)):
        cache.truncate(context)
        for step in drive(adapter, cache, canvas, settings, generator):
            yield tuple(step if other == number else None for other in range(len(canvases)))


def _seen(adapter: ModelAdapter, feed: Feed) -> Sequence[int] | None:
    """Only Eso-LM (A) attends in another way in the sequential phase."""
    return feed.seen() if adapter.config.attention is Attention.MIXED2 else None
