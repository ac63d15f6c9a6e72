"""Steps 3 and 4 of packing: cut windows are tokenized, holes get their capacities, and both become records.

Ids are bytes (uint16) from the encoder to the disk: no number is made for a token.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from engine.training.cutting import Cut, CutBatch, PackingRules
from engine.training.encoding import BulkEncoder
from engine.training.samples import Records, record_head

_ID = array("H").itemsize
"""Bytes of an id."""


@dataclass(slots=True)
class _Part:
    """A piece of a sample, its ids as bytes, and how many they are; `capacity` as in `samples.Piece`."""

    ids: bytes
    length: int
    capacity: int = 0
    is_hole: bool = False


def assemble(batch: CutBatch, encoder: BulkEncoder, rules: PackingRules) -> Records:
    """Samples of some windows, as records."""
    cuts, generator = batch
    texts = [text for cut in cuts for text in cut.texts]
    encoded = encoder.encode_batch(texts)
    edges = [0, *accumulate(len(cut.texts) for cut in cuts)]
    data: list[bytes] = []
    lengths: list[int] = []
    rows: list[tuple[int, int]] = []
    for cut, first, last in zip(cuts, edges, edges[1:], strict=False):
        if cut.masked:
            parts = _masked_parts(encoded[first][: (rules.context_length - 2) * _ID], generator)
        else:
            parts = _parts(cut, encoded[first:last], rules, generator)
        fitted = _fitted(parts, cut.starts, cut.ends and not cut.open_end, rules.context_length)
        if fitted is None:
            continue
        starts, ends = fitted
        head = record_head(starts, ends, [(part.is_hole, part.length, part.capacity) for part in parts])
        data.append(array("H", head).tobytes())
        data += [part.ids for part in parts]
        clean = sum([part.length for part in parts])
        lengths.append(len(head) + clean)
        rows.append((clean + starts + ends, sum([part.length for part in parts if part.is_hole])))
    return Records(b"".join(data), lengths, rows, sum(map(_utf8_length, texts)))


def capacity_of(length: int, position: int, rules: PackingRules, generator: np.random.Generator) -> int:
    """Step 4, for a hole of `length` tokens that begins at `position`."""
    draw = generator.random()
    if draw < 0.1:
        return max(1, length)
    slack = int(generator.integers(0, (16 if draw < 0.4 else rules.max_slack) + 1))
    end = position + length + slack
    if generator.random() < 0.5:
        end = -(-end // rules.suffix_grid) * rules.suffix_grid
    return max(1, end - position)


def _parts(cut: Cut, encoded: Sequence[bytes], rules: PackingRules, generator: np.random.Generator) -> list[_Part]:
    position = int(cut.starts)
    parts = []
    for index, (ids, hole) in enumerate(zip(encoded, cut.holes, strict=True)):
        length = len(ids) // _ID
        if hole:
            exact = cut.open_end and index == len(encoded) - 1
            capacity = length if exact else capacity_of(length, position, rules, generator)
            parts.append(_Part(ids, length, capacity, True))
            position += capacity
        elif ids:
            parts.append(_Part(ids, length))
            position += length
    return parts


def _masked_parts(ids: bytes, generator: np.random.Generator) -> list[_Part]:
    """Every token of a region of at most 160 masked with one probability; runs of masks are holes without slack."""
    length = len(ids) // _ID
    width = min(length, int(generator.integers(16, 161)))
    first = int(generator.integers(0, length - width + 1))
    rate = generator.random()
    masked = np.zeros(length, dtype=bool)
    masked[first : first + width] = generator.random(width) < rate
    if width and not masked.any():
        masked[first] = True
    edges = [0, *(np.flatnonzero(np.diff(masked)) + 1).tolist(), length]
    parts = []
    for left, right in pairwise(edges):
        if right > left:
            hole = bool(masked[left])
            parts.append(_Part(ids[left * _ID : right * _ID], right - left, (right - left) * hole, hole))
    return parts


def _fitted(parts: list[_Part], starts: bool, ends: bool, longest: int) -> tuple[bool, bool] | None:
    """Shortens a sample's outer context until it fits, and says whether it still begins and ends where its document
    does; None where that is not enough or there is no hole."""
    if not any(part.is_hole for part in parts):
        return None
    excess = sum([part.capacity or part.length for part in parts]) + starts + ends - longest
    if excess <= 0:
        return starts, ends
    if not parts[0].is_hole:
        dropped = min(excess, parts[0].length)
        parts[0] = _Part(parts[0].ids[dropped * _ID :], parts[0].length - dropped)
        starts, excess = False, excess - dropped - starts
    if excess > 0 and not parts[-1].is_hole:
        dropped = min(excess, parts[-1].length)
        left = parts[-1].length - dropped
        parts[-1] = _Part(parts[-1].ids[: left * _ID], left)
        ends, excess = False, excess - dropped - ends
    return (starts, ends) if excess <= 0 else None


def _utf8_length(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
