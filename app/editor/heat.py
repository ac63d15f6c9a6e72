"""Doubtful words under a heat of three levels, told apart by the shape of their line as well as by its color."""

from __future__ import annotations

from collections.abc import Iterable

from app.editor.indicators import Indicator
from app.editor.surface import Surface
from engine.types import TextSpan

HEAT = (Indicator.HEAT_LOW, Indicator.HEAT_MIDDLE, Indicator.HEAT_HIGH)
"""The indicators of levels 1, 2 and 3."""


class HeatMarks:
    """The marks of one surface. They are beside the text, never in it."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface

    def show(self, marks: Iterable[tuple[TextSpan, int]]) -> None:
        """Shows these spans (code points) at their level, 1 to 3, and no others."""
        surface = self._surface
        for indicator in HEAT:
            surface.setIndicatorCurrent(indicator)
            surface.indicatorClearRange(0, surface.length())
        for span, level in marks:
            start = surface.pos_at(span.start)
            surface.setIndicatorCurrent(HEAT[level - 1])
            surface.indicatorFillRange(start, surface.pos_at(span.end) - start)
