"""When a hole is full: the first accepted empty token ends it, and structure forbids what would contradict the text.

A hole of a model that knows the *empty* token has more capacity than text. An empty token at a position says that the
text ends before it, so it can stand neither before accepted text nor anywhere in a hole that must keep its length.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from engine.canvas import Canvas, Placed

if TYPE_CHECKING:
    from engine.sampling import SamplingRule


def rows_that_may_end(canvas: Canvas, positions: Sequence[int]) -> list[bool]:
    """For each masked position: whether the empty token may be sampled there."""
    return [canvas.hole_of(position).may_end_at(position) for position in positions]


def rows_that_may_still_end(canvas: Canvas, standing: Sequence[Placed]) -> list[bool]:
    """For each accepted token: whether an empty token might stand in its place (it may be one, or the last text)."""
    holes = [canvas.hole_of(placed.position) for placed in standing]
    return [
        hole.can_shrink and placed.position >= max(hole.last_written, hole.start + hole.least)
        for hole, placed in zip(holes, standing, strict=True)
    ]


class LikeliestEnd:
    """Where a hole most likely ends that is written from left to right, always with the likeliest token.

    The chance of an empty token at a position is the chance that the text ends there, given that it has come so far. So
    the chance of every length is known along the way, and the likeliest one is taken, as of everything else. An empty
    token is rarely likelier than all text at any one position: to wait for that would be to write on and on.

    `position` is the likeliest end so far, `chance` that of an empty token there; -1 and 0 before there is any.
    """

    def __init__(self) -> None:
        self.position, self.chance = -1, 0.0
        self._best = 0.0
        self._left = 1.0

    def pass_by(self, position: int, chance: float) -> bool:
        """Notes the chance of an empty token at `position`, the next to the right; returns whether `self.position` is
        the end: whether no later one can be as likely."""
        here = self._left * chance
        if here > self._best:
            self._best, self.position, self.chance = here, position, chance
        self._left -= here
        return self._left <= self._best


def draw_end(chances: Sequence[float], rule: SamplingRule, uniform: float, *, may_go_on: bool) -> int | None:
    """Where a text that is read from left to right ends, drawn with temperature and nucleus of the rule.

    Args:
        chances: of places from left to right, that the text ends there, given that it has come so far.
        uniform: in [0, 1).
        may_go_on: whether it may end at none of them.

    Returns:
        The index of a place; None where the text goes on, or where no place is possible.
    """
    left, weights = 1.0, []
    for chance in chances:
        weights.append(left * chance)
        left -= weights[-1]
    weights.append(left if may_go_on else 0.0)
    highest = max(weights)
    if highest <= 0.0:
        return None
    if rule.temperature == 0.0:
        place = weights.index(highest)
    else:
        weights = [(weight / highest) ** (1 / rule.temperature) for weight in weights]
        place = _draw(_nucleus(weights, rule.top_p), uniform)
    return place if place < len(chances) else None


def _nucleus(weights: Sequence[float], top_p: float) -> list[float]:
    """The likeliest that together hold `top_p`; the others get nothing."""
    kept, held, total = [0.0] * len(weights), 0.0, math.fsum(weights)
    for place in sorted(range(len(weights)), key=lambda place: -weights[place]):
        if held >= top_p * total:
            break
        kept[place] = weights[place]
        held += weights[place]
    return kept


def _draw(weights: Sequence[float], uniform: float) -> int:
    sums = list(accumulate(weights))
    return next(place for place, held in enumerate(sums) if held > uniform * sums[-1])
