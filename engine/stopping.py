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
