"""Where a hole ends."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from engine.canvas import Canvas, Piece, lay_out
from engine.passes import DenoiseSettings, DenoisingStep, Pass
from engine.reverse import Reversal
from engine.sampling import SamplingRule
from engine.stopping import LikeliestEnd, draw_end
from engine.types import ContextOrder

EMPTY, MASK, VOCABULARY = 6, 7, 8


def ending(chances: Sequence[float]) -> tuple[int, int] | None:
    """(where the hole ends, at which position that is known)."""
    end = LikeliestEnd()
    for position, chance in enumerate(chances):
        if end.pass_by(position, chance):
            return end.position, position
    return None


@pytest.mark.parametrize(
    ("chances", "found"),
    [
        ([0.0, 0.6, 0.0], (1, 1)),  # likelier than all that follow
        ([0.0, 0.4, 0.0, 0.1, 0.3], (1, 4)),  # 0.4 against what is left: 0.6, 0.6, 0.54, 0.378
        ([0.0, 0.3, 0.0, 0.5], (3, 3)),  # 0.35 is more than 0.3, and as much as is left
        ([0.45, 0.6], (0, 1)),  # the second is 0.33 of all, and 0.22 are left
        ([0.0, 0.0, 0.0], None),
        ([0.01] * 20, None),
    ],
)
def test_the_likeliest_length_is_taken(chances: Sequence[float], found: tuple[int, int] | None) -> None:
    assert ending(chances) == found


def test_the_chance_of_the_likeliest_end_is_that_of_its_own_place() -> None:
    likeliest = LikeliestEnd()
    assert (likeliest.position, likeliest.chance) == (-1, 0.0)
    assert not likeliest.pass_by(7, 0.4)
    assert likeliest.pass_by(8, 0.9)  # 0.54 of all, and 0.06 are left
    assert (likeliest.position, likeliest.chance) == (8, 0.9)
    earlier = LikeliestEnd()
    assert not earlier.pass_by(7, 0.45)
    assert earlier.pass_by(8, 0.6)  # 0.33 of all, and 0.22 are left
    assert (earlier.position, earlier.chance) == (7, 0.45)


def write_greedily(canvas: Canvas, chances: Sequence[float]) -> list[DenoisingStep]:
    """Left to right, a model that writes token 1 and gives the empty token these chances."""
    settings = DenoiseSettings(4, 0.0, SamplingRule(0.0, 1.0, (MASK,), EMPTY))
    run = Reversal(0, canvas, settings, torch.Generator().manual_seed(0), room=50).steps()
    steps, item = [], next(run, None)
    while item is not None:
        if isinstance(item, Pass):
            chance = chances[item.feed.masked[0] - 1]
            logits = torch.full((1, VOCABULARY), -30.0)
            logits[0, 1], logits[0, EMPTY] = torch.tensor([1 - chance, chance]).clamp_min(1e-9).log()
            item = run.send(logits)
        else:
            steps.append(item)
            item = next(run, None)
    return steps


def test_greedy_text_is_cut_back_to_its_likeliest_end() -> None:
    canvas = lay_out(
        [Piece(ids=(2,)), Piece(span=0, hole=True, capacity=7), Piece(ids=(3,))],
        order=ContextOrder.SUFFIX_FIRST, grid=1, empty=EMPTY,
    )  # fmt: skip
    steps = write_greedily(canvas, [0.0, 0.0, 0.4, 0.1, 0.3, 0.0, 0.0])
    assert sorted(canvas.written) == [1, 2]
    assert canvas.holes[0].end == 3
    assert (steps[-1].accepted, steps[-1].remasked) == ((3,), (3, 4))
    assert [step.steps for step in steps] == [7, 7, 7, 7, 5]


def test_what_was_cut_away_is_not_seen_by_the_next_hole() -> None:
    canvas = lay_out(
        [
            Piece(ids=(2,)), Piece(span=0, hole=True, capacity=4),
            Piece(ids=(3,)), Piece(span=1, hole=True, capacity=2),
        ],
        order=ContextOrder.SUFFIX_FIRST, grid=1, empty=EMPTY,
    )  # fmt: skip
    write_greedily(canvas, [0.0, 0.45, 0.2, 0.0, 0.0, 0.0, 0.0])
    assert sorted(canvas.written) == [1, 6, 7]
    assert [placed.token for placed in canvas.accepted] == [1, EMPTY, 1, 1]


def test_a_hole_keeps_its_least_length() -> None:
    canvas = lay_out(
        [Piece(ids=(2,)), Piece(span=0, hole=True, capacity=5, least=3), Piece(ids=(3,))],
        order=ContextOrder.SUFFIX_FIRST, grid=1, empty=EMPTY,
    )  # fmt: skip
    write_greedily(canvas, [0.9, 0.9, 0.9, 0.9, 0.9])
    assert sorted(canvas.written) == [1, 2, 3]


@pytest.mark.parametrize(
    ("temperature", "top_p", "chances", "uniform", "may_go_on", "drawn"),
    [
        (0.0, 1.0, [0.1, 0.5, 0.9], 0.0, True, 1),  # 0.1, 0.45, 0.405 and 0.045 for what follows
        (0.0, 1.0, [0.1, 0.1], 0.9, True, None),  # 0.81 for what follows
        (0.0, 1.0, [0.1, 0.1], 0.9, False, 0),  # 0.1 and 0.09
        (1.0, 1.0, [0.2, 0.5], 0.19, True, 0),
        (1.0, 1.0, [0.2, 0.5], 0.59, True, 1),
        (1.0, 1.0, [0.2, 0.5], 0.61, True, None),
        (0.5, 1.0, [0.2, 0.5], 0.12, True, 1),  # 0.04, 0.16, 0.16 of 0.36
        (1.0, 0.75, [0.2, 0.5], 0.0, True, 1),  # 0.4 and 0.4 are the nucleus
        (1.0, 1.0, [0.0, 0.0], 0.5, False, None),
    ],
)
def test_an_end_is_drawn_from_the_lengths_chances(
    temperature: float, top_p: float, chances: list[float], uniform: float, may_go_on: bool, drawn: int | None
) -> None:
    rule = SamplingRule(temperature, top_p, (), EMPTY)
    assert draw_end(chances, rule, uniform, may_go_on=may_go_on) == drawn
