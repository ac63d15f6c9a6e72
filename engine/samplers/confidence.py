"""Confidence sampling: the model is asked about every mask, and the surest tokens are accepted."""

from __future__ import annotations

from collections.abc import Sequence

from engine.samplers.base import Proposal


class ConfidenceSampler:
    """LLaDA's low-confidence remasking (arXiv 2502.09992, section 2.4): of all masked positions the `count` with the
    highest probability of their drawn token are accepted, the others stay masked. Feeds every mask at every step, so a
    step costs more than an ancestral one."""

    name = "confidence"

    def look_at(self, plan: Sequence[int], count: int) -> Sequence[int]:
        """Everything that is masked."""
        return plan

    def accept(self, proposal: Proposal, count: int) -> Sequence[int]:
        """The `count` surest, surest first; ties go by position."""
        sure = sorted(range(len(proposal.positions)), key=lambda i: (-proposal.probabilities[i], proposal.positions[i]))
        return sure[:count]
