"""With which probability a token was drawn: the model's own, shaped by temperature, guard and cuts.

Dream ranks positions by it (`maskgit_plus`). The functions serve the processor and the GPU; none waits for a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from engine.sampling import SamplingRule

MANY = 256
"""Tokens among which a nucleus is looked for before the whole vocabulary is sorted."""

Falling = Callable[[Tensor, "SamplingRule"], Tensor]
"""(rows, vocab) probabilities -> (rows, n) of them in falling order, at least all that the cuts leave."""


class Ends(NamedTuple):
    """How the holes' ends were drawn (`engine.sampling.end_bar`), each (rows,): the highest chance of an empty token of
    the row and those before it in its hole, whether the row's hole drew its length at once, whether the row is empty by
    that."""

    chances: Tensor
    together: Tensor
    ended: Tensor


def left_by_cuts(values: Tensor, rule: SamplingRule) -> Tensor:
    """Probabilities in falling order, of which top-k has taken its share already -> zeros where nucleus and minimum
    probability cut; both (rows, n). The first token that passes top_p still belongs."""
    kept = values
    if rule.top_p < 1.0:
        before = values.cumsum(dim=-1, dtype=torch.float64) - values
        kept = values.masked_fill(before >= rule.top_p, 0.0)
    if rule.min_p > 0.0:
        kept = kept.masked_fill(values < rule.min_p * values[:, :1], 0.0)
    return kept


def as_drawn(
    logits: Tensor, tokens: Tensor, own: Tensor, rule: SamplingRule, ends: Ends | None, falling: Falling
) -> Tensor:
    """(rows,): the probability with which each token was drawn.

    Args:
        logits: (rows, vocab), after bans and guard; without the empty token where ends were drawn together.
        own: (rows,) the model's own probabilities, which are the answer at temperature 0.
    """
    if rule.temperature == 0.0:
        return own
    tempered = (logits / rule.temperature).softmax(dim=-1)
    share = tempered.gather(1, tokens.unsqueeze(1)).squeeze(1) / _held(tempered, rule, falling)
    if ends is None:
        return share
    coin = end_share(ends.chances, rule)
    return torch.where(ends.together, torch.where(ends.ended, coin, share * (1.0 - coin)), share)


def end_share(chances: Tensor, rule: SamplingRule) -> Tensor:
    """The probability with which a coin of these chances says *ends*, with the rule's temperature and nucleus."""
    tempered = torch.sigmoid(torch.logit(chances.double()) / rule.temperature)
    if rule.top_p <= 0.5:
        return (tempered > 0.5).double()
    return tempered.masked_fill(tempered > rule.top_p, 1.0).masked_fill(tempered <= 1.0 - rule.top_p, 0.0)


def falling_on_cpu(probabilities: Tensor, rule: SamplingRule) -> Tensor:
    """Sorts no more than is needed, which it has to look for."""
    values = probabilities.topk(min(rule.top_k or MANY, probabilities.shape[1]), dim=-1).values
    if rule.top_k > 0 or bool((values.sum(dim=-1, dtype=torch.float64) >= rule.top_p).all()):
        return values
    return probabilities.sort(dim=-1, descending=True).values


def falling_on_gpu(probabilities: Tensor, rule: SamplingRule) -> Tensor:
    """Sorts as much as may be needed."""
    if rule.top_k > 0:
        return probabilities.topk(min(rule.top_k, probabilities.shape[1]), dim=-1).values
    return probabilities.sort(dim=-1, descending=True).values


def _held(tempered: Tensor, rule: SamplingRule, falling: Falling) -> Tensor:
    """(rows,): what the cuts leave of each distribution."""
    if rule.top_k == 0 and rule.top_p >= 1.0:
        return tempered.masked_fill(tempered < rule.min_p * tempered.amax(dim=-1, keepdim=True), 0.0).sum(dim=-1)
    values = falling(tempered, rule)
    if rule.top_k == 0:
        return left_by_cuts(values, rule).sum(dim=-1)
    likeliest = values.sum(dim=-1, keepdim=True)  # the nucleus is of what top-k left
    return (left_by_cuts(values / likeliest, rule) * likeliest).sum(dim=-1)
