"""How far a run is, for the status bar."""

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
        )
