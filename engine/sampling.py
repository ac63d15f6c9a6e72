"""From logits to tokens: temperature, top-k, nucleus, minimum probability, repetition guard; exact sampling.

The noise is exact: uniform numbers in float64 against a float64 cumulative sum. (Float32 Gumbel noise is biased at low
probabilities; arXiv 2409.02908.)
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor

from engine.shaped import Ends, as_drawn, falling_on_cpu, left_by_cuts


@dataclass(frozen=True, slots=True)
class SamplingRule:
    """How a token is drawn. The cuts apply in this order, each to what the one before it left.

    Attributes:
        temperature: 0 takes the likeliest token.
        top_p: nucleus (arXiv 1904.09751): the likeliest tokens that together hold this probability; 1: all.
        banned: ids that are never written.
        empty: the id that ends a hole; None where the model knows none.
        top_k: the likeliest k tokens (arXiv 1805.04833), before the nucleus; 0: all.
        min_p: tokens with at least this share of the likeliest one's probability (arXiv 2407.01082); 0: all.
        banned_runs: ids that never stand side by side (`engine.samplers.banning`).
        repetition_penalty: a token that would repeat a run of m tokens nearby is made this many times less likely, to
            the power of m (see `engine.samplers.repetition`); 1: off.
    """

    temperature: float
    top_p: float
    banned: tuple[int, ...]
    empty: int | None = None
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    banned_runs: tuple[tuple[int, ...], ...] = ()


class Score(Enum):
    """What a sampler takes for the sureness of a position; higher is surer. All but SHAPED are of the model's own
    distribution."""

    PROBABILITY = "probability"
    """Probability of the drawn token."""
    SHAPED = "shaped"
    """Probability with which the token was drawn: after temperature, guard and cuts. At temperature 0 its own."""
    MARGIN = "margin"
    """Probability of the likeliest token less that of the second."""
    ENTROPY = "entropy"
    """Entropy in nats, negative."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """One token a row, with the model's own probability of it (temperature 1, no cut, no guard), as plain lists.

    Attributes:
        scores: as asked for by `score`.
        standing: the model's own probability of each of the `standing` tokens that were asked about.
        endings: probability of the empty token in each row; none where the model knows no such token.
    """

    tokens: list[int]
    probabilities: list[float]
    scores: list[float]
    standing: list[float]
    endings: list[float]


def sample(
    logits: Tensor,
    rule: SamplingRule,
    may_end: Sequence[bool],
    generator: torch.Generator,
    *,
    score: Score = Score.PROBABILITY,
    standing: Sequence[int] = (),
    repeats: Sequence[Mapping[int, int]] = (),
    holes: Sequence[tuple[int, int] | None] = (),
    forbidden: Sequence[Collection[int]] = (),
) -> Sampled:
    """Draws a token for every row.

    Args:
        logits: (rows, vocab); float32 or bfloat16, on any device. Not changed.
        may_end: per row, whether the empty token is allowed.
        generator: on the CPU; one uniform number is drawn a row, whatever the rule, so that runs stay comparable.
        standing: tokens that stand at the first rows' positions, to be judged beside the draw.
        repeats: per row the tokens that would repeat the text nearby, with how many tokens they would repeat.
        holes: per row (hole, position) where the rows of a hole are drawn at once: see `_end_holes`. None, or all
            left out: the row draws its empty token like any other.
        forbidden: per row, more tokens that may not be drawn there.
    """
    logits = logits.float()  # (rows, vocab)
    logits = logits.index_fill(1, torch.tensor(rule.banned, device=logits.device, dtype=torch.long), float("-inf"))
    if rule.empty is not None:
        ends = torch.tensor(list(may_end), device=logits.device)
        logits[:, rule.empty].masked_fill_(~ends, float("-inf"))
    for row, tokens in enumerate(forbidden):
        if tokens:
            logits[row, list(tokens)] = float("-inf")
    uniform = torch.rand(logits.shape[0], generator=generator, dtype=torch.float64)
    probabilities = logits.softmax(dim=-1)
    ended: list[int] = []
    together = [row for row, hole in enumerate(holes) if hole is not None]
    highest: list[float] = []
    endings: list[float] = probabilities[:, rule.empty].tolist() if rule.empty is not None else []
    if rule.empty is not None and together:
        highest = _highest_so_far(endings, holes)
        ended = _end_holes(highest, holes, rule, generator)
        logits[together, rule.empty] = float("-inf")
    guarded = _guard(logits, repeats, rule.repetition_penalty)
    own = probabilities if guarded is logits and not together else guarded.softmax(dim=-1)
    tokens = own.argmax(dim=-1) if rule.temperature == 0.0 else _draw(guarded, own, rule, uniform.to(logits.device))
    if rule.empty is not None and ended:
        tokens[torch.tensor(ended, device=tokens.device)] = rule.empty
    of_tokens = probabilities.gather(1, tokens.unsqueeze(1)).squeeze(1)
    chosen: list[float] = of_tokens.tolist()
    if score is Score.SHAPED:
        coins = _ends(highest, together, ended, tokens.device) if highest else None
        scores: list[float] = as_drawn(guarded, tokens, of_tokens, rule, coins, falling_on_cpu).tolist()
    else:
        scores = chosen if score is Score.PROBABILITY else _scores(probabilities, score)
    return Sampled(tokens.tolist(), chosen, scores, _judge(probabilities, standing), endings)


def _highest_so_far(chances: Sequence[float], holes: Sequence[tuple[int, int] | None]) -> list[float]:
    """Of each row that shares a draw, the highest chance of an empty token up to it in its hole; 0 of others."""
    highest, before = [0.0] * len(chances), dict[int, float]()
    known = sorted((hole, row) for row, hole in enumerate(holes) if hole is not None)
    for (number, _), row in known:
        highest[row] = before[number] = max(chances[row], before.get(number, 0.0))
    return highest


def _end_holes(
    highest: Sequence[float],
    holes: Sequence[tuple[int, int] | None],
    rule: SamplingRule,
    generator: torch.Generator,
) -> list[int]:
    """Rows whose token is the empty one, decided together for every hole.

    The chance of an empty token at a position is the chance that the text is no longer than that. For several positions
    these events contain one another, so their joint distribution is known: one uniform number decides the length for
    all rows of a hole. Drawn one by one, the shortest of many draws would win, and parallel steps would write too
    little. Temperature and nucleus are those of a coin (`end_bar`); applied to tokens they would favor the one empty
    token over many words that share their chance. Temperature 0 takes the median length. A network's chances may fall
    along a hole; then the highest one so far (`highest`) is that of the text being no longer.
    """
    known = [(hole, row) for row, hole in enumerate(holes) if hole is not None]
    numbers = sorted({number for (number, _), _ in known})
    drawn = torch.rand(len(numbers), generator=generator, dtype=torch.float64).tolist()
    bars = {number: end_bar(uniform, rule) for number, uniform in zip(numbers, drawn, strict=True)}
    return [row for (number, _), row in known if highest[row] > bars[number]]


def end_bar(uniform: float, rule: SamplingRule) -> float:
    """A text ends where the chance of that is above this bar: so a coin falls whose two sides have the rule's
    temperature and nucleus. The chance c of an end becomes c^(1/T) / (c^(1/T) + (1 - c)^(1/T))."""
    inside = min(max(uniform, 1.0 - rule.top_p), rule.top_p) if rule.top_p > 0.5 else 0.5
    if inside <= 0.0 or inside >= 1.0:
        return inside
    return 1.0 / (1.0 + math.pow((1.0 - inside) / inside, rule.temperature))


def _guard(logits: Tensor, repeats: Sequence[Mapping[int, int]], penalty: float) -> Tensor:
    entries = [(row, token, length) for row, tokens in enumerate(repeats) for token, length in tokens.items()]
    if not entries or penalty == 1.0:
        return logits
    rows, tokens, lengths = (torch.tensor(column, device=logits.device) for column in zip(*entries, strict=True))
    return logits.index_put((rows, tokens), lengths * -math.log(penalty), accumulate=True)


def _ends(chances: Sequence[float], together: Collection[int], ended: Collection[int], device: torch.device) -> Ends:
    rows = range(len(chances))
    marks = ([row in chosen for row in rows] for chosen in (set(together), set(ended)))
    return Ends(torch.tensor(chances, device=device), *(torch.tensor(mark, device=device) for mark in marks))


def _scores(probabilities: Tensor, score: Score) -> list[float]:
    if score is Score.MARGIN:
        best = probabilities.topk(2, dim=-1).values
        result = best[:, 0] - best[:, 1]
    else:
        result = -torch.special.entr(probabilities).sum(dim=-1)
    scores: list[float] = result.tolist()
    return scores


def _judge(probabilities: Tensor, tokens: Sequence[int]) -> list[float]:
    if not tokens:
        return []
    ids = torch.tensor(tokens, device=probabilities.device).unsqueeze(1)
    judged: list[float] = probabilities[: len(tokens)].gather(1, ids).squeeze(1).tolist()
    return judged


def _draw(logits: Tensor, own: Tensor, rule: SamplingRule, uniform: Tensor) -> Tensor:
    tempered = own if rule.temperature == 1.0 else (logits / rule.temperature).softmax(dim=-1)
    if rule.top_k > 0:
        return _draw_of_likeliest(tempered, rule, uniform)
    weights = tempered
    if rule.min_p > 0.0:
        weights = torch.where(weights >= rule.min_p * weights.amax(dim=-1, keepdim=True), weights, 0.0)
    return (
        _inverse_cdf(weights, uniform)
        if rule.top_p >= 1.0
        else _draw_of_nucleus(weights, tempered, rule.top_p, uniform)
    )


def _draw_of_likeliest(probabilities: Tensor, rule: SamplingRule, uniform: Tensor) -> Tensor:
    values, ids = probabilities.topk(min(rule.top_k, probabilities.shape[1]), dim=-1)
    values = values / values.sum(dim=-1, keepdim=True)  # the nucleus is of what top-k left
    return ids.gather(1, _inverse_cdf(left_by_cuts(values, rule), uniform).unsqueeze(1)).squeeze(1)


def _draw_of_nucleus(weights: Tensor, probabilities: Tensor, top_p: float, uniform: Tensor) -> Tensor:
    """From `weights` within the nucleus of `probabilities`, both (rows, vocab): exact, and without sorting, which takes
    thirty times as long where the distribution is flat.

    A token belongs to the nucleus if what is ahead of it (likelier, or as likely and of a smaller id) holds less than
    `top_p`. One that was drawn outside is struck out with all that is not ahead of it, for that is outside too; then
    the row draws again. The proportions within the nucleus stay as they are (rejection sampling).
    """
    tokens = _inverse_cdf(weights, uniform)
    own = probabilities.gather(1, tokens.unsqueeze(1))  # (rows, 1)
    earlier = torch.arange(probabilities.shape[1], device=tokens.device) < tokens.unsqueeze(1)
    ahead = (probabilities > own) | ((probabilities == own) & earlier)
    held = torch.where(ahead, probabilities, 0.0).sum(dim=-1, dtype=torch.float64)
    outside = (held >= top_p).nonzero().squeeze(1)
    if outside.numel():
        left = torch.where(ahead[outside], weights[outside], 0.0)
        tokens[outside] = _draw_of_nucleus(left, probabilities[outside], top_p, _next_uniform(uniform[outside]))
    return tokens


def _next_uniform(uniform: Tensor) -> Tensor:
    """Another number for each of these, made from nothing else: how often a row draws does not change other rows."""
    sources = [torch.Generator().manual_seed(int(number * 2**53)) for number in uniform.tolist()]
    drawn = [torch.rand((), generator=source, dtype=torch.float64) for source in sources]
    return torch.stack(drawn).to(uniform.device)


def _inverse_cdf(weights: Tensor, uniform: Tensor) -> Tensor:
    """(rows, n) weights that need not sum to 1, (rows,) uniform numbers in [0, 1) -> (rows,) indices."""
    cumulative = weights.cumsum(dim=-1, dtype=torch.float64)
    target = uniform.unsqueeze(1) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, target, right=True).squeeze(1).clamp_(max=weights.shape[1] - 1)
