"""Exact log-likelihoods: what the model thinks of tokens that are already there.

An any-order causal model gives the exact likelihood of a run of tokens along any order in one forward pass: the tokens,
clean, in that order, and behind them a mask copy of each, which sees the tokens before its own (Eso-LM,
arXiv 2506.01928, sections 3 and 4). All figures are natural logarithms (nats).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.canvas import Canvas, Piece, Placed, lay_out
from engine.denoise import prefill
from engine.types import ContextOrder

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from engine.cache import CleanTokenCache
    from engine.models.base import ModelAdapter

Lease = Callable[[Sequence[Placed]], "CleanTokenCache"]
"""Gives the cache to compute an order of context on (`CachePool.lease`)."""

CHUNK = 128
"""Tokens scored in one pass."""


def doubt_span(
    adapter: ModelAdapter, lease: Lease, pieces: Sequence[Piece], index: int, order: ContextOrder
) -> list[float]:
    """How likely each token of `pieces[index]` is, given everything else on the canvas.

    The mean of two exact likelihoods, one along the span from left to right and one from right to left, so that every
    token is judged by both of its sides. The cache holds the context afterwards.
    """
    cache, tokens = _context_of_span(adapter, lease, pieces, index, order)
    forwards = _along(adapter, cache, tokens)
    backwards = _along(adapter, cache, tokens[::-1])[::-1]
    return [(one + other) / 2 for one, other in zip(forwards, backwards, strict=True)]


def score_span(
    adapter: ModelAdapter, lease: Lease, pieces: Sequence[Piece], index: int, order: ContextOrder
) -> list[float]:
    """Exact log-likelihood of each token of `pieces[index]`, from left to right, given everything else on the canvas;
    their sum is the exact log-likelihood of the span."""
    cache, tokens = _context_of_span(adapter, lease, pieces, index, order)
    return _along(adapter, cache, tokens)


def bound_span(
    adapter: ModelAdapter,
    lease: Lease,
    pieces: Sequence[Piece],
    index: int,
    order: ContextOrder,
    *,
    orders: int,
    generator: torch.Generator,
    alpha_0: float = 1.0,
    check: Callable[[], None] = lambda: None,
) -> float:
    """Importance-weighted lower bound of the span's log-likelihood over random orders: log of the mean of `orders`
    exact order likelihoods (Eso-LM, arXiv 2506.01928, appendix; IWAE, arXiv 1509.00519). An order is what the process
    of that alpha_0 would have: every token falls to diffusion with this probability; those come first, at random, the
    others from left to right. One order gives a single sample of the bound; more orders make it tighter; at alpha_0 = 0
    it is exact. `check` is called before every order and may raise to stop.

    Only for models whose clean tokens go along the order: with the others an order is not one pass.
    """
    cache, tokens = _context_of_span(adapter, lease, pieces, index, order)
    totals = []
    for _ in range(orders):
        check()
        diffusion, sequential = _parted(tokens, alpha_0, generator)
        totals.append(math.fsum(_along(adapter, cache, [*diffusion, *sequential])))
    highest = max(totals)
    return highest + math.log(math.fsum(math.exp(total - highest) for total in totals) / orders)


def nelbo_span(
    adapter: ModelAdapter,
    lease: Lease,
    pieces: Sequence[Piece],
    index: int,
    order: ContextOrder,
    *,
    samples: int,
    generator: torch.Generator,
    alpha_0: float = 1.0,
    check: Callable[[], None] = lambda: None,
) -> float:
    """Negative NELBO (a lower bound of the log-likelihood) of the span, the mean over `samples` draws.

    Every token falls to diffusion with probability alpha_0. Of these n tokens k are masked, k uniform in 1..n, and all
    masks are judged at once by what is clean: n/k times their sum (LLaDA, arXiv 2502.09992, equation 6; MDLM, arXiv
    2406.07524, in continuous time). The other tokens are judged from left to right given the n (Eso-LM, arXiv
    2506.01928, section 3). `check` is called before every draw and may raise to stop.
    """
    import torch

    cache, tokens = _context_of_span(adapter, lease, pieces, index, order)
    length = len(cache)
    totals = []
    for _ in range(samples):
        check()
        diffusion, sequential = _parted(tokens, alpha_0, generator)
        total = 0.0
        if diffusion:
            masks = int(torch.randint(1, len(diffusion) + 1, (), generator=generator))
            clean, hidden = diffusion[masks:], diffusion[:masks]
            logits = adapter.step(cache, clean, [placed.position for placed in hidden])
            total += len(diffusion) / masks * math.fsum(_chosen(logits, hidden))
            cache.truncate(length)
        if sequential:
            if diffusion:
                adapter.step(cache, diffusion, ())
            total += math.fsum(_along(adapter, cache, sequential))
            cache.truncate(length)
        totals.append(total)
    return math.fsum(totals) / samples


def _parted(tokens: Sequence[Placed], alpha_0: float, generator: torch.Generator) -> tuple[list[Placed], list[Placed]]:
    """Those that fall to diffusion, in random order, and the others as they stand."""
    import torch

    shuffled = torch.randperm(len(tokens), generator=generator).tolist()
    falls = (torch.rand(len(tokens), generator=generator, dtype=torch.float64) < alpha_0).tolist()
    return [tokens[i] for i in shuffled if falls[i]], [token for i, token in enumerate(tokens) if not falls[i]]


def canvas_likelihood(adapter: ModelAdapter, cache: CleanTokenCache, canvas: Canvas) -> tuple[float, int]:
    """Exact log-likelihood of a finished canvas's text given its context, hole by hole from left to right, and how many
    tokens that counts: also the empty one that ends a hole, where the hole might have gone on.

    `cache` begins with the context, and holds it afterwards.
    """
    cache.truncate(len(canvas.context))
    tokens: list[Placed] = []
    for hole in canvas.holes:
        inside = range(hole.start, hole.end)
        tokens += [
            Placed(canvas.written[position].token, position) for position in inside if position in canvas.written
        ]
        if canvas.empty is not None and hole.can_shrink and hole.end < hole.limit:
            tokens.append(Placed(canvas.empty, hole.end))
    return math.fsum(_along(adapter, cache, tokens)), len(tokens)


def score_tokens(
    adapter: ModelAdapter, cache: CleanTokenCache, ids: Sequence[int], *, begin: int | None
) -> Iterator[list[float]]:
    """Exact log-likelihoods of a text from left to right, a chunk at a time (the caller may stop between two).

    Every token sees the tokens before it, as many as the model's context holds; when it is full, the later half of it
    goes on as context. `begin` stands before the first token, where the text starts its document.
    """
    room = adapter.config.context_length
    window = [] if begin is None else [begin]
    cache.clear()
    for start in range(0, len(ids), CHUNK):
        chunk = list(ids[start : start + CHUNK])
        if len(window) + len(chunk) > room:
            window = window[-(room // 2) :]
            cache.clear()
        context = [Placed(token, position) for position, token in enumerate(window)]
        if len(cache) < len(context):
            for _ in prefill(adapter, cache, context):
                pass
        tokens = [Placed(token, len(window) + offset) for offset, token in enumerate(chunk)]
        yield _along(adapter, cache, tokens, keep=True)
        window += chunk
    cache.clear()


def _context_of_span(
    adapter: ModelAdapter, lease: Lease, pieces: Sequence[Piece], index: int, order: ContextOrder
) -> tuple[CleanTokenCache, list[Placed]]:
    """A cache that holds everything but the span, and the span's tokens at their positions."""
    ids = pieces[index].ids
    as_hole = replace(pieces[index], ids=(), hole=True, capacity=len(ids))
    canvas: Canvas = lay_out([*pieces[:index], as_hole, *pieces[index + 1 :]], order=order, grid=1, empty=None)
    cache = lease(canvas.context)
    for _ in prefill(adapter, cache, canvas.context):
        pass
    start = canvas.holes[0].start
    return cache, [Placed(token, start + offset) for offset, token in enumerate(ids)]


def _along(
    adapter: ModelAdapter, cache: CleanTokenCache, tokens: Sequence[Placed], *, keep: bool = False
) -> list[float]:
    """Log-likelihood of each token given the cache and the tokens before it. The cache is left as it was, unless the
    tokens are to be kept in it."""
    length = len(cache)
    result = [likelihood for chunk in along_in_chunks(adapter, cache, tokens) for likelihood in chunk]
    if not keep:
        cache.truncate(length)
    return result


def along_in_chunks(adapter: ModelAdapter, cache: CleanTokenCache, tokens: Sequence[Placed]) -> Iterator[list[float]]:
    """Exact log-likelihoods along the tokens, given the cache; one forward pass a list."""
    for start in range(0, len(tokens), CHUNK):
        chunk = tokens[start : start + CHUNK]
        yield _chosen(adapter.step(cache, chunk, [placed.position for placed in chunk], seen=range(len(chunk))), chunk)


def _chosen(logits: Tensor, tokens: Sequence[Placed]) -> list[float]:
    """Log-likelihood of each token by its row of the logits."""
    import torch

    ids = torch.tensor([placed.token for placed in tokens], device=logits.device).unsqueeze(1)
    values: list[float] = logits.float().log_softmax(dim=-1).gather(1, ids).squeeze(1).tolist()
    return values
