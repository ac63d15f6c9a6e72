"""A line to write a term in, which remembers the terms before it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy

_MOST_REMEMBERED = 100
_OWN_KEYS = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape}
_MODIFIERS = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.ControlModifier
_OTHERS_MODIFIERS = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
)
"""With these, Enter is the window's."""


class TermField(QLineEdit):
    """Up and Down go through the terms that were used; Enter, with its modifiers, and Escape are told."""

    entered = Signal(object)
    """Qt.KeyboardModifier: Enter was pressed with these."""
    escaped = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setPlaceholderText(name)
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._terms: list[str] = []
        self._place = 0
        self._unused = ""
        self.textEdited.connect(self._on_edited)

    def remember(self) -> None:
        """The term was used."""
        term = self.text()
        if term:
            self._terms = [*(one for one in self._terms if one != term), term][-_MOST_REMEMBERED:]
        self._place = len(self._terms)

    def event(self, event: QEvent) -> bool:
        """Keeps its own keys from the window's commands."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._is_own(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            self._go(-1 if key == Qt.Key.Key_Up else 1)
        elif key == Qt.Key.Key_Escape:
            self.escaped.emit()
        elif self._is_own(event):
            self.entered.emit(event.modifiers() & _MODIFIERS)
        else:
            super().keyPressEvent(event)

    def _is_own(self, event: QKeyEvent) -> bool:
        modifiers = event.modifiers() & _MODIFIERS
        return event.key() in _OWN_KEYS and modifiers not in _OTHERS_MODIFIERS

    def _go(self, by: int) -> None:
        place = self._place + by
        if not 0 <= place <= len(self._terms):
            return
        if self._place == len(self._terms):
            self._unused = self.text()
        self._place = place
        self.setText(self._terms[place] if place < len(self._terms) else self._unused)

    def _on_edited(self) -> None:
        self._place = len(self._terms)
