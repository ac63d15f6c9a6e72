"""Scintilla's selections as spans of code points, and back."""

from __future__ import annotations

from collections.abc import Sequence

from app.editor.edits import merged
from app.editor.surface import Surface
from engine.types import TextSpan


def selected_spans(surface: Surface) -> list[TextSpan]:
    """The selected spans, ascending and merged; none for bare carets. A character that is cut belongs to its span."""
    spans = []
    for number in range(surface.selections()):
        start, end = surface.selectionNStart(number), surface.selectionNEnd(number)
        if start < end:
            first, last = surface.whole_character(start), surface.whole_character(end, outward_end=True)
            spans.append(TextSpan(surface.offset_at(first), surface.offset_at(last)))
    return merged(spans)


def select_spans(surface: Surface, spans: Sequence[TextSpan]) -> None:
    """Selects these spans, the last one as the main one, carets at their ends."""
    for number, span in enumerate(spans):
        caret, anchor = surface.pos_at(span.end), surface.pos_at(span.start)
        if number == 0:
            surface.setSelection(caret, anchor)
        else:
            surface.addSelection(caret, anchor)


def carets(surface: Surface) -> list[tuple[int, int]]:
    """Caret and anchor of every selection in code points, the main one last."""
    main = surface.mainSelection()
    numbers = [number for number in range(surface.selections()) if number != main]
    places = [(surface.selectionNCaret(number), surface.selectionNAnchor(number)) for number in (*numbers, main)]
    return [(surface.offset_at(caret), surface.offset_at(anchor)) for caret, anchor in places]


def put_carets(surface: Surface, places: Sequence[tuple[int, int]]) -> None:
    """Makes these the selections: caret and anchor in code points, the main one last."""
    for number, (caret, anchor) in enumerate(places):
        place = surface.pos_at(caret), surface.pos_at(anchor)
        if number == 0:
            surface.setSelection(*place)
        else:
            surface.addSelection(*place)


def caret_place(surface: Surface) -> tuple[int, int]:
    """Line and column of the main caret, in code points, both from 1."""
    pos = surface.currentPos()
    line = surface.lineFromPosition(pos)
    return line + 1, surface.offset_at(pos) - surface.offset_at(surface.positionFromLine(line)) + 1


def state(surface: Surface) -> tuple[int, ...]:
    """What to compare in order to know whether a caret has moved."""
    start, end = surface.selectionStart(), surface.selectionEnd()
    return surface.currentPos(), surface.anchor(), surface.selections(), start, end
