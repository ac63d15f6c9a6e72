"""Samplers that take back accepted tokens."""

from __future__ import annotations

from collections.abc import Sequence

from engine.samplers.base import Moment, Proposal, Sampler
from engine.samplers.confidence import within_bound
from engine.sampling import Score


class ReMDMSampler(Sampler):
    """ReMDM (arXiv 2503.00307), confidence-based: beside the ancestral step, an accepted token is masked
    again with probability sigma · softmax(-psi), where psi is its probability when it was accepted and sigma = min(1,
    (1 - alpha_s) / alpha_t) the largest that keeps the marginals of the process: about one a step, doubtful ones first.
    What is taken back is revealed again, so more steps than positions make sense.

    It feeds as little as an ancestral step, and what stood after a remasked token in the order once more. Empty tokens
    stay: the choice is random, and taking one back would open its hole again.
    """

    name = "remdm"
    remasks = True

    def look_at(self, plan: Sequence[int], moment: Moment) -> Sequence[int]:
        """The next `count` positions of the plan."""
        return plan[: moment.count]

    def forget(self, standing: Sequence[float], moment: Moment) -> Sequence[int]:
        """Each with its own probability."""
        import torch

        if not standing:
            return ()
        sigma = min(1.0, (1.0 - moment.next_alpha) / moment.alpha) if moment.alpha > 0 else 0.0
        weights = (-torch.tensor(standing, dtype=torch.float64)).softmax(dim=0)
        uniform = torch.rand(len(standing), generator=moment.generator, dtype=torch.float64)
        forgotten: list[int] = (uniform < sigma * weights).nonzero().flatten().tolist()
        return forgotten

    def accept(self, proposal: Proposal, moment: Moment) -> Sequence[int]:
        """All that was looked at."""
        return proposal.fresh


class P2Sampler(Sampler):
    """Path planning with the model as its own planner (P2, arXiv 2502.03540): every step judges the accepted
    tokens and the masks together, and of all these keeps as many of the surest as the schedule wants clean; the others
    are masked (again). The last step keeps everything."""

    name = "p2"
    remasks = True
    reviews = True

    def accept(self, proposal: Proposal, moment: Moment) -> Sequence[int]:
        """The surest, standing or fresh."""
        rows = [*range(proposal.standing), *proposal.fresh]
        return proposal.choose(proposal.ranked(rows), proposal.standing + moment.count)


class RenoiseSampler(Sampler):
    """Accept and renoise, as in DiffusionGemma and, as far as is known, Gemini Diffusion: at every step all positions
    are drawn again, those of low entropy are accepted (the bound of `EntropyBoundedSampler`), all others become noise;
    the run ends when the text stays the same and the mean entropy is below `STABLE` nats.

    Those models start from, and return to, uniformly random tokens. A masked model knows only masks as noise and would
    take random tokens for text, so here noise is the mask. Acceptance lasts for one step, as there. Not taken over: the
    falling temperature (a run has one temperature) and self-conditioning (these models have none).
    """

    name = "renoise"
    score = Score.ENTROPY
    remasks = True
    reviews = True
    BOUND = 0.1
    STABLE = 0.005

    def __init__(self) -> None:
        self._settled = False

    def accept(self, proposal: Proposal, moment: Moment) -> Sequence[int]:
        """Redrawn tokens replace the standing ones of their positions; then the entropy bound, and at least what the
        schedule wants clean."""
        drawn = range(proposal.standing, len(proposal.positions))
        redrawn = {proposal.positions[row] for row in drawn}
        kept = [row for row in range(proposal.standing) if proposal.positions[row] not in redrawn]
        ranked = proposal.ranked([*kept, *drawn])
        wanted = proposal.standing + moment.count
        sure = min(within_bound(proposal, ranked, self.BOUND), proposal.standing + moment.left)
        chosen = proposal.choose(ranked, wanted, sure)
        standing = {proposal.positions[row]: proposal.tokens[row] for row in range(proposal.standing)}
        same = {proposal.positions[row]: proposal.tokens[row] for row in chosen} == standing
        entropy = -sum(proposal.scores[row] for row in chosen) / max(1, len(chosen))
        self._settled = same and entropy < self.STABLE
        return chosen

    @property
    def settled(self) -> bool:
        """Whether the last step changed nothing and was sure."""
        return self._settled


class CoarseToFineSampler(Sampler):
    """Coarse to fine (Mercury's idea, arXiv 2506.17298; the algorithm is ours). The first half of the steps
    writes a whole draft: all that is at least `SURE`, and at least what is needed to be done in time. The steps that
    are left go to what is hard: every step judges all tokens again, and a token below `DOUBTFUL` is replaced by the one
    now drawn in its place if that is likelier. The run ends when all are sure or a step changes nothing."""

    name = "coarse-to-fine"
    remasks = True
    reviews = True
    SURE = 0.9
    DOUBTFUL = 0.5

    def __init__(self) -> None:
        self._settled = False

    def accept(self, proposal: Proposal, moment: Moment) -> Sequence[int]:
        """The standing tokens, better ones in place of doubtful ones, and the surest of the masks."""
        standing = {proposal.positions[row]: row for row in range(proposal.standing)}
        better = [
            row
            for row in range(proposal.standing, proposal.standing + proposal.redrawn)
            if proposal.scores[standing[proposal.positions[row]]] < self.DOUBTFUL
            and proposal.probabilities[row] > proposal.probabilities[standing[proposal.positions[row]]]
        ]
        replaced = {proposal.positions[row] for row in better}
        kept = [row for position, row in standing.items() if position not in replaced]
        fresh = proposal.ranked(proposal.fresh)
        sure = sum(1 for row in fresh if proposal.scores[row] >= self.SURE)
        coarse_steps = (moment.steps + 1) // 2 - moment.step
        wanted = moment.left if coarse_steps <= 1 else -(-moment.left // coarse_steps)
        chosen = [*kept, *better, *proposal.choose(fresh, wanted, min(sure, moment.left))]
        all_sure = all(proposal.scores[row] >= self.SURE for row in chosen)
        self._settled = all_sure or (not better and moment.left == 0)
        return proposal.ranked(chosen)

    @property
    def settled(self) -> bool:
        """Whether all is sure, or the last step had a whole draft before it and changed nothing."""
        return self._settled
