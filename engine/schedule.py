"""How many positions each denoising step reveals, and how a hole is split between diffusion and left to right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class NoiseSchedule(Protocol):
    """alpha(t): the share of tokens that is clean at time t; alpha(0) = 1, alpha(1) = 0."""

    def alpha(self, t: float) -> float:
        """Share of clean tokens at time t in [0, 1]."""
        ...


@dataclass(frozen=True, slots=True)
class LogLinearSchedule:
    """alpha(t) = 1 - t (MDLM, arXiv 2406.07524; Eso-LM, arXiv 2506.01928): equally many tokens at every step."""

    def alpha(self, t: float) -> float:
        """1 - t."""
        return 1.0 - t


def reveal_count(schedule: NoiseSchedule, remaining: int, step: int, steps: int) -> int:
    """How many of `remaining` masked positions step `step` (from 0) of `steps` reveals.

    The expectation of the ancestral step from t to s, (alpha_s - alpha_t) / (1 - alpha_t) of what is masked, rounded
    up; the last step takes all that is left. At least 1, at most `remaining`.
    """
    if step >= steps - 1:
        return remaining
    t, s = 1 - step / steps, 1 - (step + 1) / steps
    share = (schedule.alpha(s) - schedule.alpha(t)) / (1 - schedule.alpha(t))
    return max(1, min(remaining, -int(-remaining * share // 1)))


def split_by_alpha_0(positions: int, alpha_0: float) -> tuple[int, int]:
    """(written by diffusion, written left to right) of a number of masked positions (Eso-LM, section 3)."""
    parallel = round(alpha_0 * positions)
    return parallel, positions - parallel
