"""Texts, and drafts of parts of them, for the tests of the preview."""

from __future__ import annotations

from app.editor.draft import Look, SpanPreview
from engine.types import Cell, CellState, TextSpan

LINES = "".join(f"line {number:03}\n" for number in range(200))
FUNCTIONS = "".join(f"def f{number}():\n    a = {number}\n    return a\n\n\n" for number in range(30))


def draft(text, span, written, look=Look.DRAFT):
    start = text.index(span)
    cells = tuple(Cell(word, CellState.ACCEPTED, 0.9) for word in written)
    return SpanPreview(TextSpan(start, start + len(span)), cells, look, span)


def shown(view):
    return view.preview.text_bytes(0, view.preview.length()).decode()
