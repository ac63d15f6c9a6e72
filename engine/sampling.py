"""From logits to tokens: temperature, nucleus and exact inverse-CDF sampling.

The noise is exact: uniform numbers in float64 against a float64 cumulative sum. (Float32 Gumbel noise is biased at low
probabilities; arXiv 2409.02908.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

_CANDIDATES = (64, 1024)


@dataclass(frozen=True, slots=True)
class SamplingRule:
    """temperature 0 takes the likeliest token; `banned` ids are never written."""

    temperature: float
    top_p: float
    banned: tuple[int, ...]
    empty: int | None = None


@dataclass(frozen=True, slots=True)
class Sampled:
    """One token a row, with the model's own probability of it (temperature 1, no nucleus), both as plain lists."""

    tokens: list[int]
    probabilities: list[float]


def sample(logits: Tensor, rule: SamplingRule, may_end: Sequence[bool], generator: torch.Generator) -> Sampled:
    """Draws a token for every row.

    Args:
        logits: (rows, vocab); float32 or bfloat16, on any device. Not changed.
        may_end: per row, whether the empty token is allowed.
        generator: on the CPU; one uniform number is drawn a row, whatever the rule, so that runs stay comparable.
    """
    logits = logits.float()  # (rows, vocab)
    logits = logits.index_fill(1, torch.tensor(rule.banned, device=logits.device, dtype=torch.long), float("-inf"))
    if rule.empty is not None:
        ends = torch.tensor(list(may_end), device=logits.device)
        logits[:, rule.empty].masked_fill_(~ends, float("-inf"))
    uniform = torch.rand(logits.shape[0], generator=generator, dtype=torch.float64)
    probabilities = logits.softmax(dim=-1)
    if rule.temperature == 0.0:
        tokens = probabilities.argmax(dim=-1)
    else:
        tokens = _draw(logits, probabilities, rule, uniform.to(logits.device))
    chosen = probabilities.gather(1, tokens.unsqueeze(1)).squeeze(1)
    return Sampled(tokens.tolist(), chosen.tolist())


def _draw(logits: Tensor, probabilities: Tensor, rule: SamplingRule, uniform: Tensor) -> Tensor:
    tempered = probabilities if rule.temperature == 1.0 else (logits / rule.temperature).softmax(dim=-1)
    if rule.top_p >= 1.0:
        return _inverse_cdf(tempered, uniform)
    values, ids = _likeliest(tempered, rule.top_p)
    before = values.cumsum(dim=-1, dtype=torch.float64) - values
    nucleus = torch.where(before < rule.top_p, values, 0.0)  # the first token that passes top_p still belongs
    return ids.gather(1, _inverse_cdf(nucleus, uniform).unsqueeze(1)).squeeze(1)


def _likeliest(probabilities: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """Descending probabilities and their ids, as many as hold `top_p` in every row. Most nuclei are small: a partial
    selection of 64 costs a twentieth of a full sort."""
    for count in _CANDIDATES:
        if count < probabilities.shape[1]:
            values, ids = probabilities.topk(count, dim=-1)
            if bool((values.sum(dim=-1) >= top_p).all()):
                return values, ids
    return probabilities.sort(dim=-1, descending=True)


def _inverse_cdf(weights: Tensor, uniform: Tensor) -> Tensor:
    """(rows, n) weights that need not sum to 1, (rows,) uniform numbers in [0, 1) -> (rows,) indices."""
    cumulative = weights.cumsum(dim=-1, dtype=torch.float64)
    target = uniform.unsqueeze(1) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, target, right=True).squeeze(1).clamp_(max=weights.shape[1] - 1)
