"""Drafts and proposals over the text of one view: in place, or beside it in very large documents."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.editor.annotation import AnnotationPreview
from app.editor.draft import SpanPreview
from app.editor.found import FoundMarks
from app.editor.generated import GeneratedMarks
from app.editor.heat import HeatMarks
from app.editor.preview import Preview
from app.editor.stale import mark_stale
from app.editor.surface import Surface
from engine.types import TextSpan

LARGEST_PREVIEW = 10_000_000
"""Bytes up to which a preview is shown in place; above, an annotation stands in."""


class Overlay(QObject):
    """Shows previews, and takes them away when only the real text will do. The text itself is never touched."""

    left = Signal()
    """The user's own input took the preview away."""
    _stale_changed = Signal()

    def __init__(
        self, surface: Surface, preview: Preview, marks: Sequence[GeneratedMarks | HeatMarks | FoundMarks]
    ) -> None:
        """Args: marks: of the real text, to be seen in its preview too."""
        super().__init__(surface)
        self._surface, self._preview, self._marks = surface, preview, marks
        self._annotation = AnnotationPreview(surface)
        self._stale: tuple[TextSpan, ...] = ()
        self._stale_changed.connect(self._draw_stale, Qt.ConnectionType.QueuedConnection)
        for each in marks:
            preview.rearranged.connect(each.forget_mirror)
            each.drawn.connect(self._mirror_marks)
        surface.drag_entered.connect(self.leave)
        preview.unwanted.connect(self.leave)

    @property
    def is_shown(self) -> bool:
        """Whether drafts are on the screen."""
        return not self._preview.isHidden() or self._annotation.is_shown

    def show(self, previews: Sequence[SpanPreview]) -> None:
        """Shows these in the place of their spans, which are disjoint; only what has changed since costs anything."""
        ascending = sorted(previews, key=lambda preview: (preview.span.start, preview.span.end))
        if self._surface.length() > LARGEST_PREVIEW:
            self._annotation.show(ascending)
            return
        self._preview.show_spans(ascending, self._stale)
        self._mirror_marks()
        self._preview.reveal()

    def mark_stale(self, spans: Sequence[TextSpan]) -> None:
        """Marks text that was edited under a proposal. No change of the text.

        The real text gets its marks a moment later: set in the middle of a modification, they would make Scintilla
        remember another selection for redo (seen by tests/app/infill/test_random_use.py).
        """
        if spans or self._stale:
            self._stale = tuple(spans)
            self._stale_changed.emit()

    def hide(self) -> None:
        """Brings the real text back; the copy is kept for the next `show`."""
        self._annotation.hide()
        self._preview.conceal()

    def end(self) -> None:
        """Brings the real text back and forgets the copy: nothing is running or pending."""
        self.hide()
        if self._preview.is_open:
            self._preview.close_copy()

    @Slot()
    def leave(self) -> None:
        """Brings the real text back, because the user does something with it."""
        if self.is_shown:
            self.hide()
            self.left.emit()

    @Slot()
    def _mirror_marks(self) -> None:
        spans = self._preview.span_map
        if spans is not None:
            for each in self._marks:
                each.mirror(self._preview, spans)

    @Slot()
    def _draw_stale(self) -> None:
        surface = self._surface
        mark_stale(surface, [(surface.pos_at(span.start), surface.pos_at(span.end)) for span in self._stale])
