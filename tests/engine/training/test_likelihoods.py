from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from engine import canvas
from engine.likelihood import score_span
from engine.models.esolm_network import EsoLMNetwork, EsoLMShape
from engine.tokenization import Tokenizer
from engine.training.checkpoint import read_model
from engine.training.likelihoods import Bits, forward_bits, hole_bits, without_slack
from engine.training.packing import PackingRules, pack
from engine.training.reveal import Order
from engine.training.samples import Piece, Sample
from engine.types import ContextOrder
from tests.engine.tiny import load_tiny, write_checkpoint
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


def test_the_trainer_and_the_engine_agree_on_a_likelihood(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path)
    network, config = read_model(folder)
    tokenizer = Tokenizer.load(folder, config.tokenizer_entry())
    before, hole, after = (tuple(tokenizer.encode(text)) for text in ("in the end ", "the hand and", " an end\n"))
    sample = Sample((Piece(before), Piece(hole, len(hole), is_hole=True), Piece(after)), starts=False, ends=False)
    bits = hole_bits(network, tokenizer, [sample], alpha_0=0.0, order=Order.SUFFIX_FIRST)
    adapter = load_tiny(folder)
    pieces = [canvas.Piece(ids=before), canvas.Piece(ids=hole, span=0), canvas.Piece(ids=after)]
    cache = adapter.new_cache()
    scores = score_span(adapter, lambda _: cache, pieces, 1, ContextOrder.SUFFIX_FIRST)
    assert bits.bits == pytest.approx(-sum(scores) / math.log(2), rel=1e-4)


def test_read_forward_a_hole_sees_nothing_of_what_follows(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path)
    network, config = read_model(folder)
    tokenizer = Tokenizer.load(folder, config.tokenizer_entry())
    before, hole, after = (tuple(tokenizer.encode(text)) for text in ("in the end ", "the hand and", " an end\n"))
    pieces = (Piece(before), Piece(hole, len(hole) + 5, is_hole=True), Piece(after))
    bits = forward_bits(network, tokenizer, [Sample(pieces, starts=False, ends=True)])
    assert bits == forward_bits(network, tokenizer, [Sample(pieces[:2], starts=False, ends=False)])
    assert bits.hole_bytes == len(b"the hand and")
    adapter = load_tiny(folder)
    cache = adapter.new_cache()
    known = [canvas.Piece(ids=before), canvas.Piece(ids=hole, span=0)]
    scores = score_span(adapter, lambda _: cache, known, 1, ContextOrder.PREFIX_FIRST)
    assert bits.bits == pytest.approx(-sum(scores) / math.log(2), rel=1e-4)


def test_without_slack_a_hole_is_as_long_as_its_text() -> None:
    pieces = (Piece((1, 2)), Piece((3,), 9, is_hole=True), Piece((), 4, is_hole=True), Piece((5,)))
    found = without_slack(Sample(pieces, starts=True, ends=False))
    assert found.pieces == (Piece((1, 2)), Piece((3,), 1, is_hole=True), Piece((5,)))
    assert found.starts
