"""Upper bounds on the bits that a model needs for whole windows of text, as the Eso-LM paper reports them: the NELBO,
and the importance-weighted bound over random orders (arXiv 2506.01928, section 5; IWAE, arXiv 1509.00519).

Hole likelihoods (engine.training.likelihoods) are exact along one order; here the order itself is summed out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log

import numpy as np
import torch
from torch import Tensor

from engine.config import Attention, CheckpointConfig, SpecialTokens
from engine.models.esolm_network import EsoLMNetwork
from engine.tokenization import Tokenizer
from engine.training.feeding import deal
from engine.training.forward import hidden_rows
from engine.training.head import cross_entropies
from engine.training.hybrid import LEAST_TIME, Hybrid, HybridRow, Phase, Window, collate_hybrid, noised, window_of
from engine.training.objective import Batch, Row, collate
from engine.training.samples import Sample

ROWS_PER_BATCH = 4096


def trained_objective(config: CheckpointConfig) -> Hybrid | None:
    """The hybrid whose bounds a checkpoint is judged by: its attention, at the one alpha_0 it was trained for. None if
    it was trained for a range of them."""
    low, high = config.trained_alpha_0
    return Hybrid(config.attention, low) if low == high else None


def nelbo(
    network: EsoLMNetwork,
    tokenizer: Tokenizer,
    samples: Sequence[Sample],
    hybrid: Hybrid,
    *,
    draws: int = 8,
    seed: int = 0,
) -> float:
    """Bits per byte of the samples' windows: both terms of the bound, each with `draws` draws a window, their times
    spread evenly."""
    special = special_of(tokenizer)
    windows = [window_of(sample, special) for sample in samples]
    phases = [phase for phase in Phase if hybrid.share(phase) > 0]
    rows: list[HybridRow] = []
    for number, window in enumerate(windows):
        generator = np.random.default_rng((seed, number))
        for draw in range(draws):
            time = LEAST_TIME + (1 - LEAST_TIME) * (draw + generator.random()) / draws
            rows += [noised(window, generator, hybrid, phase, time) for phase in phases]
    sizes = [len(row.ids) + len(row.targets) for row in rows]
    totals = _sums(network, sizes, lambda group: collate_hybrid([rows[index] for index in group], special))
    return float(totals.sum()) / draws / log(2) / size_of(tokenizer, windows)


def order_bound(
    network: EsoLMNetwork,
    tokenizer: Tokenizer,
    samples: Sequence[Sample],
    alpha_0: float,
    *,
    orders: int = 8,
    seed: int = 0,
) -> float:
    """Bits per byte of the samples' windows: -log of the mean of `orders` exact order likelihoods, at every order a
    binomial share alpha_0 of the tokens at random and the rest from left to right. At alpha_0 = 0 it is exact.

    Only for networks whose clean tokens see those before them in the order: one pass an order.
    """
    special = special_of(tokenizer)
    windows = [window_of(sample, special) for sample in samples]
    rows: list[Row] = []
    for number, window in enumerate(windows):
        generator = np.random.default_rng((seed, number))
        rows += [_ordered(window, alpha_0, generator) for _ in range(orders)]
    totals = _sums(
        network, [row.size for row in rows], lambda group: collate([rows[index] for index in group], special)
    )
    bounds = log(orders) - (-totals.view(len(windows), orders)).logsumexp(dim=1)
    return float(bounds.sum()) / log(2) / size_of(tokenizer, windows)


def bounds_of(
    network: EsoLMNetwork,
    tokenizer: Tokenizer,
    samples: Sequence[Sample],
    hybrid: Hybrid,
    *,
    orders: int = 8,
    seed: int = 0,
) -> dict[str, float]:
    """Both bounds by name; the second only for models whose order is one pass."""
    found = {"nelbo": nelbo(network, tokenizer, samples, hybrid, draws=orders, seed=seed)}
    if hybrid.attention is Attention.CAUSAL:
        found[f"orders_{orders}"] = order_bound(network, tokenizer, samples, hybrid.alpha_0, orders=orders, seed=seed)
    return {name: round(value, 4) for name, value in found.items()}


def special_of(tokenizer: Tokenizer) -> SpecialTokens:
    """The tokenizer's special ids."""
    return SpecialTokens(tokenizer.mask, tokenizer.begin, tokenizer.end, tokenizer.empty, tokenizer.pad)


def size_of(tokenizer: Tokenizer, windows: Sequence[Window]) -> int:
    """Bytes of the windows' text, at least 1."""
    return max(1, sum(len(part) for window in windows for part in tokenizer.decode_pieces(window.ids)))


def _ordered(window: Window, alpha_0: float, generator: np.random.Generator) -> Row:
    places = window.given + generator.permutation(window.noised)
    walked = int(generator.binomial(window.noised, alpha_0))
    order = [*range(window.given), *places[:walked].tolist(), *sorted(places[walked:].tolist())]
    ids = [window.ids[place] for place in order]
    return Row(ids, order, ids, list(range(window.given, len(order))), [], 0)


@torch.no_grad()
def _sums(network: EsoLMNetwork, sizes: Sequence[int], batch_of: Callable[[Sequence[int]], Batch]) -> Tensor:
    """Weighted -ln p of each row's targets, float64 (rows,); `batch_of` collates the rows of some indices."""
    linear = network.output_layer.linear
    totals = torch.zeros(len(sizes), dtype=torch.float64)
    for group in deal(sizes, ROWS_PER_BATCH):
        batch = batch_of(group)
        there = batch.to(linear.weight.device)
        each = cross_entropies(hidden_rows(network, there), linear.weight, linear.bias, there.targets).cpu()
        owners = torch.tensor(group).repeat_interleave(torch.tensor([extent.copies for extent in batch.extents]))
        totals.index_add_(0, owners, each.double() * batch.weights)
    return totals
