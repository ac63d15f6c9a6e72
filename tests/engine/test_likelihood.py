"""Exact likelihoods in two passes against one pass a token."""

from __future__ import annotations

import pytest

from engine.canvas import Piece, Placed, lay_out
from engine.denoise import prefill
from engine.likelihood import doubt_span
from engine.models.base import ModelAdapter
from engine.types import ContextOrder
from tests.engine.tiny import load_tiny, write_checkpoint


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> ModelAdapter:
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint")))


def test_the_likelihood_of_a_span_equals_one_pass_a_token_in_both_directions(adapter: ModelAdapter) -> None:
    span = (11, 12, 13, 14, 15)
    pieces = [Piece(ids=tuple(range(20))), Piece(ids=span, span=0), Piece(ids=tuple(range(30, 45)))]
    cache = adapter.new_cache()
    scores = doubt_span(adapter, lambda _order: cache, pieces, 1, ContextOrder.SUFFIX_FIRST)
    cache.check_integrity()

    hole = lay_out(
        [pieces[0], Piece(span=0, hole=True, capacity=5), pieces[2]],
        order=ContextOrder.SUFFIX_FIRST,
        grid=1,
        empty=None,
    )
    tokens = [Placed(token, 20 + i) for i, token in enumerate(span)]

    def one_by_one(order: list[Placed]) -> dict[int, float]:
        fresh = adapter.new_cache()
        for _ in prefill(adapter, fresh, hole.context):
            pass
        result = {}
        fed: list[Placed] = []
        for placed in order:
            logits = adapter.step(fresh, fed, [placed.position])
            result[placed.position] = float(logits.float().log_softmax(-1)[0, placed.token])
            fed = [placed]
        return result

    forwards, backwards = one_by_one(tokens), one_by_one(tokens[::-1])
    expected = [(forwards[p.position] + backwards[p.position]) / 2 for p in tokens]
    assert scores == pytest.approx(expected, abs=1e-4)
