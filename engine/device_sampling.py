"""Sampling as `engine.sampling` does it, for logits that are on a GPU: the same numbers by operations that never wait
for one another's values, so that a step costs one small copy to the device and one back.

The random numbers are the same ones, drawn on the CPU in the same order; the cumulative sums are in float64, too. So
equal logits give equal tokens here and there, but for ties and for sums that differ in their last bits. With a nucleus
and no top-k it is the probabilities that are equal: the processor draws until it has drawn inside, which a GPU would
have to wait for, and here the vocabulary is sorted.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from engine.sampling import Sampled, SamplingRule, Score, end_bar
from engine.shaped import Ends, as_drawn, falling_on_gpu, left_by_cuts

LEAST_ROWS = 2
"""With one row, CUDA's cumulative sum is another one, whose last bits differ from run to run."""

Repeats = Sequence[Mapping[int, int]]
Holes = Sequence[tuple[int, int] | None]
Forbidden = Sequence[Collection[int]]


def sample_on_device(
    logits: Tensor,
    rule: SamplingRule,
    may_end: Sequence[bool],
    generator: torch.Generator,
    *,
    score: Score = Score.PROBABILITY,
    standing: Sequence[int] = (),
    repeats: Repeats = (),
    holes: Holes = (),
    forbidden: Forbidden = (),
) -> Sampled:
    """See `engine.sampling.sample`."""
    rows = logits.shape[0]
    if rows == 0:
        return Sampled([], [], [], [], [])
    told = _tell(logits.device, max(LEAST_ROWS, rows), rule, may_end, generator, standing, repeats, holes, forbidden)
    packed = decide(logits if rows >= LEAST_ROWS else logits.expand(LEAST_ROWS, -1), rule, score, told)
    tokens, probabilities, scores, judged, endings = packed.cpu().tolist()
    return Sampled(
        [int(token) for token in tokens[:rows]],
        probabilities[:rows],
        scores[:rows],
        judged[: len(standing)],
        endings[: rows if rule.empty is not None else 0],
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What the host decides about a draw, on the device.

    Attributes:
        uniform: (rows,) float64 in [0, 1).
        may_end: (rows,), whether the empty token is allowed.
        together: (rows,), whether a row's empty token is decided with the other rows of its hole; None: for no row.
        bar: (rows,) float64: the chance of an empty token that ends the hole is above this.
        before: (rows, rows), whether the second row's position is the first row's or before it in the same hole.
        standing: (rows,) tokens to be judged.
        repeats: rows, tokens, and what is added to their logits; None without a guard.
        forbidden: rows, and tokens that may not be drawn there; None for none.
    """

    uniform: Tensor
    may_end: Tensor
    together: Tensor | None
    bar: Tensor
    before: Tensor
    standing: Tensor
    repeats: tuple[Tensor, Tensor, Tensor] | None
    forbidden: tuple[Tensor, Tensor] | None


def decide(logits: Tensor, rule: SamplingRule, score: Score, told: Told) -> Tensor:
    """Draws, and waits for nothing.

    Returns:
        (5, rows) float64: tokens, their probabilities, their scores, probabilities of the standing tokens and of the
        empty one.
    """
    logits = logits.float().index_fill(1, _ids(rule.banned, logits.device), float("-inf"))  # (rows, vocab)
    if rule.empty is not None:
        logits[:, rule.empty].masked_fill_(~told.may_end, float("-inf"))
    if told.forbidden is not None:
        logits.index_put_(told.forbidden, logits.new_full((), float("-inf")))
    probabilities = logits.softmax(dim=-1)
    ends = None
    guarded = logits
    if rule.empty is not None and told.together is not None:
        chances = probabilities[:, rule.empty].double().expand_as(told.before)
        highest = chances.masked_fill(~told.before, 0.0).amax(dim=1)
        ends = Ends(highest, told.together, told.together & (highest > told.bar))
        logits[:, rule.empty].masked_fill_(told.together, float("-inf"))
    if told.repeats is not None:
        rows, tokens, change = told.repeats
        guarded = logits.index_put((rows, tokens), change, accumulate=True)
    own = probabilities if ends is None and guarded is logits else guarded.softmax(dim=-1)
    drawn = own.argmax(dim=-1) if rule.temperature == 0.0 else _draw(guarded, own, rule, told.uniform)
    if rule.empty is not None and ends is not None:
        drawn = drawn.masked_fill(ends.ended, rule.empty)
    chosen = probabilities.gather(1, drawn.unsqueeze(1)).squeeze(1)
    judged = probabilities.gather(1, told.standing.unsqueeze(1)).squeeze(1)
    endings = chosen if rule.empty is None else probabilities[:, rule.empty]
    if score is Score.SHAPED:
        scores = as_drawn(guarded, drawn, chosen, rule, ends, falling_on_gpu)
    else:
        scores = _scores(probabilities, chosen, score)
    columns = (drawn, chosen, scores, judged, endings)
    return torch.stack([column.double() for column in columns])


def _tell(
    device: torch.device,
    rows: int,
    rule: SamplingRule,
    may_end: Sequence[bool],
    generator: torch.Generator,
    standing: Sequence[int],
    repeats: Repeats,
    holes: Holes,
    forbidden: Forbidden,
) -> Told:
    """Draws the random numbers in the order of `engine.sampling.sample`; one copy, more with a guard or banned runs."""
    numbers = torch.zeros(5 + rows, rows, dtype=torch.float64)
    numbers[0, : len(may_end)] = torch.rand(len(may_end), generator=generator, dtype=torch.float64)
    numbers[1, : len(may_end)] = torch.tensor(may_end, dtype=torch.float64)
    numbers[2, : len(standing)] = torch.tensor(standing, dtype=torch.float64)
    together = rule.empty is not None and any(hole is not None for hole in holes)
    if together:
        _tell_holes(numbers, holes, rule, generator)
    sent = numbers.to(device, non_blocking=True)
    return Told(
        uniform=sent[0],
        may_end=sent[1].bool(),
        together=sent[3].bool() if together else None,
        bar=sent[4],
        before=sent[5:].bool(),
        standing=sent[2].long(),
        repeats=_tell_repeats(device, repeats, rule.repetition_penalty),
        forbidden=_tell_forbidden(device, forbidden),
    )


def _tell_holes(numbers: Tensor, holes: Holes, rule: SamplingRule, generator: torch.Generator) -> None:
    """Rows 3 and on: what `engine.sampling` decides a hole's length by (`_end_holes` there)."""
    known = [(hole, row) for row, hole in enumerate(holes) if hole is not None]
    kinds = sorted({number for (number, _), _ in known})
    drawn = torch.rand(len(kinds), generator=generator, dtype=torch.float64).tolist()
    bars = {number: end_bar(uniform, rule) for number, uniform in zip(kinds, drawn, strict=True)}
    for (number, position), row in known:
        numbers[3, row] = 1.0
        numbers[4, row] = bars[number]
        before = [other for (others, place), other in known if others == number and place <= position]
        numbers[5 + row, before] = 1.0


def _tell_repeats(device: torch.device, repeats: Repeats, penalty: float) -> tuple[Tensor, Tensor, Tensor] | None:
    entries = [(row, token, length) for row, tokens in enumerate(repeats) for token, length in tokens.items()]
    if not entries or penalty == 1.0:
        return None
    sent = torch.tensor(entries).to(device, non_blocking=True)
    return sent[:, 0], sent[:, 1], sent[:, 2] * -math.log(penalty)


def _tell_forbidden(device: torch.device, forbidden: Forbidden) -> tuple[Tensor, Tensor] | None:
    entries = [(row, token) for row, tokens in enumerate(forbidden) for token in sorted(tokens)]
    if not entries:
        return None
    sent = torch.tensor(entries).to(device, non_blocking=True)
    return sent[:, 0], sent[:, 1]


@lru_cache(maxsize=16)
def _ids(tokens: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.tensor(tokens, dtype=torch.long, device=device)


def _draw(logits: Tensor, own: Tensor, rule: SamplingRule, uniform: Tensor) -> Tensor:
    tempered = own if rule.temperature == 1.0 else (logits / rule.temperature).softmax(dim=-1)
    if rule.top_p >= 1.0 and rule.top_k == 0:
        if rule.min_p > 0.0:
            tempered = tempered.masked_fill(tempered < rule.min_p * tempered.amax(dim=-1, keepdim=True), 0.0)
        return _inverse_cdf(tempered, uniform)
    if rule.top_k > 0:
        values, ids = tempered.topk(min(rule.top_k, tempered.shape[1]), dim=-1)
        values = values / values.sum(dim=-1, keepdim=True)  # the nucleus is of what top-k left
    else:
        values, ids = tempered.sort(dim=-1, descending=True, stable=True)
    return ids.gather(1, _inverse_cdf(left_by_cuts(values, rule), uniform).unsqueeze(1)).squeeze(1)


def _inverse_cdf(weights: Tensor, uniform: Tensor) -> Tensor:
    cumulative = weights.cumsum(dim=-1, dtype=torch.float64)
    target = uniform.unsqueeze(1) * cumulative[:, -1:]
    found: Tensor = torch.searchsorted(cumulative, target, right=True)
    return found.squeeze(1).clamp_(max=weights.shape[1] - 1)


def _scores(probabilities: Tensor, chosen: Tensor, score: Score) -> Tensor:
    if score is Score.PROBABILITY:
        return chosen
    if score is Score.MARGIN:
        best = probabilities.topk(2, dim=-1).values
        return best[:, 0] - best[:, 1]
    entropies: Tensor = torch.special.entr(probabilities).sum(dim=-1)
    return -entropies
