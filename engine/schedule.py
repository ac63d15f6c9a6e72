"""Schedules: which positions diffusion writes, in which order, and how many of them each denoising step reveals.

Of a canvas's masked positions a share alpha_0 is written in parallel steps, the rest one by one from left to right
(Eso-LM, arXiv 2506.01928, section 3). A schedule says how the parallel part goes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from engine.errors import RequestError

if TYPE_CHECKING:
    import torch


_DUST = 1e-9
"""What rounding may add to a whole number: 4 · (1 / 4 + 1e-16) positions are 4, not 5."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run goes if nothing happens on the way.

    Attributes:
        order: all masked positions; the first `parallel` are written by diffusion, the others left to right after it.
        shares: for each parallel step the share of what is still masked of `parallel` that it reveals (`reveal_count`);
            the last is 1.
    """

    order: list[int]
    parallel: int
    shares: list[float]


class NoiseSchedule:
    """Base of the schedules: a share alpha_0, random order, and counts that follow alpha(t).

    alpha(t) is the share of tokens that is clean at time t; alpha(0) = 1, alpha(1) = 0; a run goes from t = 1 to 0.
    """

    name: ClassVar[str]

    def alpha(self, t: float) -> float:
        """Share of clean tokens at time t in [0, 1]: 1 - t, so equally many tokens at every step."""
        return 1.0 - t

    def plan(self, masked: Sequence[int], alpha_0: float, steps: int, generator: torch.Generator) -> Plan:
        """A plan for the masked positions (ascending) in at most `steps` parallel steps."""
        order, parallel = _shuffled(masked, generator), round(alpha_0 * len(masked))
        return Plan(order, parallel, self.shares(min(steps, parallel)))

    def shares(self, steps: int) -> list[float]:
        """The share that each of exactly `steps` steps reveals: the expectation of the ancestral step from t to s,
        (alpha_s - alpha_t) / (1 - alpha_t) (MDLM, arXiv 2406.07524); the last takes what is left."""
        shares = []
        for step in range(steps - 1):
            t, s = 1 - step / steps, 1 - (step + 1) / steps
            shares.append((self.alpha(s) - self.alpha(t)) / (1 - self.alpha(t)))
        return [*shares, 1.0] if steps else []


class LogLinearSchedule(NoiseSchedule):
    """alpha(t) = 1 - t (MDLM, arXiv 2406.07524; Eso-LM, arXiv 2506.01928). The deterministic variant: each step reveals
    the expected number, rounded up."""

    name = "log-linear"


class BinomialSchedule(NoiseSchedule):
    """alpha(t) = 1 - t with random counts, as the process itself has them (Eso-LM's sampler): every position falls to
    diffusion with probability alpha_0, and each step reveals Binomial(masked, (alpha_s - alpha_t) / (1 - alpha_t)) of
    them. Steps that would reveal nothing are left out, so a run may take fewer forward passes than it has steps."""

    name = "binomial"

    def plan(self, masked: Sequence[int], alpha_0: float, steps: int, generator: torch.Generator) -> Plan:
        """All counts are drawn before the run."""
        order, parallel = _shuffled(masked, generator), _binomial(len(masked), alpha_0, generator)
        remaining, counts = parallel, []
        for step in range(steps):
            counts.append(_binomial(remaining, 1 / (steps - step), generator))  # alpha is linear: 1 / (steps left)
            remaining -= counts[-1]
        return Plan(order, parallel, _shares_of(counts))


class CosineSchedule(NoiseSchedule):
    """alpha(t) = 1 - cos(pi / 2 · (1 - t)) (MaskGIT, arXiv 2202.04200, section 3.3): few tokens in the first steps,
    when little is known, many in the last."""

    name = "cosine"

    def alpha(self, t: float) -> float:
        """1 - cos(pi / 2 · (1 - t))."""
        return 1.0 - math.cos(math.pi / 2 * (1 - t))


class SubcontextSchedule(NoiseSchedule):
    """Block-autoregressive "subcontexts" (Eso-LM's sampler, `sampling.subcontext_len`): with S steps, step j reveals
    the positions j, j + S, j + 2S, ... of the hole, so that what is revealed together stands as far apart as possible.
    Of alpha_0 < 1 the first int(S · alpha_0) steps are parallel."""

    name = "subcontext"

    def plan(self, masked: Sequence[int], alpha_0: float, steps: int, generator: torch.Generator) -> Plan:
        """The order is by the remainder of a position's place in the hole, then by place; nothing is random."""
        stride = min(steps, len(masked))
        groups = [masked[start::stride] for start in range(stride)]
        counts = [len(group) for group in groups[: int(stride * alpha_0 + _DUST)]]
        return Plan([position for group in groups for position in group], sum(counts), _shares_of(counts))


class LeftToRightSchedule(NoiseSchedule):
    """Positions in reading order, equally many a step: autoregression by several tokens at a time, and plain
    autoregression where there are as many steps as positions."""

    name = "left-to-right"

    def plan(self, masked: Sequence[int], alpha_0: float, steps: int, generator: torch.Generator) -> Plan:
        """As they stand; nothing is random."""
        parallel = round(alpha_0 * len(masked))
        return Plan(list(masked), parallel, self.shares(min(steps, parallel)))


_ALL = (LogLinearSchedule, BinomialSchedule, CosineSchedule, SubcontextSchedule, LeftToRightSchedule)
SCHEDULES: Mapping[str, Callable[[], NoiseSchedule]] = MappingProxyType({kind.name: kind for kind in _ALL})


def make_schedule(name: str) -> NoiseSchedule:
    """The schedule of that name.

    Raises:
        RequestError: there is none.
    """
    if name not in SCHEDULES:
        raise RequestError(f"There is no schedule “{name}”; choose one of {', '.join(SCHEDULES)}.")
    return SCHEDULES[name]()


def reveal_count(remaining: int, share: float) -> int:
    """How many of `remaining` masked positions a step with this share reveals: rounded up, at least 1, at most all."""
    return max(1, min(remaining, math.ceil(remaining * share - _DUST)))


def _shares_of(counts: Sequence[int]) -> list[float]:
    """Shares that make `reveal_count` give exactly these counts, zeros left out."""
    remaining = sum(counts)
    shares = []
    for count in filter(None, counts):
        shares.append((count - 0.5) / remaining)
        remaining -= count
    return [*shares[:-1], 1.0] if shares else []


def _shuffled(positions: Sequence[int], generator: torch.Generator) -> list[int]:
    import torch

    return [positions[i] for i in torch.randperm(len(positions), generator=generator).tolist()]


def _binomial(trials: int, probability: float, generator: torch.Generator) -> int:
    import torch

    return int((torch.rand(trials, generator=generator, dtype=torch.float64) < probability).sum())
