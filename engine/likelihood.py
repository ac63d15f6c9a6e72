"""Exact log-likelihoods: what the model thinks of tokens that are already there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.canvas import Piece, Placed, lay_out
from engine.denoise import prefill
from engine.types import ContextOrder

if TYPE_CHECKING:
    from engine.cache import CleanTokenCache
    from engine.models.base import ModelAdapter


def doubt_span(
    adapter: ModelAdapter, cache: CleanTokenCache, pieces: Sequence[Piece], index: int, order: ContextOrder
) -> list[float]:
    """Log-likelihood (nats) of each token of `pieces[index]`, given everything else on the canvas.

    The mean of two exact likelihoods, one along the span from left to right and one from right to left, so that every
    token is judged by both of its sides. Two forward passes; each is one pass of the tokens and a mask copy of each
    (any-order autoregression, Eso-LM, arXiv 2506.01928, section 3).

    The cache holds the context afterwards.
    """
    ids = pieces[index].ids
    as_hole = replace(pieces[index], ids=(), hole=True, capacity=len(ids))
    canvas = lay_out([*pieces[:index], as_hole, *pieces[index + 1 :]], order=order, grid=1, empty=None)
    for _ in prefill(adapter, cache, canvas.context):
        pass
    start = canvas.holes[0].start
    tokens = [Placed(token, start + offset) for offset, token in enumerate(ids)]
    forwards = _along(adapter, cache, tokens)
    backwards = _along(adapter, cache, tokens[::-1])[::-1]
    return [(one + other) / 2 for one, other in zip(forwards, backwards, strict=True)]


def _along(adapter: ModelAdapter, cache: CleanTokenCache, tokens: Sequence[Placed]) -> list[float]:
    """Log-likelihood of each token given the cache and the tokens before it; the cache is left as it was."""
    import torch

    length = len(cache)
    positions = [placed.position for placed in tokens]
    logits = adapter.step(cache, tokens, positions, seen=range(len(tokens)))
    cache.truncate(length)
    chosen = torch.tensor([placed.token for placed in tokens], device=logits.device).unsqueeze(1)
    result: list[float] = logits.float().log_softmax(dim=-1).gather(1, chosen).squeeze(1).tolist()
    return result
