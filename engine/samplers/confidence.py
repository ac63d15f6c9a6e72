"""Samplers that ask the model about every mask and accept what is surest. A step costs more than an ancestral one."""

from __future__ import annotations

from collections.abc import Sequence

from engine.samplers.base import Moment, Proposal, Sampler
from engine.sampling import Score


class ConfidenceSampler(Sampler):
    """LLaDA's low-confidence remasking (arXiv 2502.09992, section 2.4): of all masked positions the `count` with the
    highest probability of their drawn token are accepted, the others stay masked."""

    name = "confidence"

    def accept(self, proposal: Proposal, moment: Moment) -> Sequence[int]:
        """The `count` surest, surest first."""
        return proposal.choose(proposal.ranked(proposal.fresh), moment.count)


class MaskGITPlusSampler(ConfidenceSampler):
    """MaskGIT's choice (arXiv 2202.04200, section 3.2) as Dream has it (`alg="maskgit_plus"` with `alg_temp=0`, arXiv
    2508.15487): positions are ranked by the probability with which their token was drawn, that is after temperature,
    guard and cuts, and without the noise that MaskGIT adds to the ranking. At temperature 0 it is `confidence`."""

    name = "maskgit-plus"
    score = Score.SHAPED


class MarginSampler(ConfidenceSampler):
    """Top-k probability margin (Kim et al., arXiv 2502.06768; Dream's `alg="topk_margin"`, there after temperature and
    cuts): a position is as sure as its likeliest token stands above the second, in the model's own distribution; two
    good candidates make a position wait."""

    name = "margin"
    score = Score.MARGIN


class ThresholdSampler(Sampler):
    """Fast-dLLM's parallel decoding (arXiv 2505.22618): everything at least `THRESHOLD` sure, at least one
    position a step. As a run has a limit of steps, also at least what the schedule needs to keep to it."""

    name = "threshold"
    THRESHOLD = 0.9

    def accept(self, proposal: Proposal, moment: Moment) -> Sequence[int]:
        """All above the threshold, surest first."""
        ranked = proposal.ranked(proposal.fresh)
        sure = sum(1 for row in ranked if proposal.scores[row] >= self.THRESHOLD)
        return proposal.choose(ranked, max(1, moment.count), min(sure, moment.left))


class EntropyBoundedSampler(Sampler):
    """EB-sampler (arXiv 2505.24857): positions by rising entropy as long as the sum of their entropies less
    the largest stays within `BOUND` nats, which bounds how much their joint distribution can differ from drawing them
    apart; at least one. As a run has a limit of steps, also at least what the schedule needs to keep to it."""

    name = "entropy-bounded"
    score = Score.ENTROPY
    BOUND = 0.1

    def accept(self, proposal: Proposal, moment: Moment) -> Sequence[int]:
        """All within the bound, lowest entropy first."""
        ranked = proposal.ranked(proposal.fresh)
        sure = within_bound(proposal, ranked, self.BOUND)
        return proposal.choose(ranked, max(1, moment.count), min(sure, moment.left))


def within_bound(proposal: Proposal, ranked: Sequence[int], bound: float) -> int:
    """How many rows, from the surest, keep the sum of entropies less the largest within `bound` nats."""
    total = 0.0
    for place, row in enumerate(ranked):
        if total > bound:  # `total` is the sum over the rows before this one, which has the largest entropy
            return place
        total -= proposal.scores[row]
    return len(ranked)
