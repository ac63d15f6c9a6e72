"""The brace beside the caret and its partner are marked, a brace without one too."""

from __future__ import annotations

from app.editor.indicators import Indicator
from app.editor.surface import Surface

_BRACES = frozenset(b"()[]{}")
_FARTHEST = 200_000
"""Bytes a document may have for braces to be looked for at each move of the caret."""


class BraceMatch:
    """Marks braces as the caret moves."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        surface.braceHighlightIndicator(True, Indicator.BRACE_MATCH)
        surface.braceBadLightIndicator(True, Indicator.BRACE_BAD)

    def update(self) -> None:
        """Marks what belongs to the caret's place."""
        surface = self._surface
        at = self._brace_pos()
        if at is None or surface.length() > _FARTHEST:
            surface.braceHighlight(-1, -1)
            return
        partner = surface.braceMatch(at, 0)
        if partner >= 0:
            surface.braceHighlight(at, partner)
        else:
            surface.braceBadLight(at)

    def _brace_pos(self) -> int | None:
        pos = self._surface.currentPos()
        for place in (pos - 1, pos):
            if place >= 0 and self._surface.charAt(place) & 0xFF in _BRACES:
                return place
        return None
