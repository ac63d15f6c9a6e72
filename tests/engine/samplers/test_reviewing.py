"""Reviewing: which judgement of a token counts, and what is proposed in its place."""

from __future__ import annotations

from engine.canvas import Placed
from engine.samplers.reviewing import Judgement, Judgements
from engine.sampling import Sampled, Score

A, B, C = Placed(11, 1), Placed(12, 2), Placed(13, 3)


def known() -> Judgements:
    judgements = Judgements()
    judgements.note(1, Judgement(0.3, 0.3, 0))
    judgements.note(2, Judgement(0.9, 0.9, 2))
    judgements.note(3, Judgement(0.6, 0.6, 1))
    return judgements


def test_tokens_are_fed_again_in_order_of_sureness() -> None:
    assert known().surest_first([A, B, C]) == [B, C, A]


def test_the_judgement_that_saw_more_counts() -> None:
    drawn = Sampled([12, 99, 98, 50], [0.2, 0.7, 0.8, 0.4], [0.2, 0.7, 0.8, 0.4], [0.2, 0.1, 0.05], [])
    ends = [None] * 7
    proposal, judgements = known().propose([B, C, A], 0, [7], drawn, Score.PROBABILITY, ends)
    # B was judged after two tokens before, now after none: its old judgement stays, and nothing is drawn in its place.
    # C was judged after one and is again: the new one counts. A after none, now after two.
    assert proposal.positions == [2, 3, 1, 3, 1, 7]
    assert proposal.tokens == [12, 13, 11, 99, 98, 50]
    assert proposal.scores == [0.9, 0.1, 0.05, 0.7, 0.8, 0.4]
    assert (proposal.standing, proposal.redrawn, list(proposal.fresh)) == (3, 2, [5])
    assert [judgement.seen for judgement in judgements] == [2, 1, 2, 1, 2, 3]


def test_a_token_drawn_again_is_proposed_once() -> None:
    drawn = Sampled([11], [0.5], [0.5], [0.5], [])
    proposal, _ = known().propose([B, C, A], 2, [], drawn, Score.PROBABILITY, [None] * 4)
    assert proposal.positions == [2, 3, 1]
    assert proposal.scores == [0.9, 0.6, 0.5]
    assert proposal.redrawn == 0


def test_entropies_are_of_the_position_whatever_stands_there() -> None:
    drawn = Sampled([99], [0.5], [-1.25], [0.1], [])
    proposal, _ = known().propose([B, C, A], 2, [], drawn, Score.ENTROPY, [None] * 4)
    assert proposal.scores[2:] == [-1.25, -1.25]
    assert proposal.probabilities[2:] == [0.1, 0.5]
