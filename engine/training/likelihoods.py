"""Exact held-out likelihoods: the objective's own sum over the holes, in bits per byte of hole text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import torch

from engine.models.esolm_network import EsoLMNetwork
from engine.tokenization import Tokenizer
from engine.training.bpe import special_tokens
from engine.training.feeding import grouped
from engine.training.forward import hidden_rows
from engine.training.head import cross_entropies
from engine.training.objective import collate, make_row
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


@torch.no_grad()
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
    """-log2 p of all hole tokens and empties, in one random reveal order per sample, drawn from `seed`."""
    special = special_tokens(tokenizer.vocab_size)
    rows = [
        make_row(
            sample, special, np.random.default_rng((seed, number)),
            vocab_size=tokenizer.vocab_size, order=order, alpha_0=alpha_0,
        )
        for number, sample in enumerate(samples)
    ]  # fmt: skip
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
