"""The interface of a sampler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from engine.sampling import Score

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the diffusion phase stands when a sampler is asked.

    Attributes:
        count: how many more positions the schedule wants clean after this step than before it.
        left: positions that diffusion has still to write, `count` of them in this step.
        step: from 0; steps: of the diffusion phase, at most.
        alpha: share of diffusion's positions that is clean at the beginning of the step; next_alpha: after it.
        generator: for samplers that draw; on the CPU.
    """

    count: int
    left: int
    step: int
    steps: int
    alpha: float
    next_alpha: float
    generator: torch.Generator

    @property
    def is_last(self) -> bool:
        """Whether no step follows: all that is left must be accepted."""
        return self.step >= self.steps - 1


@dataclass(frozen=True, slots=True)
class Proposal:
    """What there is to choose from, row by row; all lists are equally long.

    First the tokens that stand already (only where the sampler reviews), then what was drawn anew in their places (only
    where the model now sees at least as much as when it judged them last), then what was drawn at the masks.

    Attributes:
        probabilities: the model's own, of each row's token.
        scores: how sure each row is, as the sampler's `score` measures it; higher is surer.
        ends: for a row whose token is the empty token the place of its hole, otherwise None.
        standing: how many rows stand already; redrawn: how many rows after those are drawn anew.
    """

    positions: Sequence[int]
    tokens: Sequence[int]
    probabilities: Sequence[float]
    scores: Sequence[float]
    ends: Sequence[int | None] = field(default=())
    standing: int = 0
    redrawn: int = 0

    @property
    def fresh(self) -> range:
        """Rows of masks."""
        return range(self.standing + self.redrawn, len(self.positions))

    def ranked(self, rows: Sequence[int]) -> list[int]:
        """The rows, surest first; ties go by position."""
        return sorted(rows, key=lambda row: (-self.scores[row], self.positions[row]))

    def choose(self, ranked: Sequence[int], count: int, sure: int = 0) -> list[int]:
        """The first `sure` of the ranked rows, and then on until `count` rows are chosen.

        Empty tokens of one hole count as one, and of those met only the leftmost is chosen: it says all that the others
        say. So the unused part of a large hole takes one place, not the whole step.
        """
        chosen: list[int] = []
        ends: dict[int, int] = {}
        for place, row in enumerate(ranked):
            if place >= sure and len(chosen) >= count:
                break
            hole = self.ends[row] if self.ends else None
            if hole is not None and hole in ends:
                if self.positions[row] > self.positions[ends[hole]]:
                    continue
                chosen.remove(ends[hole])
            if hole is not None:
                ends[hole] = row
            chosen.append(row)
        return chosen


class Sampler:
    """Which masked positions a step looks at, and which tokens are clean after it. Made anew for every run.

    Attributes:
        score: what the scores of its proposals are to measure.
        remasks: accepted tokens may be masked again, so a run goes on to its last step (or until `settled`).
        reviews: every step asks the model again about accepted tokens; what `accept` does not name is masked again.
    """

    name: ClassVar[str]
    score: ClassVar[Score] = Score.PROBABILITY
    remasks: ClassVar[bool] = False
    reviews: ClassVar[bool] = False

    def look_at(self, plan: Sequence[int], moment: Moment) -> Sequence[int]:
        """Positions to be fed as masks; all of `plan` unless overridden. `plan` is what is still masked, in the
        schedule's order, diffusion's share first."""
        return plan

    def accept(self, proposal: Proposal, moment: Moment) -> Sequence[int]:
        """Rows of the proposal, in the order of acceptance; the first of two rows of one position counts."""
        raise NotImplementedError

    def forget(self, standing: Sequence[float], moment: Moment) -> Sequence[int]:
        """Which of the tokens accepted so far are masked again after this step: indices into `standing`, their
        probabilities when they were accepted. Asked before the step of a sampler that remasks without reviewing."""
        return ()

    @property
    def settled(self) -> bool:
        """Whether the run may end now that nothing is masked; asked after `accept`."""
        return True
