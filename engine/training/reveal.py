"""The order in which a sample's tokens become clean, exactly as the sampler will make them clean.

1. Context first: what stands after the first hole left to right and then the prefix ("suffix first"), or all of it left
   to right ("prefix first"), or shuffled.
2. Then the holes. All capacity positions of all holes stand in a random permutation. Its first round(alpha_0 * n) are
   walked in that order, the rest left to right. A position at or after its hole's current end is skipped; one inside
   the text reveals its token; one after the text reveals *empty* and becomes the hole's end.

So a hole has about log(slack) empties in the sequence at alpha_0 = 1, and one right after the text at alpha_0 = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from engine.config import SpecialTokens
from engine.training.samples import Sample


class Order(IntEnum):
    """In which order the context becomes clean."""

    SUFFIX_FIRST = 0
    PREFIX_FIRST = 1
    SHUFFLED = 2


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sample in its order. `ids` and `positions` have one entry per clean token; the first `context` are context."""

    ids: list[int]
    positions: list[int]
    context: int


@dataclass(frozen=True, slots=True)
class Place:
    """A position of a hole: its true token, or None after the text."""

    position: int
    hole: int
    offset: int
    token: int | None


def lay_out(sample: Sample, special: SpecialTokens) -> tuple[list[list[tuple[int, int]]], list[Place]]:
    """Positions on the canvas.

    Returns:
        (context, places): context segments of (token, position), the first of which is the prefix, empty where there
        is none; and every capacity position of every hole, left to right.
    """
    position = 0
    segments: list[list[tuple[int, int]]] = [[]]
    places: list[Place] = []
    hole = 0
    if sample.starts and special.begin is not None:
        segments[0].append((special.begin, 0))
        position = 1
    for piece in sample.pieces:
        if piece.is_hole:
            for offset in range(piece.capacity):
                token = piece.ids[offset] if offset < len(piece.ids) else None
                places.append(Place(position + offset, hole, offset, token))
            position += piece.capacity
            hole += 1
            segments.append([])
        else:
            segments[-1] += zip(piece.ids, range(position, position + len(piece.ids)), strict=True)
            position += len(piece.ids)
    if sample.ends and special.end is not None:
        segments[-1].append((special.end, position))
    return segments, places


def order_context(
    segments: list[list[tuple[int, int]]], order: Order, generator: np.random.Generator
) -> list[tuple[int, int]]:
    """Step 1: the context's (token, position) pairs in the order in which they are fed."""
    if order is Order.SUFFIX_FIRST:
        segments = [*segments[1:], segments[0]]
    context = [pair for segment in segments for pair in segment]
    if order is Order.SHUFFLED:
        context = [context[index] for index in generator.permutation(len(context))]
    return context


def reveal(places: list[Place], alpha_0: float, empty: int, generator: np.random.Generator) -> list[tuple[int, int]]:
    """Step 2: the holes' (token, position) pairs in the order in which they become clean."""
    permutation = generator.permutation(len(places)).tolist()
    walked = round(alpha_0 * len(places))
    ends: dict[int, int] = {}
    revealed: list[tuple[int, int]] = []
    for index in permutation[:walked] + sorted(permutation[walked:]):
        place = places[index]
        if place.offset >= ends.get(place.hole, place.offset + 1):
            continue
        if place.token is None:
            ends[place.hole] = place.offset
            revealed.append((empty, place.position))
        else:
            revealed.append((place.token, place.position))
    return revealed


def draw_alpha_0(generator: np.random.Generator) -> float:
    """Uniform in [0, 1], with a fifth of the mass at 0 and a tenth at 1."""
    draw = generator.random()
    if draw < 0.2:
        return 0.0
    return 1.0 if draw < 0.3 else float(generator.random())


def draw_order(generator: np.random.Generator) -> Order:
    """Suffix first and prefix first alike, one in twenty shuffled."""
    draw = generator.random()
    if draw < 0.05:
        return Order.SHUFFLED
    return Order.SUFFIX_FIRST if draw < 0.525 else Order.PREFIX_FIRST


def sequence_of(
    sample: Sample, special: SpecialTokens, order: Order, alpha_0: float, generator: np.random.Generator
) -> Sequence:
    """Steps 1 and 2 together."""
    assert special.empty is not None
    segments, places = lay_out(sample, special)
    context = order_context(segments, order, generator)
    pairs = context + reveal(places, alpha_0, special.empty, generator)
    return Sequence([token for token, _ in pairs], [position for _, position in pairs], len(context))
