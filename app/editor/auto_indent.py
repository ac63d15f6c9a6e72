"""Return keeps the indentation of the line it is pressed in."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from app.editor.surface import Surface, encoded

_RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_OPENERS = {"python": (":", "(", "[", "{"), "c": ("{", "(", "["), "javascript": ("{", "(", "["), "json": ("{", "[")}


class AutoIndent:
    """A key filter of a surface; line break and indentation are one undo step."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self.language: str | None = None
        surface.key_filters.append(self.handle)

    def handle(self, event: QKeyEvent) -> bool:
        """Takes a plain Return with one caret; several carets get Scintilla's own line breaks."""
        surface = self._surface
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() not in _RETURN or modifiers != Qt.KeyboardModifier.NoModifier:
            return False
        if surface.selections() != 1 or surface.selectionIsRectangle() or surface.autoCActive():
            return False
        surface.about_to_input.emit()
        start = surface.selectionStart()
        line_start = surface.positionFromLine(surface.lineFromPosition(start))
        head = surface.text_bytes(line_start, start)
        indentation = head[: len(head) - len(head.lstrip(b" \t"))]
        if head.rstrip().endswith(tuple(encoded(opener) for opener in _OPENERS.get(self.language or "", ()))):
            indentation += b"\t" if surface.useTabs() else b" " * surface.tabWidth()
        surface.beginUndoAction()
        surface.newLine()
        pos = surface.currentPos()
        surface.replace(pos, pos, indentation)
        surface.gotoPos(pos + len(indentation))
        surface.chooseCaretX()
        surface.endUndoAction()
        return True
