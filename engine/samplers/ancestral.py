"""Ancestral sampling: the positions of a step are drawn before the model is asked, uniformly at random."""

from __future__ import annotations

from collections.abc import Sequence

from engine.samplers.base import Moment, Proposal, Sampler


class AncestralSampler(Sampler):
    """The reverse process of masked diffusion (MDLM, arXiv 2406.07524, eq. 8) with the order drawn in advance, as
    Eso-LM (B) does (arXiv 2506.01928, section 4): only the step's own masks are fed, which is what makes it cheap."""

    name = "ancestral"

    def look_at(self, plan: Sequence[int], moment: Moment) -> Sequence[int]:
        """The next `count` positions of the plan."""
        return plan[: moment.count]

    def accept(self, proposal: Proposal, moment: Moment) -> Sequence[int]:
        """All of them."""
        return range(len(proposal.positions))
