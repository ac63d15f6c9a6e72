"""Several replacements in a surface as one undo step, which also brings back the selection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.editor import selection
from app.editor.edits import with_eol
from app.editor.replacing import Change, carried, gathered
from app.editor.surface import Surface, decoded, encoded
from engine.types import TextSpan


def write_spans(surface: Surface, changes: Iterable[Change], eol: str) -> bool:
    """Replaces disjoint spans, with these line ends; the caret ends up behind the last new text. Returns whether there
    were any."""
    places = _in_bytes(surface, [(start, end, with_eol(text, eol)) for start, end, text in sorted(changes)])
    if not places:
        return False
    surface.beginUndoAction()
    _write(surface, places)
    caret = places[-1][1] + sum(len(data) - (end - start) for start, end, data in places)
    surface.setSelection(caret, caret)
    surface.endUndoAction()
    surface.scrollCaret()
    return True


def write_found(surface: Surface, changes: Sequence[Change], eol: str, kept: Sequence[TextSpan]) -> None:
    """Replaces disjoint, ascending places, with these line ends.

    Every caret stays in the text where it is, behind the new text when it was in a replaced place. Of very many places
    neighbors are replaced together with what is between them, but for the `kept` spans.
    """
    written = [(start, end, with_eol(new, eol)) for start, end, new in changes]
    few = written
    if len(written) > 1:
        text = decoded(surface.text_bytes(0, surface.length()))
        few = gathered(written, text, [(span.start, span.end) for span in kept])
    places = _in_bytes(surface, few)
    carets = selection.carets(surface)
    moved = iter(carried([offset for pair in carets for offset in pair], written))
    surface.beginUndoAction()
    _write(surface, places)
    selection.put_carets(surface, list(zip(moved, moved, strict=True)))
    surface.endUndoAction()


def _in_bytes(surface: Surface, changes: Sequence[Change]) -> list[tuple[int, int, bytes]]:
    return [(surface.pos_at(start), surface.pos_at(end), encoded(text)) for start, end, text in changes]


def _write(surface: Surface, places: Sequence[tuple[int, int, bytes]]) -> None:
    for start, end, data in reversed(places):
        surface.replace(start, end, data)
