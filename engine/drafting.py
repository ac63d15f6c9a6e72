"""From a canvas to what a person sees: cells of whole characters, span by span."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from engine.canvas import Canvas, Piece
from engine.tokenization import Tokenizer
from engine.types import Cell, CellState, SpanDraft

DOUBT_BELOW = 0.02
"""An accepted token that the model gave less than this probability is shown as doubtful."""


def draft_spans(
    canvas: Canvas, tokenizer: Tokenizer, spans: int, step: int, *, keep_old: bool = False
) -> tuple[SpanDraft, ...]:
    """The state of every span after denoising step `step`: one cell a token, masked cells for what is to come.

    `keep_old`: for a run that was stopped; what is still masked has its old token back, where there was one (refine).

    A token that is half a character joins the cell that completes it; bytes that no neighbor completes are held back.
    """
    cells: list[list[Cell]] = [[] for _ in range(spans)]
    for start, piece in canvas.pieces:
        if piece.span is not None:
            cells[piece.span].extend(_piece_cells(canvas, tokenizer, start, piece, step, keep_old=keep_old))
    return tuple(SpanDraft(tuple(row)) for row in cells)


def span_texts(canvas: Canvas, tokenizer: Tokenizer, spans: int) -> tuple[str, ...]:
    """The text of every span, decoded as a whole; bytes that are no characters are left out."""
    pieces: list[list[bytes]] = [[] for _ in range(spans)]
    for start, piece in canvas.pieces:
        if piece.span is not None:
            ids = [] if piece.hole else list(piece.ids)
            if piece.hole:
                positions = range(start, start + piece.capacity)
                ids = [canvas.written[p].token for p in positions if p in canvas.written]
            pieces[piece.span].extend(tokenizer.decode_pieces(ids))
    return tuple(b"".join(parts).decode("utf-8", errors="ignore") for parts in pieces)


def _piece_cells(
    canvas: Canvas, tokenizer: Tokenizer, start: int, piece: Piece, step: int, *, keep_old: bool
) -> Iterator[Cell]:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
    if not piece.hole:
        for data in tokenizer.decode_pieces(piece.ids):
            if text := decoder.decode(data):
                yield Cell(text, CellState.KEPT, 1.0)
        return
    for position in range(start, canvas.hole_of(start).end if piece.capacity else start):
        written = canvas.written.get(position)
        if written is None and keep_old and piece.ids:
            if text := decoder.decode(tokenizer.decode_pieces([piece.ids[position - start]])[0]):
                yield Cell(text, CellState.KEPT, 1.0)
        elif written is None:
            decoder.reset()
            yield Cell("", CellState.MASKED)
        elif text := decoder.decode(tokenizer.decode_pieces([written.token])[0]):
            yield Cell(text, _state(written.probability, written.step, step), written.probability)


def _state(probability: float, written_at: int, step: int) -> CellState:
    if written_at == step:
        return CellState.REVEALED
    return CellState.DOUBTFUL if probability < DOUBT_BELOW else CellState.ACCEPTED
