"""Judging accepted tokens again, in the same forward pass that predicts the masks.

A model that attends along an order cannot be asked for the probability of a token given *all* others: what stands after
it in the order has seen it. But the order of accepted tokens is free. So before each such step they are put in order
of sureness and fed again, and each gets a mask copy at its position that sees only those before it. A doubtful token is
thus judged by everything that is surer than it, exactly, in one pass; and as it stands late in the order, masking it
again invalidates little of the cache. Of two judgements of one token the one that saw more counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from engine.canvas import Placed
from engine.samplers.base import Proposal
from engine.sampling import Sampled, Score


class Judgement(NamedTuple):
    """What the model thought of a token: its probability, its score, and how many accepted tokens it saw."""

    probability: float
    score: float
    seen: int


class _Row(NamedTuple):
    position: int
    token: int
    judgement: Judgement
    end: int | None


class Judgements:
    """The best informed judgement of every accepted token, by position."""

    def __init__(self) -> None:
        self._at: dict[int, Judgement] = {}

    def note(self, position: int, judgement: Judgement) -> None:
        """Remembers the judgement of a token that was accepted at this position."""
        self._at[position] = judgement

    def surest_first(self, accepted: Iterable[Placed]) -> list[Placed]:
        """The accepted tokens in the order in which they are to be fed again."""
        return sorted(accepted, key=lambda placed: -self._at[placed.position].score)

    def propose(
        self,
        order: Sequence[Placed],
        asked_from: int,
        masked: Sequence[int],
        drawn: Sampled,
        score: Score,
        ends: Sequence[int | None],
    ) -> tuple[Proposal, list[Judgement]]:
        """The proposal of a step, and the judgement behind each of its rows.

        Args:
            order: the accepted tokens as they were fed.
            asked_from: place in the order of the first one that had a mask copy.
            masked: positions of the masks.
            drawn: rows for the copies, then for the masks.
            ends: for each place in the order, then for each row of `drawn`, as in `Proposal.ends`.
        """
        standing, redrawn, fresh = [], [], []
        for place, (token, position) in enumerate(order):
            judged, row = self._at[position], place - asked_from
            if row >= 0 and place >= judged.seen:
                probability = drawn.standing[row]
                judged = Judgement(probability, probability if score is Score.PROBABILITY else drawn.scores[row], place)
                if drawn.tokens[row] != token:
                    anew = Judgement(drawn.probabilities[row], drawn.scores[row], place)
                    redrawn.append(_Row(position, drawn.tokens[row], anew, ends[len(order) + row]))
            standing.append(_Row(position, token, judged, ends[place]))
        for row, position in enumerate(masked, start=len(order) - asked_from):
            anew = Judgement(drawn.probabilities[row], drawn.scores[row], len(order))
            fresh.append(_Row(position, drawn.tokens[row], anew, ends[len(order) + row]))
        rows = [*standing, *redrawn, *fresh]
        proposal = Proposal(
            positions=[row.position for row in rows],
            tokens=[row.token for row in rows],
            probabilities=[row.judgement.probability for row in rows],
            scores=[row.judgement.score for row in rows],
            ends=[row.end for row in rows],
            standing=len(standing),
            redrawn=len(redrawn),
        )
        return proposal, [row.judgement for row in rows]
