"""When a hole is full: the first accepted empty token ends it, and structure forbids what would contradict the text.

A hole of a model that knows the *empty* token has more capacity than text. An empty token at a position says that the
text ends before it, so it can stand neither before accepted text nor anywhere in a hole that must keep its length.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.canvas import Canvas, Placed


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
    """

    def __init__(self) -> None:
        self.position = -1
        self._best = 0.0
        self._left = 1.0

    def pass_by(self, position: int, chance: float) -> bool:
        """Notes the chance of an empty token at `position`, the next to the right; returns whether `self.position` is
        the end: whether no later one can be as likely."""
        here = self._left * chance
        if here > self._best:
            self._best, self.position = here, position
        self._left -= here
        return self._left <= self._best
