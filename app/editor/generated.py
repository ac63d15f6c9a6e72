"""Marks the text that came from the model, for as long as it is not edited, and shows it when that is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.editor.edits import Edit
from app.editor.indicators import Indicator
from app.editor.mirroring import mirror
from app.editor.provenance import Origin, Provenance
from app.editor.spanmap import SpanMap
from app.editor.surface import Surface
from engine.types import TextSpan


class GeneratedMarks(QObject):
    """Follows one surface. The marks are beside the text, never in it.

    After an edit they are drawn a moment later: drawn in the middle of a modification, they would make Scintilla
    remember a caret for redo that has not moved yet.
    """

    changed = Signal()
    """There may be more or less generated text now."""
    drawn = Signal()
    """The marks were drawn anew; a copy of the text may lack them."""
    _soiled = Signal()

    def __init__(self, surface: Surface) -> None:
        super().__init__(surface)
        self._surface = surface
        self._provenance = Provenance()
        self._is_shown = False
        self._since: list[Edit] | None = None
        self._has_news = False
        self._dirty: tuple[int, int] | None = None
        surface.edited.connect(self._on_edited)
        self._soiled.connect(self._clean, Qt.ConnectionType.QueuedConnection)

    @property
    def ranges(self) -> tuple[TextSpan, ...]:
        """Where generated text stands, in code points, ascending."""
        return self._provenance.ranges

    @property
    def share(self) -> float:
        """Generated characters as a share of all, 0 to 1."""
        length = self._surface.code_points
        return self._provenance.size / length if length else 0.0

    def accept(self, spans: Iterable[TextSpan]) -> None:
        """What the last undo step has inserted in these spans came from the model."""
        self._provenance.accept(spans)
        self._paint(0, self._surface.code_points)
        self.changed.emit()

    def expect(self) -> None:
        """Ranges of the text as it is now are looked for; edits until `put` are taken into account there."""
        self._since = []

    def put(self, ranges: Sequence[TextSpan]) -> None:
        """Takes over the ranges that were looked for since `expect`; another text has come since, then it does not."""
        edits, self._since = self._since, None
        if edits is None:
            return
        self._provenance.put(ranges, self._surface.code_points, edits)
        self._paint(0, self._surface.code_points)
        self.changed.emit()

    def show(self, shown: bool) -> None:
        """Shows the marks in the text, or no longer."""
        self._is_shown = shown
        if shown:
            self._paint(0, self._surface.code_points)
        else:
            self._clear(0, self._surface.length())
        self.drawn.emit()

    def mirror(self, copy: Surface, spans: SpanMap) -> None:
        """Shows the marks in a copy of the text too, but for the spans that hold something else there. Cheap while
        nothing is new."""
        if not self._has_news:
            return
        self._has_news = False
        surface = self._surface
        shown = self._provenance.ranges if self._is_shown else ()
        ranges = [(surface.pos_at(span.start), surface.pos_at(span.end)) for span in shown]
        mirror(copy, spans, Indicator.GENERATED, ranges)

    @Slot()
    def forget_mirror(self) -> None:
        """There is another copy, without marks."""
        self._has_news = self._is_shown

    @Slot(object)
    def _on_edited(self, edit: Edit) -> None:
        surface, had = self._surface, bool(self._provenance.size)
        self._provenance.change(edit, surface.origin, begins_step=surface.begins_step)
        if surface.origin is Origin.LOAD:
            self._since = None
        elif self._since is not None:
            self._since.append(edit)
        if had or self._provenance.size:
            if edit.inserted or self._dirty is not None:  # an indicator grows with what is inserted in it
                self._soil(edit)
            self.changed.emit()

    def _soil(self, edit: Edit) -> None:
        """The marks between the first and the last edit since they were drawn are to be drawn anew."""
        low, high = self._dirty or (edit.start, edit.start)
        if high > edit.start:
            high = max(edit.start, high + edit.growth)
        if self._dirty is None:
            self._soiled.emit()
        self._dirty = min(low, edit.start), max(high, edit.start + edit.inserted)
        self._has_news = self._has_news or self._is_shown

    @Slot()
    def _clean(self) -> None:
        (low, high), self._dirty = self._dirty or (0, 0), None
        self._paint(low, high)
        self.drawn.emit()

    def _paint(self, start: int, end: int) -> None:
        if not self._is_shown:
            return
        surface = self._surface
        self._clear(surface.pos_at(start), surface.pos_at(end))
        for span in self._provenance.within(TextSpan(start, end)):
            pos = surface.pos_at(span.start)
            surface.indicatorFillRange(pos, surface.pos_at(span.end) - pos)

    def _clear(self, start: int, end: int) -> None:
        self._has_news = True
        self._surface.setIndicatorCurrent(Indicator.GENERATED)
        self._surface.indicatorClearRange(start, end - start)
