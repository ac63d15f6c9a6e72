"""Correction passes: a finished text is judged once more, its doubtful words are masked again and written anew.

After P2 and ReMDM (arXiv 2502.03540, 2503.00307), which remask while they write; here the whole text stands already, so
every word is judged, and rewritten, with all the others on both sides. The steps of a pass, numbered once:

1. Judge: the exact log-likelihood of every written token, along the text from left to right and from right to left.
2. Mask the tokens whose mean of both is below `DOUBTFUL`, the least likely first, at most the share `MOST_REMASKED`.
3. Denoise these, with alpha_0, steps and sampling options of the run. Lengths stay as they are.
4. Judge again, and keep the text whose exact likelihood from left to right is higher: a pass never lowers it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.canvas import Canvas, Placed
from engine.denoise import drive
from engine.likelihood import CHUNK, along_in_chunks
from engine.passes import DenoiseSettings, DenoisingStep

if TYPE_CHECKING:
    import torch

    from engine.cache import CleanTokenCache
    from engine.models.base import ModelAdapter

DOUBTFUL = math.log(0.25)
"""Nats; a token that the model gives more than this is left alone."""
MOST_REMASKED = 0.125
"""Share of the written tokens that one pass masks at most (and at least one token)."""


BEFORE = -1
"""The step of what was written before the correction."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """Log-likelihoods (nats): of each written token by both of its sides, and of the whole text from left to right."""

    tokens: Mapping[int, float]
    total: float

    def doubtful(self) -> list[int]:
        """Positions to be masked again, ascending."""
        below = (position for position, likelihood in self.tokens.items() if likelihood < DOUBTFUL)
        ranked = sorted(below, key=lambda position: (self.tokens[position], position))
        return sorted(ranked[: _most_remasked(len(self.tokens))])


def most_steps(tokens: int, passes: int) -> int:
    """Forward passes that `correct` takes at most for so many accepted tokens."""
    if not tokens or not passes:
        return 0
    return _judging(tokens) + passes * (_most_remasked(tokens) + _judging(tokens))


def correct(
    adapter: ModelAdapter,
    cache: CleanTokenCache,
    canvas: Canvas,
    settings: DenoiseSettings,
    generator: torch.Generator,
    passes: int,
) -> Generator[DenoisingStep, None, None]:
    """Corrects a canvas without masks; `cache` begins with its context.

    Whoever stops in the middle closes the generator, which then puts the words of the last whole text back.

    Yields:
        A `DenoisingStep` a forward pass; the steps planned are at most `most_steps`. It ends early where nothing is
        doubtful or nothing new would come.
    """
    settings = replace(settings, sampler="ancestral", redraw_ends=False)  # take nothing else back
    canvas.written.update({position: replace(old, step=BEFORE) for position, old in canvas.written.items()})
    tokens, done = len(canvas.accepted), 0
    planned = most_steps(tokens, passes)
    judged = None
    for left in range(passes, 0, -1):
        if judged is None:
            judged = yield from _judge(adapter, cache, canvas, done, planned)
            done += _judging(tokens)
        doubtful = judged.doubtful()
        if not doubtful:
            return
        planned = done + most_steps(tokens, left) - _judging(tokens)
        with _kept_unless_better(canvas, doubtful) as keep:
            cache.truncate(len(canvas.context))
            for step in drive(adapter, cache, canvas, settings, generator, done=done):
                yield replace(step, steps=planned)
                done = step.step
            again = yield from _judge(adapter, cache, canvas, done, planned)
            done += _judging(tokens)
            if again.total > judged.total:
                keep()
                judged = again
            elif settings.rule.temperature == 0:  # the next pass would write the same
                return


@contextmanager
def _kept_unless_better(canvas: Canvas, doubtful: Sequence[int]) -> Iterator[Callable[[], None]]:
    """Masks tokens again, without letting their holes end earlier; their old tokens come back at the end, unless what
    is handed out was called."""
    old = {position: canvas.written[position] for position in doubtful}
    least = {id(hole): (hole, hole.least) for hole in canvas.holes}
    kept = []
    for hole in canvas.holes:
        hole.least = hole.end - hole.start
    canvas.remask(doubtful)
    try:
        yield lambda: kept.append(True)
    finally:
        for hole, before in least.values():
            hole.least = before
        if not kept:
            canvas.remask(doubtful)
            for position, written in old.items():
                canvas.accept(position, written)


def _judge(
    adapter: ModelAdapter, cache: CleanTokenCache, canvas: Canvas, done: int, planned: int
) -> Generator[DenoisingStep, None, _Judged]:
    """Steps 1 and 4. The ends of holes are told first: lengths are not judged."""
    ends = [placed for placed in canvas.accepted if placed.position not in canvas.written]
    tokens = [Placed(canvas.written[position].token, position) for position in sorted(canvas.written)]
    directions: list[list[float]] = []
    for order in (tokens, tokens[::-1]):
        likelihoods: list[float] = []
        cache.truncate(len(canvas.context))
        for chunk in along_in_chunks(adapter, cache, [*ends, *order]):
            likelihoods += chunk
            done += 1
            yield DenoisingStep(done, planned, ())
        directions.append(likelihoods[len(ends) :])
    forwards, backwards = directions[0], directions[1][::-1]
    means = {placed.position: (one + other) / 2 for placed, one, other in zip(tokens, forwards, backwards, strict=True)}
    return _Judged(means, math.fsum(forwards))


def _judging(tokens: int) -> int:
    """Forward passes of one judgement."""
    return 2 * -(-tokens // CHUNK)


def _most_remasked(tokens: int) -> int:
    return max(1, int(MOST_REMASKED * tokens))
