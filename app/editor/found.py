"""Marks the found places that are in sight, and what is searched where that is not everything."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.editor.edits import Edit
from app.editor.indicators import Indicator
from app.editor.mirroring import mirror
from app.editor.search import Matches
from app.editor.spanmap import SpanMap
from app.editor.surface import Surface, encoded
from engine.types import TextSpan

MOST_MARKED = 2_000
"""Marks around the caret when more than so many are in sight."""


class FoundMarks(QObject):
    """The marks of one surface. They are beside the text, never in it.

    Only what is in sight and one screen around it has marks. After an edit the places are no longer known: the marks
    stay where Scintilla has moved them until `show` brings the new ones.
    """

    drawn = Signal()
    """The marks were drawn; a copy of the text may lack them."""
    _due = Signal()

    def __init__(self, surface: Surface, sight: Callable[[], tuple[int, int]]) -> None:
        """Args: sight: tells which bytes of the text are on the screen."""
        super().__init__(surface)
        self._surface, self._sight = surface, sight
        self._text = ""
        self._matches: Matches | None = None
        self._scope: tuple[TextSpan, ...] = ()
        self._drawn: list[tuple[int, int]] = []
        self._searched: list[tuple[int, int]] = []
        self._here: TextSpan | None = None
        self._covered: tuple[int, int] | None = None
        self._has_marks = self._has_news = False
        surface.edited.connect(self._on_edited)
        self._due.connect(self._draw, Qt.ConnectionType.QueuedConnection)

    def show(self, text: str, matches: Matches, scope: Sequence[TextSpan] = ()) -> None:
        """Marks these places of the text, which is the surface's, and no others."""
        self._text, self._matches, self._scope = text, matches, tuple(scope)
        self._covered = self._here = None
        if self._has_marks or len(matches) or scope:
            self._due.emit()

    def point_at(self, place: TextSpan | None) -> None:
        """Marks one of the places as the one that is selected, or none."""
        if place != self._here and self._matches is not None:
            self._here, self._covered = place, None
            self._due.emit()

    def clear(self) -> None:
        """Marks nothing any more."""
        self.show("", Matches())

    @Slot()
    def look(self, *_: object) -> None:
        """Another part of the text may be in sight. Cheap while it has its marks."""
        if self._matches and not self._covers(*self._sight()):
            self._due.emit()

    def mirror(self, copy: Surface, spans: SpanMap) -> None:
        """Shows the marks in a copy of the text too. Cheap while nothing is new."""
        if self._has_news:
            self._has_news = False
            mirror(copy, spans, Indicator.FOUND, self._drawn)
            mirror(copy, spans, Indicator.FOUND_HERE, self._pointed)
            mirror(copy, spans, Indicator.SEARCHED, self._searched)

    @Slot()
    def forget_mirror(self) -> None:
        """There is another copy, without marks."""
        self._has_news = self._has_marks

    @Slot(object)
    def _on_edited(self, _edit: Edit) -> None:
        if self._matches or self._scope:
            self._matches = None
        self._drawn, self._searched, self._here = [], [], None

    @Slot()
    def _draw(self) -> None:
        matches, surface = self._matches, self._surface
        if matches is None:
            return
        start, end = self._sight()
        if self._covers(start, end):
            return
        first, last = max(0, 2 * start - end), min(surface.length(), 2 * end - start)
        self._covered = first, last
        self._drawn = self._places(matches, surface.offset_at(first), surface.offset_at(last))
        self._searched = [(surface.pos_at(span.start), surface.pos_at(span.end)) for span in self._scope]
        for indicator, ranges in (
            (Indicator.FOUND, self._drawn),
            (Indicator.FOUND_HERE, self._pointed),
            (Indicator.SEARCHED, self._searched),
        ):
            surface.setIndicatorCurrent(indicator)
            surface.indicatorClearRange(0, surface.length())
            for begin, stop in ranges:
                surface.indicatorFillRange(begin, stop - begin)
        self._has_marks = bool(self._drawn or self._searched)
        self._has_news = True
        self.drawn.emit()

    @property
    def _pointed(self) -> list[tuple[int, int]]:
        place, surface = self._here, self._surface
        return [(surface.pos_at(place.start), surface.pos_at(place.end))] if place is not None else []

    def _covers(self, start: int, end: int) -> bool:
        return self._covered is not None and self._covered[0] <= start and end <= self._covered[1]

    def _places(self, matches: Matches, start: int, end: int) -> list[tuple[int, int]]:
        """The bytes of the found places in a range of code points, counted on from one to the next."""
        wanted = matches.between(start, end)
        if len(wanted) > MOST_MARKED:
            caret = bisect_left(matches.starts, self._surface.offset_at(self._surface.currentPos()))
            first = min(max(wanted.start, caret - MOST_MARKED // 2), wanted.stop - MOST_MARKED)
            wanted = range(first, first + MOST_MARKED)
        places = []
        at = matches.starts[wanted.start] if wanted else 0
        pos = self._surface.pos_at(at)
        for index in wanted:
            first, last = matches[index]
            pos += len(encoded(self._text[at:first]))
            at, begin = last, pos
            pos += len(encoded(self._text[first:last]))
            if first < last:
                places.append((begin, pos))
        return places
