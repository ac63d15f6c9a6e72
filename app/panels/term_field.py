"""A line to write a term in, which remembers the terms before it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QSizePolicy

_MOST_REMEMBERED = 100


class TermField(QLineEdit):
    """Up and Down go through the terms that were used. Enter is left to what the field is in."""

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

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            self._go(-1 if key == Qt.Key.Key_Up else 1)
        elif key in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            event.ignore()
        else:
            super().keyPressEvent(event)

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
