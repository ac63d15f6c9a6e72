"""The stand-in for the preview in very large documents: the draft as an annotation under its span."""

from __future__ import annotations

from collections.abc import Sequence

from pyside6_scintilla import Scintilla

from app.editor import appearance
from app.editor.draft import SpanPreview, plain_text
from app.editor.surface import Surface, encoded

_MOST_CHARACTERS = 4000


class AnnotationPreview:
    """Shows drafts under the last line of their spans. Annotations touch neither text, undo nor the modified flag."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._handles: list[int] = []

    @property
    def is_shown(self) -> bool:
        """Whether annotations are on the screen."""
        return bool(self._handles)

    def show(self, previews: Sequence[SpanPreview]) -> None:
        """Shows these drafts in the place of the ones before."""
        self.hide()
        surface = self._surface
        surface.annotationSetVisible(Scintilla.AnnotationVisible.Boxed)
        by_line: dict[int, list[str]] = {}
        for preview in previews:
            line = surface.lineFromPosition(surface.pos_at(preview.span.end))
            by_line.setdefault(line, []).append(plain_text(preview)[:_MOST_CHARACTERS])
        for line, texts in by_line.items():
            text = encoded("\n".join(texts).replace("\r\n", "\n").replace("\r", "\n") or "∅")
            surface.send_bytes(Scintilla.Message.AnnotationSetText, line, text + b"\0")
            surface.annotationSetStyle(line, appearance.DRAFT_STYLE)
            self._handles.append(line)

    def hide(self) -> None:
        """Takes the annotations away."""
        if self._handles:
            self._surface.annotationClearAll()
            self._handles = []
