"""An interpolated Kneser-Ney n-gram model (Kneser and Ney 1995; Chen and Goodman 1999, section 2.7, one discount an
order): the yardstick that a small neural model has to beat on the same corpus.

N-grams are 64-bit polynomial hashes, so the counts of 50 million tokens fit in a few sorted arrays; among as many
n-grams a collision is unlikely to happen once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]

_PART_BITS = 11
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class _Order:
    """Counts of one order: n-gram types with (continuation) counts, and per history their sum and number of types."""

    grams: Keys
    counts: NDArray[np.int64]
    histories: Keys
    totals: NDArray[np.int64]
    types: NDArray[np.int64]
    discount: float


class KneserNey:
    """Counts of all orders up to `order`, or up to the length of the longest document where that is less.

    Args:
        documents: token ids of each document; n-grams do not cross documents.
    """

    def __init__(self, documents: Sequence[NDArray[np.uint16]], vocab_size: int, order: int = 5) -> None:
        generator = np.random.default_rng(0)
        self._codes: Keys = generator.integers(0, 2**64, vocab_size, dtype=np.uint64)
        self._vocab_size = vocab_size
        self._orders: list[_Order] = []
        order = min(order, max(map(len, documents), default=0))
        if order == 0:
            return
        tokens = np.concatenate(documents)
        ends = np.cumsum([len(document) for document in documents])
        place = np.arange(len(tokens)) - np.repeat(ends - [len(document) for document in documents],
                                                   [len(document) for document in documents])  # fmt: skip
        highest = self._hashes(tokens, order)
        whole = place[order - 1 :] >= order - 1
        first = np.flatnonzero(whole)
        grams, example, counts = _types(highest[whole])
        # Types are followed down by one place each where they stand in the text: its suffixes are the lower orders.
        starts = first[example]
        for size in range(order, 0, -1):
            self._orders.insert(0, self._count(tokens, starts, grams, counts, size))
            if size > 1:
                # A lower order counts the types of the order above, one for each different token in front.
                suffix = self._hash_at(tokens, starts + 1, size - 1)
                grams, example, counts = _types(suffix)
                starts = starts[example] + 1

    def _count(
        self, tokens: NDArray[np.uint16], starts: NDArray[np.int64], grams: Keys, counts: NDArray[np.int64], size: int
    ) -> _Order:
        ordered, order = _sorted(self._hash_at(tokens, starts, size - 1))
        histories, first, types = _runs(ordered)
        totals = np.add.reduceat(counts[order], first)
        once, twice = int((counts == 1).sum()), int((counts == 2).sum())
        discount = once / (once + 2 * twice) if once and twice else 0.5
        return _Order(grams, counts, histories, totals, types, discount)

    def _hashes(self, tokens: NDArray[np.uint16], size: int) -> Keys:
        """Hash of the n-gram that starts at each place."""
        return self._hash_at(tokens, np.arange(len(tokens) - size + 1), size)

    def _hash_at(self, tokens: NDArray[np.uint16], starts: NDArray[np.int64], size: int) -> Keys:
        key = np.zeros(len(starts), dtype=np.uint64)
        for offset in range(size):
            key = key * _MULTIPLIER + self._codes[tokens[starts + offset]]
        return key

    def log2_probabilities(self, tokens: NDArray[np.uint16], first: int) -> NDArray[np.float64]:
        """log2 p of tokens[first:], each given all before it (as far as the order reaches)."""
        places = np.arange(first, len(tokens))
        probability = np.full(len(places), 1.0 / self._vocab_size)
        for size, order in enumerate(self._orders, 1):
            known = places >= size - 1
            starts = places[known] - (size - 1)
            history = self._hash_at(tokens, starts, size - 1)
            gram = history * _MULTIPLIER + self._codes[tokens[places[known]]]
            count = _look_up(order.grams, order.counts, gram)
            total = _look_up(order.histories, order.totals, history)
            types = _look_up(order.histories, order.types, history)
            seen = total > 0
            base = np.maximum(total, 1)
            higher = np.maximum(count - order.discount, 0) / base + order.discount * types / base * probability[known]
            probability[known] = np.where(seen, higher, probability[known])
        result: NDArray[np.float64] = np.log2(probability)
        return result


def _types(keys: Keys) -> tuple[Keys, NDArray[np.int64], NDArray[np.int64]]:
    """The different keys in ascending order; of each a place where it stands, and how often it is there."""
    ordered, order = _sorted(keys)
    found, first, counts = _runs(ordered)
    return found, order[first], counts


def _runs(ordered: Keys) -> tuple[Keys, NDArray[np.int64], NDArray[np.int64]]:
    """Of ascending keys, the different ones, where each begins, and how often it is there."""
    begins = np.ones(len(ordered), dtype=bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    first = np.flatnonzero(begins)
    return ordered[first], first, np.diff(first, append=len(ordered))


def _sorted(keys: Keys) -> tuple[Keys, NDArray[np.int64]]:
    """The keys in ascending order, and where each stands, sorted in parts that fit the processor's cache: keys are
    hashes, so their first bits part them evenly."""
    part = (keys >> np.uint64(64 - _PART_BITS)).astype(np.uint16)
    order = np.argsort(part, kind="stable")  # a radix sort, for 16 bits
    ordered = keys[order]
    edges = np.cumsum(np.bincount(part, minlength=1 << _PART_BITS))
    for left, right in pairwise([0, *edges.tolist()]):
        inside = np.argsort(ordered[left:right])
        ordered[left:right], order[left:right] = ordered[left:right][inside], order[left:right][inside]
    return ordered, order


def _look_up(keys: Keys, values: NDArray[np.int64], wanted: Keys) -> NDArray[np.int64]:
    """Values of keys that are there, 0 for others. `keys` ascend."""
    index = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[index] == wanted, values[index], 0)
