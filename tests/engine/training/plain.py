"""Packing as one would write it: what the fast way of `engine.training` has to agree with, to the last bit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from engine.tokenization import Tokenizer
from engine.training.assembling import capacity_of
from engine.training.cutting import Cut, CutBatch, PackingRules
from engine.training.holes import Span
from engine.training.samples import Piece, Sample

_SENTENCE_END = re.compile(r"[.!?][\"”’')]*(?=\s)|\n+")
_WORD = re.compile(r"\S+")
_EXPRESSION = re.compile(r"(?<== )[^\n]+|(?<=return )[^\n]+|(?<=\()[^()\n]+(?=\))|(?<=if )[^\n:]+(?=:)")


def plain_samples(batch: CutBatch, tokenizer: Tokenizer, rules: PackingRules) -> list[Sample]:
    """Samples of some windows."""
    cuts, generator = batch
    samples = []
    for cut in cuts:
        parts = [tokenizer.encode(text) for text in cut.texts]
        if cut.masked:
            pieces = _masked_pieces(parts[0][: rules.context_length - 2], generator)
        else:
            pieces = _pieces(cut, parts, rules, generator)
        sample = _fitted(Sample(tuple(pieces), cut.starts, cut.ends and not cut.open_end), rules.context_length)
        if sample is not None:
            samples.append(sample)
    return samples


def _pieces(
    cut: Cut, parts: Sequence[Sequence[int]], rules: PackingRules, generator: np.random.Generator
) -> list[Piece]:
    position = int(cut.starts)
    pieces = []
    for index, (ids, hole) in enumerate(zip(parts, cut.holes, strict=True)):
        capacity = 0
        if hole:
            exact = cut.open_end and index == len(parts) - 1
            capacity = len(ids) if exact else capacity_of(len(ids), position, rules, generator)
        if hole or ids:
            pieces.append(Piece(tuple(ids), capacity, hole))
        position += capacity if hole else len(ids)
    return pieces


def _masked_pieces(ids: Sequence[int], generator: np.random.Generator) -> list[Piece]:
    """Every token of a region of at most 160 masked with one probability; runs of masks are holes without slack."""
    width = min(len(ids), int(generator.integers(16, 161)))
    first = int(generator.integers(0, len(ids) - width + 1))
    rate = generator.random()
    masked = np.zeros(len(ids), dtype=bool)
    masked[first : first + width] = generator.random(width) < rate
    if width and not masked.any():
        masked[first] = True
    edges = [0, *(np.flatnonzero(np.diff(masked)) + 1).tolist(), len(ids)]
    pieces = []
    for left, right in pairwise(edges):
        if right > left:
            hole = bool(masked[left])
            pieces.append(Piece(tuple(ids[left:right]), (right - left) * hole, hole))
    return pieces


def _fitted(sample: Sample, longest: int) -> Sample | None:
    """Shortens a sample's outer context until it fits; None where that is not enough or there is no hole."""
    if not any(piece.is_hole for piece in sample.pieces):
        return None
    excess = sample.length - longest
    if excess <= 0:
        return sample
    pieces, starts, ends = list(sample.pieces), sample.starts, sample.ends
    if not pieces[0].is_hole:
        dropped = min(excess, len(pieces[0].ids))
        pieces[0] = Piece(pieces[0].ids[dropped:])
        starts, excess = False, excess - dropped - starts
    if excess > 0 and not pieces[-1].is_hole:
        dropped = min(excess, len(pieces[-1].ids))
        pieces[-1] = Piece(pieces[-1].ids[: len(pieces[-1].ids) - dropped])
        ends, excess = False, excess - dropped - ends
    return Sample(tuple(pieces), starts, ends) if excess <= 0 else None


def plain_sentence(text: str, generator: np.random.Generator) -> Span | None:
    """One to three sentences."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    if len(ends) < 2:
        return None
    first = int(generator.integers(len(ends) - 1))
    count = 1 if generator.random() < 0.7 else int(generator.integers(2, 4))
    start, end = ends[first], ends[min(first + count, len(ends) - 1)]
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def plain_phrase(text: str, generator: np.random.Generator) -> Span | None:
    """Three to fifteen words."""
    matches = list(_WORD.finditer(text))
    if not matches:
        return None
    first = int(generator.integers(len(matches)))
    last = min(first + int(generator.integers(3, 16)), len(matches)) - 1
    return matches[first].start(), matches[last].end()


def plain_expression(text: str, generator: np.random.Generator) -> Span | None:
    """What stands after = or return, in parentheses, or in a condition."""
    matches = list(_EXPRESSION.finditer(text))
    return matches[int(generator.integers(len(matches)))].span() if matches else None
