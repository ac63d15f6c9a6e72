"""How many positions a hole should have, for models without an *empty* token: a search over lengths, free of training.

CAL (arXiv 2602.00476): at the right length a model is surest of its very first predictions. The score of a length L is
Phi(L) / B(L), where Phi is the mean over the L masks of the highest probability at the first step and B the length
bias that the authors fitted. (B was fitted on another model's code completions; the paper reuses it unchanged.)

The authors climb from length 8 by single steps, a pass each, up to 64 and down. Here twelve lengths from 1 to 64 are
tried in one batch, then up to thirteen around the best of them in a second one: the text before the hole is shared, and
every candidate has a copy of the next tokens of the text after it, at the positions where its length would put them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.canvas import Piece, Placed
from engine.config import Attention
from engine.denoise import prefill
from engine.likelihood import Lease
from engine.models.base import Feed

if TYPE_CHECKING:
    from engine.models.base import ModelAdapter

COARSE = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
SUFFIX_TOKENS = 24
"""Tokens after the hole that every candidate sees: those nearest to it decide."""


def length_bias(length: int) -> float:
    """B(L) of the paper: what Phi is at length L when nothing is known of the text."""
    return 1.00 * math.exp(-1.77 * length) + 0.56 * math.exp(-0.06 * length) + 0.24


def find_capacities(
    adapter: ModelAdapter, lease: Lease, pieces: Sequence[Piece], check: Callable[[], None] = lambda: None
) -> list[Piece]:
    """The same pieces, every hole with the capacity that suits it best. Two passes a hole, more when it is long.

    `check` is called between passes and may raise to stop the search.
    """
    result: list[Piece] = []
    for index, piece in enumerate(pieces):
        if not piece.hole:
            result.append(piece)
            continue
        rest = [*result, *pieces[index + 1 :]]
        before = [token for earlier in result for token in earlier.ids]
        after = [token for later in pieces[index + 1 :] for token in later.ids]
        taken = sum(other.capacity if other.hole else len(other.ids) for other in rest)
        search = _Search(adapter, lease, before, after, adapter.config.context_length - taken, check)
        result.append(replace(piece, capacity=search.best_length(), limit=None))
    return result


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for one hole. `room`: positions that the model's context has left for it."""

    adapter: ModelAdapter
    lease: Lease
    before: Sequence[int]
    after: Sequence[int]
    room: int
    check: Callable[[], None]

    def best_length(self) -> int:
        coarse = [length for length in COARSE if length <= max(1, self.room)]
        scores = self._scores(coarse)
        best = max(coarse, key=lambda length: scores[length])
        place = coarse.index(best)
        low = coarse[place - 1] if place else best
        high = coarse[place + 1] if place + 1 < len(coarse) else best
        scores |= self._scores(sorted({low + (high - low) * i // 12 for i in range(13)} - set(coarse)))
        return max(scores, key=lambda length: (scores[length], -length))

    def _scores(self, lengths: Sequence[int]) -> dict[int, float]:
        """Phi(L) / B(L) of each length, on the cached text before the hole."""
        context = [Placed(token, position) for position, token in enumerate(self.before)]
        cache = self.lease(context)
        for _ in prefill(self.adapter, cache, context):
            self.check()
        scores = {}
        is_shared = self.adapter.config.attention is Attention.CAUSAL  # else a batch holds a whole cache for each
        for group in _groups(lengths, cache.room - len(context) if is_shared else 0):
            self.check()
            batch = self.adapter.step_batch(cache, [_feed(length, len(context), self.after) for length in group])
            cache.truncate(len(context))
            for length, logits in zip(group, batch, strict=True):
                phi = float(logits.float().softmax(dim=-1).amax(dim=-1).mean())
                scores[length] = phi / length_bias(length)
        return scores


def _feed(length: int, start: int, after: Sequence[int]) -> Feed:
    shifted = [Placed(token, start + length + i) for i, token in enumerate(after[:SUFFIX_TOKENS])]
    return Feed(length, shifted, range(start, start + length))


def _groups(lengths: Iterable[int], room: int) -> Iterator[list[int]]:
    """Lengths whose rows fit the cache together; mostly all of them do."""
    group: list[int] = []
    for length in lengths:
        if group and sum(group) + length + (len(group) + 1) * SUFFIX_TOKENS > room:
            yield group
            group = []
        group.append(length)
    if group:
        yield group
