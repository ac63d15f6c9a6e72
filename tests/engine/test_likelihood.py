"""Exact likelihoods in two passes against one pass a token."""

from __future__ import annotations

import pytest

from engine.canvas import Piece, Placed, Written, lay_out
from engine.denoise import prefill
from engine.likelihood import canvas_likelihood, doubt_span
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


def test_the_likelihood_of_a_written_canvas_equals_one_pass_a_token_and_counts_the_ends(adapter: ModelAdapter) -> None:
    empty = adapter.config.special_tokens.empty
    assert empty is not None
    pieces = [
        Piece(ids=tuple(range(20))),
        Piece(span=0, hole=True, capacity=6),  # ends early
        Piece(ids=tuple(range(30, 45))),
        Piece(span=1, hole=True, capacity=2),  # is full: nothing is to be said of its end
        Piece(ids=(7,)),
    ]
    canvas = lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=1, empty=empty)
    first, second = canvas.holes
    for position, token in ((second.start + 1, 9), (first.start + 3, empty), (first.start, 11), (second.start, 8)):
        assert canvas.accept(position, Written(token, 0.5, 1))
    for place, token in enumerate((12, 13), start=1):
        assert canvas.accept(first.start + place, Written(token, 0.5, 2))
    assert not canvas.masked()
    cache = adapter.new_cache()
    for _ in prefill(adapter, cache, canvas.context):
        pass
    adapter.step(cache, [Placed(5, 400)], ())  # as a run leaves something behind

    total, count = canvas_likelihood(adapter, cache, canvas)

    assert cache.order == list(canvas.context)
    cache.check_integrity()
    expected, fed = 0.0, list[Placed]()
    texts = ((first.start, (11, 12, 13, empty)), (second.start, (8, 9)))
    for start, tokens in texts:
        for position, token in enumerate(tokens, start=start):
            logits = adapter.step(cache, fed, [position])
            expected += float(logits.float().log_softmax(-1)[0, token])
            fed = [Placed(token, position)]
    assert total == pytest.approx(expected, abs=1e-4)
    assert count == 6
