"""What the mouse does to carets and selections of a surface that lies under another one. Positions are bytes."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.editor.surface import Surface


def place(surface: Surface, pos: int, modifiers: Qt.KeyboardModifier) -> None:
    """A click: places the caret; Shift extends the selection, Control adds a caret."""
    if modifiers & Qt.KeyboardModifier.ShiftModifier:
        extend(surface, pos)
    elif modifiers & Qt.KeyboardModifier.ControlModifier:
        surface.addSelection(pos, pos)
    else:
        surface.setSelection(pos, pos)


def extend(surface: Surface, pos: int) -> None:
    """Extends the main selection."""
    surface.setSelectionNCaret(surface.mainSelection(), pos)


def select_word(surface: Surface, pos: int) -> None:
    """Selects the word."""
    surface.setSelection(surface.wordEndPosition(pos, True), surface.wordStartPosition(pos, True))
