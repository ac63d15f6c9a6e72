"""How far a run is, and how that is said."""

from __future__ import annotations

from dataclasses import dataclass

from engine.types import Frame


@dataclass(frozen=True, slots=True)
class InfillProgress:
    """Step `step` of `steps` is done. Speeds and times are measured, not planned."""

    step: int
    steps: int
    tokens_per_s: float
    remaining_ms: float
    reused_tokens: int
    computed_tokens: int
    nfe: int
    variation: int = 0
    """Which variation it is the step of; they may be written or corrected one after the other."""
    done_ms: float = 0.0
    """Time that was spent on steps."""

    @classmethod
    def of(cls, frame: Frame) -> InfillProgress:
        """What a frame tells."""
        stats = frame.stats
        return cls(
            frame.step,
            frame.steps,
            stats.tokens_per_s,
            frame.remaining_ms,
            stats.reused_tokens,
            stats.computed_tokens,
            stats.nfe,
            frame.variation,
            stats.elapsed_ms - stats.prefill_ms,
        )

    @property
    def share(self) -> float:
        """How much of the whole run is done, of all its variations."""
        if self.remaining_ms > 0 and self.done_ms > 0:
            return self.done_ms / (self.done_ms + self.remaining_ms)
        return self.step / max(1, self.steps)

    @property
    def in_brief(self) -> str:
        """Step and time left."""
        left = f" · {duration(self.remaining_ms)} left" if self.remaining_ms > 0 else ""
        which = f"Variation {self.variation + 1} · " if self.variation else ""
        return f"{which}Step {self.step}/{self.steps}{left}"

    @property
    def in_full(self) -> str:
        """All there is to say, the most wanted first: what does not fit is cut at the end."""
        context = f"context {self.reused_tokens:,} reused, {self.computed_tokens:,} new"
        return f"{self.in_brief} · {self.tokens_per_s:.0f} tok/s · NFE {self.nfe} · {context}"


def duration(ms: float) -> str:
    """A time as one reads it: 0.4 s, 12 s, 3 min."""
    if ms < 9_950:
        return f"{ms / 1000:.1f} s"
    return f"{ms / 1000:.0f} s" if ms < 120_000 else f"{ms / 60_000:.0f} min"
