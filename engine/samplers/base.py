"""The interface of a sampler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the model drew at the positions a step looked at; equally long, in the order they were fed."""

    positions: Sequence[int]
    tokens: Sequence[int]
    probabilities: Sequence[float]


class Sampler(Protocol):
    """One denoising step in two questions, both pure."""

    name: str

    def look_at(self, plan: Sequence[int], count: int) -> Sequence[int]:
        """Positions to be fed as masks. `plan` is what is still masked, in random order; `count` is how many the
        schedule wants revealed in this step."""
        ...

    def accept(self, proposal: Proposal, count: int) -> Sequence[int]:
        """Indices into the proposal, in the order of acceptance; at least one."""
        ...
