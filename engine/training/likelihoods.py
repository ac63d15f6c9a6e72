"""Exact held-out likelihoods: the objective's own sum over the holes, in bits per byte of hole text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
import torch

from engine.models.esolm_network import EsoLMNetwork
from engine.tokenization import SpecialTokens, Tokenizer
from engine.training.feeding import grouped
from engine.training.forward import hidden_rows
from engine.training.head import cross_entropies
from engine.training.objective import Row, collate, make_row
from engine.training.reveal import Order
from engine.training.samples import Sample


@dataclass(frozen=True, slots=True)
class Bits:
    """Likelihood of the holes of some samples. Empties count as bits but not as bytes or tokens."""

    bits: float
    hole_bytes: int
    hole_tokens: int
    samples: int

    @property
    def per_byte(self) -> float:
        """Bits per byte of hole text."""
        return self.bits / max(1, self.hole_bytes)


def hole_bits(
    network: EsoLMNetwork,
    tokenizer: Tokenizer,
    samples: Sequence[Sample],
    *,
    alpha_0: float,
    order: Order = Order.SUFFIX_FIRST,
    seed: int = 0,
    rows_per_batch: int = 4096,
) -> Bits:
    """-log2 p of all hole tokens and empties, in one random reveal order per sample, drawn from `seed`.

    Samples for a tokenizer that has no empty token must be `without_slack`.
    """
    special = _special(tokenizer)
    rows = [
        make_row(
            sample, special, np.random.default_rng((seed, number)),
            vocab_size=tokenizer.vocab_size, order=order, alpha_0=alpha_0,
        )
        for number, sample in enumerate(samples)
    ]  # fmt: skip
    return _bits(network, tokenizer, samples, rows, special, rows_per_batch)


def forward_bits(
    network: EsoLMNetwork, tokenizer: Tokenizer, samples: Sequence[Sample], *, rows_per_batch: int = 4096
) -> Bits:
    """-log2 p of the holes' tokens from left to right, each given only what stands before it: the suffix is hidden.
    Where a hole ends comes free."""
    special = _special(tokenizer)
    rows = [_forward_row(sample, special) for sample in samples]
    return _bits(network, tokenizer, samples, rows, special, rows_per_batch)


def without_slack(sample: Sample) -> Sample:
    """The same sample with holes as long as their text, for models that have no empty token."""
    pieces = (replace(piece, capacity=len(piece.ids)) if piece.is_hole else piece for piece in sample.pieces)
    return replace(sample, pieces=tuple(piece for piece in pieces if piece.ids))


def _forward_row(sample: Sample, special: SpecialTokens) -> Row:
    ids = [special.begin] if sample.starts and special.begin is not None else []
    predicted: list[int] = []
    last = max(index for index, piece in enumerate(sample.pieces) if piece.is_hole)
    for piece in sample.pieces[: last + 1]:
        if piece.is_hole:
            predicted += range(len(ids), len(ids) + len(piece.ids))
        ids += piece.ids
    return Row(ids, list(range(len(ids))), ids, predicted, [], 0)


def _special(tokenizer: Tokenizer) -> SpecialTokens:
    """The tokenizer's special ids. Where there is no empty token, nothing is ever empty: any id may stand for it."""
    empty = tokenizer.mask if tokenizer.empty is None else tokenizer.empty
    return SpecialTokens(tokenizer.mask, tokenizer.begin, tokenizer.end, empty, tokenizer.pad)


@torch.no_grad()
def _bits(
    network: EsoLMNetwork,
    tokenizer: Tokenizer,
    samples: Sequence[Sample],
    rows: Sequence[Row],
    special: SpecialTokens,
    rows_per_batch: int,
) -> Bits:
    device = network.vocab_embed.embedding.device
    nats = 0.0
    linear = network.output_layer.linear
    for group in grouped(rows, rows_per_batch):
        batch = collate(group, special).to(device)
        hidden = hidden_rows(network, batch)
        nats += float(cross_entropies(hidden, linear.weight, linear.bias, batch.targets).double().sum())
    pieces = [piece for sample in samples for piece in sample.pieces if piece.is_hole]
    size = sum(len(part) for piece in pieces for part in tokenizer.decode_pieces(piece.ids))
    return Bits(nats / log(2), size, sum(len(piece.ids) for piece in pieces), len(samples))
