"""The repetition guard: which tokens would say again what the text nearby says already.

Not every token that occurred is held down (in prose and code most have to occur again): only one that would continue a
repeated run, as in the "don't repeat yourself" sampler of text-generation-webui (pull request 5677). As a canvas is not
written from left to right, runs are followed on both sides of a position.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from engine.canvas import Canvas

NEAR = 64
"""Tokens of context on each side of a hole that count as nearby."""
LEAST, LONGEST = 2, 4
"""A token is held down from the moment that it would repeat with LEAST of its neighbors; more than LONGEST do not
count."""


def repeats_nearby(canvas: Canvas, positions: Sequence[int]) -> list[dict[int, int]]:
    """For each position: the tokens that would repeat text nearby there, each with the number of neighbors on one side
    that it would repeat together with."""
    text = _nearby(canvas)
    after, before = _index(text, -1), _index(text, 1)
    rows = []
    for position in positions:
        row: dict[int, int] = {}
        for index, side in ((after, -1), (before, 1)):
            for token, length in _continuations(text, index, position, side):
                row[token] = max(length, row.get(token, 0))
        rows.append(row)
    return rows


def _nearby(canvas: Canvas) -> dict[int, int]:
    """Tokens by position: what is written, and the context around every hole."""
    text = {position: written.token for position, written in canvas.written.items()}
    for hole in canvas.holes:
        low, high = hole.start - NEAR, hole.start + hole.capacity + NEAR
        for start, piece in canvas.pieces:
            for offset in range(max(0, low - start), min(len(piece.ids), high - start)):
                text[start + offset] = piece.ids[offset]
    return text


def _index(text: Mapping[int, int], side: int) -> dict[tuple[int, ...], list[int]]:
    """Runs of LEAST tokens -> the positions next to them, which hold the token that continued them."""
    index: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for position in text:
        run = tuple(text.get(position + side * step, -1) for step in range(1, LEAST + 1))
        if -1 not in run:
            index[run].append(position)
    return index


def _continuations(
    text: Mapping[int, int], index: Mapping[tuple[int, ...], Sequence[int]], position: int, side: int
) -> list[tuple[int, int]]:
    """(token, length of the run it would repeat) for the neighbors on one side of a position."""
    run = tuple(text.get(position + side * step, -1) for step in range(1, LEAST + 1))
    found = []
    for other in index.get(run, ()):
        if other == position:
            continue
        length = LEAST
        while length < LONGEST and _same(text, position + side * (length + 1), other + side * (length + 1)):
            length += 1
        found.append((text[other], length))
    return found


def _same(text: Mapping[int, int], one: int, other: int) -> bool:
    return one in text and text[one] == text.get(other)
