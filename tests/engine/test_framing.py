"""From a request to pieces: borders, windows, capacity, refusals."""

from __future__ import annotations

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
        ({"steps": 0}, "steps"),
        ({"capacity": 0}, "capacity"),
        ({"capacity": 5000}, "too large"),
        ({"strength": 0.0}, "strength"),
        ({"temperature": -1.0}, "temperature"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_k": -1}, "top_k"),
        ({"min_p": 1.5}, "min_p"),
        ({"repetition_penalty": 0.9}, "repetition_penalty"),
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
