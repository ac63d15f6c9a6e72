"""Doubtful words under a heat of three levels, told apart by the shape of their line as well as by its color."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.editor.indicators import Indicator
from app.editor.mirroring import mirror
from app.editor.spanmap import SpanMap
from app.editor.surface import Surface
from engine.types import TextSpan

HEAT = (Indicator.HEAT_LOW, Indicator.HEAT_MIDDLE, Indicator.HEAT_HIGH)
"""The indicators of levels 1, 2 and 3."""


class HeatMarks(QObject):
    """The marks of one surface. They are beside the text, never in it.

    They are drawn a moment after `show`: drawn in the middle of a modification, they would make Scintilla remember a
    caret for redo that has not moved yet.
    """

    drawn = Signal()
    """The marks were drawn; a copy of the text may lack them."""
    _due = Signal()

    def __init__(self, surface: Surface) -> None:
        super().__init__(surface)
        self._surface = surface
        self._marks: tuple[tuple[TextSpan, int], ...] = ()
        self._has_news = False
        self._due.connect(self._draw, Qt.ConnectionType.QueuedConnection)

    def show(self, marks: Iterable[tuple[TextSpan, int]]) -> None:
        """Shows these spans (code points) at their level, 1 to 3, and no others."""
        wanted = tuple(marks)
        if wanted or self._marks:
            self._marks = wanted
            self._due.emit()

    def mirror(self, copy: Surface, spans: SpanMap) -> None:
        """Shows the marks in a copy of the text too. Cheap while nothing is new."""
        if self._has_news:
            self._has_news = False
            for level, indicator in enumerate(HEAT, start=1):
                mirror(copy, spans, indicator, self._ranges(level))

    @Slot()
    def forget_mirror(self) -> None:
        """There is another copy, without marks."""
        self._has_news = bool(self._marks)

    @Slot()
    def _draw(self) -> None:
        surface = self._surface
        for level, indicator in enumerate(HEAT, start=1):
            surface.setIndicatorCurrent(indicator)
            surface.indicatorClearRange(0, surface.length())
            for start, end in self._ranges(level):
                surface.indicatorFillRange(start, end - start)
        self._has_news = True
        self.drawn.emit()

    def _ranges(self, level: int) -> list[tuple[int, int]]:
        surface = self._surface
        return [(surface.pos_at(span.start), surface.pos_at(span.end)) for span, heat in self._marks if heat == level]
