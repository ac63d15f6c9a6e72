"""What passes between a `Reversal` (`engine.reverse`) and whoever drives it: the wish, the passes, the steps done."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from engine.models.base import Feed
from engine.schedule import LogLinearSchedule, NoiseSchedule

if TYPE_CHECKING:
    from torch import Tensor

    from engine.canvas import Placed
    from engine.sampling import SamplingRule


@dataclass(frozen=True, slots=True)
class DenoisingStep:
    """One step was done.

    Attributes:
        step: from 1; steps: how many are planned in all by now, never more than before.
        accepted: positions that became clean in it, or got another token (an ended hole counts as a position).
        remasked: positions that are masked again.
    """

    step: int
    steps: int
    accepted: tuple[int, ...]
    remasked: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DenoiseSettings:
    """What a run needs to know beside the canvas."""

    steps: int
    alpha_0: float
    rule: SamplingRule
    sampler: str = "ancestral"
    schedule: NoiseSchedule = field(default_factory=LogLinearSchedule)
    redraw_ends: bool = False
    """Whether the ends of holes are drawn once more when their text stands (`engine.ends`)."""


class Pass(NamedTuple):
    """A forward pass to be made.

    `kept`: how many accepted tokens that were fed before still hold; the cache must end after them. `seen`: see
    `ModelAdapter.step`.
    """

    feed: Feed
    kept: int
    seen: Sequence[int] | None = None


Steps: TypeAlias = "Generator[Pass | DenoisingStep, Tensor, None]"
Changed: TypeAlias = "Generator[Pass, Tensor, tuple[list[int], list[int]]]"
"""Positions that became clean, and positions that were masked again."""


def common_beginning(one: Sequence[Placed], other: Sequence[Placed]) -> int:
    """Length of what both begin with."""
    for place, (ours, theirs) in enumerate(zip(one, other, strict=False)):
        if ours != theirs:
            return place
    return min(len(one), len(other))
