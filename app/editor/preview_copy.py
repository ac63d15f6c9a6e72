"""A copy of the real text whose spans hold drafts, kept true to every edit of the real text."""

from __future__ import annotations

from collections.abc import Sequence

from app.editor import appearance
from app.editor.draft import MaskLayout, SpanPreview, render
from app.editor.indicators import Indicator
from app.editor.spanmap import SpanMap
from app.editor.stale import mark_stale
from app.editor.surface import Surface, decoded
from engine.types import TextSpan

_DRAFT_INDICATORS = (
    Indicator.MASKED,
    Indicator.REVEALED,
    Indicator.REVEALED_TEXT,
    Indicator.ACCEPTED,
    Indicator.DOUBTFUL,
    Indicator.PROPOSAL,
    Indicator.BEFORE,
    Indicator.REMOVED,
    Indicator.REMOVED_TEXT,
    Indicator.ADDED,
    Indicator.LOCKED,
    Indicator.MASKED_AGAIN,
)
_MARKS_OF_THE_TEXT = (
    Indicator.GENERATED,
    Indicator.HEAT_LOW,
    Indicator.HEAT_MIDDLE,
    Indicator.HEAT_HIGH,
    Indicator.FOUND,
    Indicator.FOUND_HERE,
    Indicator.SEARCHED,
)


class PreviewCopy:
    """Writes into the surface `shown` what `real` has, with drafts in the place of spans. Spans are bytes of `real`."""

    def __init__(self, shown: Surface, real: Surface) -> None:
        self._shown, self._real = shown, real
        self._layouts: list[MaskLayout] = []
        self._drawn: list[object] = []
        self._has_stale = self._has_old_lines = False
        self.map = SpanMap(())
        """Where the spans are in the real text and in the copy."""

    def take(self) -> None:
        """Copies the real text as it is."""
        self._reset()
        self._shown.load(self._real.text_bytes(0, self._real.length()))
        self._shown.setUndoCollection(False)

    def forget(self) -> None:
        """Empties the copy."""
        self._reset()
        self._shown.load(b"")

    def show(self, previews: Sequence[SpanPreview], stale: Sequence[TextSpan]) -> None:
        """Shows these, ascending: replaces what differs in their spans, and nothing else.

        Spans that were shown and are not among these show the real text again. `stale` ones are only marked.
        """
        real = self._real
        changed, self._has_old_lines = self._has_old_lines, False
        changed |= self._match([(real.pos_at(item.span.start), real.pos_at(item.span.end)) for item in previews])
        for index, preview in enumerate(previews):
            if self._drawn[index] != _content(preview):
                self._draw(index, preview)
                changed = True
        if changed:
            self._mark_lines()
        if stale or self._has_stale:
            self._has_stale = bool(stale)
            places = [(real.pos_at(span.start), real.pos_at(span.end)) for span in stale]
            mark_stale(self._shown, [(self.map.to_shown(start), self.map.to_shown(end)) for start, end in places])

    def follow(self, pos: int, removed: int, inserted: bytes) -> None:
        """Takes over an edit of the real text; spans that it touches show the real text from then on."""
        start, end, growth = pos, pos + removed, len(inserted) - removed
        shown_start, shown_end = self.map.to_shown(start), self.map.to_shown(end)
        touched = self.map.touched(pos, removed)
        if touched:
            (first, _), (_, last) = self.map.real(touched[0]), self.map.real(touched[-1])
            if first <= start:
                start, shown_start = first, self.map.shown(touched[0])[0]
            if last >= end:
                end, shown_end = last, self.map.shown(touched[-1])[1]
            inserted = self._real.text_bytes(start, end + growth)
        for index in reversed(touched):
            self._give_up(index)
        self.map.follow(pos, removed, growth + removed)
        self._shown.replace(shown_start, shown_end, inserted)
        if touched:
            self._clear_marks(shown_start, len(inserted))
            self._has_old_lines = True

    def _reset(self) -> None:
        self.map, self._layouts, self._drawn = SpanMap(()), [], []
        self._has_stale = self._has_old_lines = False

    def _match(self, wanted: Sequence[tuple[int, int]]) -> bool:
        """Gives up the spans that are not wanted and takes in those that are new. Returns whether there were any."""
        before = self.map.all_real
        if before == list(wanted):
            return False
        for index, span in reversed(list(enumerate(before))):
            if span not in wanted:
                start, end = self.map.shown(index)
                self._shown.replace(start, end, self._real.text_bytes(*span))
                self._clear_marks(start, span[1] - span[0])
                self._give_up(index)
        for span in wanted:
            if span not in before:
                index = self.map.insert(*span)
                self._layouts.insert(index, self._layout(*span))
                self._drawn.insert(index, None)
        return True

    def _give_up(self, index: int) -> None:
        self.map.remove(index)
        del self._layouts[index], self._drawn[index]

    def _draw(self, index: int, preview: SpanPreview) -> None:
        shown = self._shown
        start, end = self.map.shown(index)
        rendered = render(preview, self._layouts[index])
        shown.replace(start, end, rendered.data, minimal=True)
        self.map.resize(index, len(rendered.data))
        self._clear_marks(start, len(rendered.data))
        for run in rendered.runs:
            shown.setIndicatorCurrent(run.indicator)
            shown.indicatorFillRange(start + run.start, run.length)
        self._drawn[index] = _content(preview)

    def _clear_marks(self, start: int, length: int) -> None:
        for indicator in (*_DRAFT_INDICATORS, *_MARKS_OF_THE_TEXT):
            self._shown.setIndicatorCurrent(indicator)
            self._shown.indicatorClearRange(start, length)

    def _mark_lines(self) -> None:
        shown = self._shown
        shown.markerDeleteAll(appearance.DRAFT_MARK)
        for index in range(len(self.map)):
            start, end = self.map.shown(index)
            for line in range(shown.lineFromPosition(start), shown.lineFromPosition(end) + 1):
                shown.markerAdd(line, appearance.DRAFT_MARK)

    def _layout(self, start: int, end: int) -> MaskLayout:
        real = self._real
        line_start = real.positionFromLine(real.lineFromPosition(start))
        before, after = real.text_bytes(line_start, start), real.text_bytes(end, real.positionAfter(end))
        return MaskLayout(decoded(real.text_bytes(start, end)), decoded(before), decoded(after))


def _content(preview: SpanPreview) -> object:
    """What decides how a span is drawn: not where it is."""
    return preview.cells, preview.look, preview.original, preview.locked, preview.masked
