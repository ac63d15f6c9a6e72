"""From a request to pieces: borders, windows, capacity, refusals."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from engine.canvas import Piece
from engine.errors import RequestError
from engine.framing import WINDOW_STEP, canvas_of, frame, mask_doubtful
from engine.models.base import ModelAdapter
from engine.types import InfillRequest, Mode, TextSpan
from tests.engine.tiny import load_tiny, write_checkpoint

TEXT = "The quick brown fox jumps over the lazy dog.\n"


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> ModelAdapter:
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint")))


def pieces_of(adapter: ModelAdapter, request: InfillRequest) -> list[Piece]:
    return frame(request, adapter.config, adapter.tokenizer)


def decode(adapter: ModelAdapter, piece: Piece) -> str:
    return adapter.tokenizer.decode(piece.ids)


def test_the_text_is_cut_at_characters_and_framed_by_begin_and_end(adapter: ModelAdapter) -> None:
    prefix, hole, suffix = pieces_of(adapter, InfillRequest(TEXT, (TextSpan(6, 9),)))
    special = adapter.config.special_tokens
    assert prefix.ids[0] == special.begin
    assert suffix.ids[-1] == special.end
    assert decode(adapter, prefix) == "The qu"
    assert decode(adapter, suffix) == TEXT[9:]
    assert hole.hole
    assert hole.capacity == 16


def test_new_text_is_bounded_by_the_length_of_what_it_replaces_unless_a_capacity_is_given(
    adapter: ModelAdapter,
) -> None:
    span = TextSpan(0, 40)
    tokens = len(adapter.tokenizer.encode(TEXT[:40]))
    _, hole, _ = pieces_of(adapter, InfillRequest(TEXT, (span,)))
    assert hole.least == tokens // 2
    assert tokens < (hole.limit or 0) < 2 * tokens
    _, given, _ = pieces_of(adapter, InfillRequest(TEXT, (span,), capacity=50))
    assert (given.least, given.limit) == (0, 50)
    _, inserted, _ = pieces_of(adapter, InfillRequest(TEXT, (TextSpan(4, 4),), mode=Mode.CONTINUE))
    assert inserted.least == 1


@pytest.mark.parametrize(("factor", "low", "high"), [(1.6, 1.28, 1.92), (0.6, 0.48, 0.72), (2.0, 1.6, 2.4)])
def test_a_text_that_is_to_be_longer_or_shorter_is_so_within_a_fifth(
    adapter: ModelAdapter, factor: float, low: float, high: float
) -> None:
    span = TextSpan(0, 40)
    tokens = len(adapter.tokenizer.encode(TEXT[:40]))
    _, hole, _ = pieces_of(adapter, InfillRequest(TEXT, (span,), length_factor=factor))
    assert low * tokens <= hole.least <= hole.capacity <= high * tokens
    assert hole.least > tokens if factor > 1 else hole.capacity < tokens


def test_a_model_that_cannot_end_a_hole_gets_one_of_the_length_that_was_asked_for(adapter: ModelAdapter) -> None:
    config = replace(adapter.config, special_tokens=replace(adapter.config.special_tokens, empty=None))
    tokens = len(adapter.tokenizer.encode(TEXT[:40]))
    pieces = frame(InfillRequest(TEXT, (TextSpan(0, 40),), length_factor=1.5), config, adapter.tokenizer)
    hole = next(piece for piece in pieces if piece.hole)
    assert hole.capacity == pytest.approx(1.5 * tokens, abs=1)


def test_one_word_can_become_longer_but_not_nothing(adapter: ModelAdapter) -> None:
    word = TextSpan(4, 6)
    tokens = len(adapter.tokenizer.encode(TEXT[4:6]))
    _, longer, _ = pieces_of(adapter, InfillRequest(TEXT, (word,), length_factor=1.1))
    assert longer.least == longer.capacity == tokens + 1
    _, shorter, _ = pieces_of(adapter, InfillRequest(TEXT, (TextSpan(4, 5),), length_factor=0.2))
    assert shorter.least == shorter.capacity == 1


def test_a_length_factor_means_nothing_to_refine_and_a_capacity_stays_the_most(adapter: ModelAdapter) -> None:
    refined = InfillRequest(TEXT, (TextSpan(0, 40),), mode=Mode.REFINE, length_factor=2.0)
    assert pieces_of(adapter, refined) == pieces_of(adapter, replace(refined, length_factor=None))
    _, hole, _ = pieces_of(adapter, InfillRequest(TEXT, (TextSpan(0, 40),), length_factor=2.0, capacity=10))
    assert (hole.least, hole.capacity) == (10, 10)


def test_a_least_length_holds_where_text_is_inserted(adapter: ModelAdapter) -> None:
    _, hole, _ = pieces_of(adapter, InfillRequest(TEXT, (TextSpan(20, 20),), least_tokens=8, capacity=40))
    assert (hole.least, hole.capacity) == (8, 40)
    _, free, _ = pieces_of(adapter, InfillRequest(TEXT, (TextSpan(20, 20),), least_tokens=0))
    assert free.least == 0


def test_a_window_of_a_document_gets_no_begin_and_no_end(adapter: ModelAdapter) -> None:
    request = InfillRequest(TEXT, (TextSpan(6, 9),), starts_document=False, ends_document=False)
    prefix, _, suffix = pieces_of(adapter, request)
    special = adapter.config.special_tokens
    assert special.begin not in prefix.ids
    assert special.end not in suffix.ids


def test_the_whole_file_can_be_selected(adapter: ModelAdapter) -> None:
    pieces = pieces_of(adapter, InfillRequest(TEXT, (TextSpan(0, len(TEXT)),)))
    assert [piece.hole for piece in pieces] == [False, True, False]  # begin, hole, end


def test_an_empty_document_can_be_continued(adapter: ModelAdapter) -> None:
    request = InfillRequest("", (TextSpan(0, 0),), mode=Mode.CONTINUE, ends_document=False)
    pieces = pieces_of(adapter, request)
    assert [piece.hole for piece in pieces] == [False, True]


def test_continuing_at_the_end_does_not_tell_the_model_that_the_document_is_over(adapter: ModelAdapter) -> None:
    special = adapter.config.special_tokens
    at_the_end = InfillRequest("The cat\n", (TextSpan(7, 7),), mode=Mode.CONTINUE)
    assert [piece.hole for piece in pieces_of(adapter, at_the_end)] == [False, True]
    before_text = InfillRequest("The cat sat", (TextSpan(7, 7),), mode=Mode.CONTINUE)
    assert pieces_of(adapter, before_text)[-1].ids[-1] == special.end


def test_crlf_is_shown_to_the_model_as_newline(adapter: ModelAdapter) -> None:
    prefix, _, suffix = pieces_of(adapter, InfillRequest("a\r\nb|c\r\nd", (TextSpan(4, 5),)))
    assert decode(adapter, prefix) == "a\nb"
    assert decode(adapter, suffix) == "c\nd"


@pytest.mark.parametrize("odd", ["\ud800", "\x00", "👩‍👩‍👧‍👦", "שלום", "e\u0301\u0301"])
def test_odd_text_never_becomes_a_special_token(adapter: ModelAdapter, odd: str) -> None:
    pieces = pieces_of(adapter, InfillRequest(f"{odd} x {odd}", (TextSpan(len(odd) + 1, len(odd) + 2),)))
    special = adapter.config.special_tokens
    ids = [token for piece in pieces for token in piece.ids]
    assert [token for token in ids if token in special.ids()] == [special.begin, special.end]


def test_a_long_document_is_cut_to_the_model_and_keeps_both_sides(adapter: ModelAdapter) -> None:
    text = TEXT * 60
    middle = len(text) // 2
    request = InfillRequest(text, (TextSpan(middle, middle + 10),))
    pieces = pieces_of(adapter, request)
    canvas = canvas_of(pieces, request, adapter.config)
    assert canvas.length <= adapter.config.context_length
    assert len(pieces[0].ids) >= 60
    assert len(pieces[-1].ids) >= 60
    assert text[:middle].endswith(decode(adapter, pieces[0]))
    assert text[middle + 10 :].startswith(decode(adapter, pieces[-1]))


def test_typing_moves_the_window_of_a_long_document_in_large_steps_only(adapter: ModelAdapter) -> None:
    text = TEXT * 60
    middle = len(text) // 2
    starts = set()
    for typed in range(WINDOW_STEP):
        longer = text[:middle] + "x" * typed + text[middle:]
        request = InfillRequest(longer, (TextSpan(middle + typed, middle + typed + 4),))
        pieces = pieces_of(adapter, request)
        starts.add(tuple(pieces[0].ids[:10]))
        assert canvas_of(pieces, request, adapter.config).length <= adapter.config.context_length
    assert len(starts) <= 2


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"alpha_0": 1.5}, "alpha_0"),
        ({"alpha_0": -0.1}, "alpha_0"),
        ({"alpha_0": math.nan}, "alpha_0"),
        ({"steps": 0}, "steps"),
        ({"steps": 30_000_000}, "steps must be .* at most 10,000"),
        ({"capacity": 0}, "capacity"),
        ({"capacity": 5000}, "too large"),
        ({"strength": 0.0}, "strength"),
        ({"temperature": -1.0}, "temperature"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_k": -1}, "top_k"),
        ({"min_p": 1.5}, "min_p"),
        ({"repetition_penalty": 0.9}, "repetition_penalty"),
        ({"length_factor": 9.0}, "length_factor"),
        ({"least_tokens": -1}, "least_tokens"),
        ({"context_tokens": 0}, "context_tokens"),
        ({"context_tokens": 5}, "too large"),
        ({"correction_passes": -1}, "correction_passes"),
        ({"variations": 0}, "variations"),
        ({"spans": ()}, "Nothing is selected"),
        ({"spans": (TextSpan(0, 5), TextSpan(4, 8))}, "overlap"),
        ({"spans": (TextSpan(0, 999),)}, "outside"),
        ({"mode": Mode.REFINE, "spans": (TextSpan(3, 3),)}, "refine"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_in_one_sentence(
    adapter: ModelAdapter, changes: dict[str, Any], word: str
) -> None:
    request = replace(InfillRequest(TEXT, (TextSpan(4, 9),)), **changes)
    with pytest.raises(RequestError, match=word):
        pieces_of(adapter, request)


def test_refine_masks_the_least_likely_share_and_joins_neighbors() -> None:
    pieces = [Piece(ids=(1, 2)), Piece(ids=(10, 11, 12, 13), span=0), Piece(ids=(3,))]
    masked = mask_doubtful(pieces, 0.5, lambda _pieces, _index: [-1.0, -5.0, -4.0, -0.5])
    assert masked == [
        Piece(ids=(1, 2)),
        Piece(ids=(10,), span=0),
        Piece(ids=(11, 12), span=0, hole=True, capacity=2),
        Piece(ids=(13,), span=0),
        Piece(ids=(3,)),
    ]


def test_refine_masks_at_least_one_token() -> None:
    masked = mask_doubtful([Piece(ids=(10, 11), span=0)], 0.01, lambda _pieces, _index: [-1.0, -2.0])
    assert [piece.hole for piece in masked] == [False, True]
