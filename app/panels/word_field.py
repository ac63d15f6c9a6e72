"""The proposed texts, to select words in that are to be locked or masked again."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QTextEdit

from engine.types import TextSpan

_PARTED = "\n⋯\n"


class WordField(QTextEdit):
    """Read-only. Ranges are code points of the texts, each with its place."""

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setTabChangesFocus(True)
        self.setAccessibleName("Words of the proposal")
        self.setObjectName("words")
        self.setFixedHeight(112)
        self._texts: tuple[str, ...] = ()

    def show_texts(
        self, texts: Sequence[str], locked: Sequence[Sequence[TextSpan]], masked: Sequence[Sequence[TextSpan]]
    ) -> None:
        """Shows these texts, and in each which words are locked and which masked. The selection stays, if it can."""
        if tuple(texts) != self._texts:
            self._texts = tuple(texts)
            self.setPlainText(_PARTED.join(map(_plain, texts)))
        selections = []
        for spans, looks in ((locked, _locked()), (masked, _masked(self))):
            for place, ranges in enumerate(spans):
                for span in ranges:
                    selection = QTextEdit.ExtraSelection()
                    selection.cursor = self._cursor(place, span)
                    selection.format = looks
                    selections.append(selection)
        self.setExtraSelections(selections)

    def chosen(self) -> list[tuple[int, TextSpan]]:
        """The selected range of each place, or where the caret is."""
        cursor = self.textCursor()
        start, end = self._index(cursor.selectionStart()), self._index(cursor.selectionEnd())
        found = []
        at = 0
        for place, text in enumerate(self._texts):
            length = len(_plain(text))
            first, last = max(start, at), min(end, at + length)
            if first < last or (start == end and at <= start <= at + length):
                found.append((place, TextSpan(_real(text, first - at), _real(text, last - at))))
            at += length + len(_PARTED)
        return found

    def select(self, place: int, span: TextSpan) -> None:
        """Selects words."""
        self.setTextCursor(self._cursor(place, span))

    def _cursor(self, place: int, span: TextSpan) -> QTextCursor:
        before = sum(len(_plain(text)) + len(_PARTED) for text in self._texts[:place])
        text = self._texts[place]
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._units(before + len(_plain(text[: span.start]))))
        cursor.setPosition(self._units(before + len(_plain(text[: span.end]))), QTextCursor.MoveMode.KeepAnchor)
        return cursor

    def _units(self, index: int) -> int:
        """UTF-16 units before a code point of what is shown, as Qt counts."""
        return len(self._shown[:index].encode("utf-16-le", "surrogatepass")) // 2

    def _index(self, units: int) -> int:
        data = self._shown.encode("utf-16-le", "surrogatepass")[: 2 * units]
        return len(data.decode("utf-16-le", "surrogatepass"))

    @property
    def _shown(self) -> str:
        return _PARTED.join(map(_plain, self._texts))


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _real(text: str, index: int) -> int:
    """Where a code point of the plain text is in the text."""
    at = 0
    for _ in range(index):
        at += 2 if text.startswith("\r\n", at) else 1
    return at


def _locked() -> QTextCharFormat:
    look = QTextCharFormat()
    look.setFontUnderline(True)
    look.setFontWeight(QFont.Weight.Bold)
    return look


def _masked(field: QTextEdit) -> QTextCharFormat:
    look = QTextCharFormat()
    color = QColor(field.palette().highlight().color())
    color.setAlphaF(0.30)
    look.setBackground(color)
    look.setFontStrikeOut(True)
    return look
