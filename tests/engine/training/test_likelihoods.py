from __future__ import annotations

import math

import pytest
import torch

from engine.models.esolm_network import EsoLMNetwork, EsoLMShape
from engine.training.likelihoods import Bits, hole_bits
from engine.training.packing import PackingRules, pack
from tests.engine.training.small import VOCAB, documents, small_tokenizer


def test_an_untrained_model_needs_the_bits_of_its_vocabulary() -> None:
    tokenizer = small_tokenizer()
    samples = next(pack(documents(), tokenizer, 20, PackingRules(windows=((64, 1.0),)), 0))
    network = EsoLMNetwork(EsoLMShape(VOCAB, 32, 2, 2, 1024))
    with torch.no_grad():
        network.vocab_embed.embedding.zero_()
    found = hole_bits(network, tokenizer, samples, alpha_0=0.0)
    holes = [piece for sample in samples for piece in sample.pieces if piece.is_hole]
    tokens = sum(len(hole.ids) for hole in holes)
    empties = sum(hole.capacity > len(hole.ids) for hole in holes)
    assert found.hole_tokens == tokens
    assert found.hole_bytes == sum(len(part) for hole in holes for part in tokenizer.decode_pieces(hole.ids))
    assert found.bits == pytest.approx((tokens + empties) * math.log2(VOCAB), rel=1e-4)
    assert found == hole_bits(network, tokenizer, samples, alpha_0=0.0)


def test_bits_per_byte() -> None:
    assert Bits(bits=30.0, hole_bytes=20, hole_tokens=5, samples=1).per_byte == 1.5
