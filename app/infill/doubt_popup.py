"""What could stand in a doubtful word's place, beside the word: opened by the mouse that rests on it, or by a key."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QCursor, QKeyEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton

from app.editor.view import EditorView
from app.infill.doubt import DoubtMarks
from app.infill.doubtful import DoubtfulWord

DWELL_MS = 350
"""How long the mouse must rest on a word."""
LEAVE_MS = 300
"""How long it may be away on its way to the popup."""


class DoubtPopup(QFrame):
    """One view's popup. It takes the keyboard only when a key has opened it."""

    def __init__(self, view: EditorView, marks: DoubtMarks) -> None:
        super().__init__(view)
        self.setObjectName("popup")
        self._view, self._marks = view, marks
        self._word: DoubtfulWord | None = None
        self._rows = QGridLayout(self)
        self._rows.setContentsMargins(12, 9, 12, 9)
        self._rows.setHorizontalSpacing(18)
        self._rows.setVerticalSpacing(5)
        self.buttons: list[QPushButton] = []
        self.leaving = QTimer(self, singleShot=True, interval=LEAVE_MS)
        self.leaving.timeout.connect(self._hide_unless_wanted)
        self.hide()
        view.surface.dwellStart.connect(self._on_dwell)
        view.preview.dwellStart.connect(self._on_dwell_in_preview)
        for surface in (view.surface, view.preview):
            surface.setMouseDwellTime(DWELL_MS)
            surface.dwellEnd.connect(self._on_dwell_end)
            surface.verticalScrolled.connect(self.close_)
            surface.horizontalScrolled.connect(self.close_)
        view.add_key_filter(self._filter_key)
        marks.changed.connect(self._on_changed)

    def open_at_caret(self) -> None:
        """Shows the popup of the word at the caret, with the keyboard in it."""
        word = self._marks.at(self._view.caret_offset())
        if word is None:
            self._marks.message.emit("Put the caret into a marked word first: F7 goes to the next one.")
            return
        self._open(word)
        self.buttons[0].setFocus(Qt.FocusReason.PopupFocusReason)

    @Slot()
    def close_(self, *_: object) -> None:
        """Takes the popup away, and gives the keyboard back if it had it."""
        self.leaving.stop()
        had_focus = self.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False
        self.hide()
        self._word = None
        if had_focus:
            self._view.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down go through the choices, Return takes one, Escape closes."""
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        if event.key() == Qt.Key.Key_Escape:
            self.close_()
        elif event.key() in steps:
            focused = next((index for index, button in enumerate(self.buttons) if button.hasFocus()), 0)
            self.buttons[(focused + steps[Qt.Key(event.key())]) % len(self.buttons)].setFocus()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            for button in self.buttons:
                if button.hasFocus():
                    button.click()
                    return
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """The mouse has left the popup."""
        super().leaveEvent(event)
        self.leaving.start()

    # within

    def _open(self, word: DoubtfulWord) -> None:
        self._word = word
        self._fill(word)
        self.adjustSize()
        self.move(self._place(word))
        self.show()
        self.raise_()

    def _fill(self, word: DoubtfulWord) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.buttons = []
        head = QLabel(f"{as_percent(word.word.log_likelihood)} likely here")
        head.setObjectName("help")
        self._rows.addWidget(head, 0, 0, 1, 2)
        for candidate in word.word.candidates:
            button = self._button(candidate.text, partial(self._marks.replace, word, candidate.text))
            figure = QLabel(as_percent(candidate.log_likelihood))
            figure.setObjectName("help")
            row = self._rows.rowCount()
            self._rows.addWidget(button, row, 0)
            self._rows.addWidget(figure, row, 1, Qt.AlignmentFlag.AlignRight)
            button.setAccessibleDescription(f"{figure.text()} likely here")
        line = QFrame()
        line.setObjectName("separator")
        line.setFixedHeight(1)
        self._rows.addWidget(line, self._rows.rowCount(), 0, 1, 2)
        for title, act in (
            ("Rewrite this word", lambda: self._marks.rewrite([word])),
            ("Keep it", lambda: self._marks.dismiss(word)),
        ):
            button = self._button(title, act)
            button.setProperty("quiet", True)
            self._rows.addWidget(button, self._rows.rowCount(), 0, 1, 2)

    def _button(self, title: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(title.replace("&", "&&"))
        button.setObjectName("link")
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.setAutoDefault(False)

        def chosen() -> None:
            self.close_()
            self._view.setFocus()
            act()

        button.clicked.connect(chosen)
        button.installEventFilter(self)
        self.buttons.append(button)
        return button

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Lets the popup answer the keys of its buttons."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() != Qt.Key.Key_Space:
            self.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)

    def _place(self, word: DoubtfulWord) -> QPoint:
        surface, spans = self._view.surface, self._view.preview.span_map
        start = surface.pos_at(word.span.start)
        if self._view.preview.isVisible() and spans is not None:
            surface, start = self._view.preview, spans.to_shown(start)
        line = surface.textHeight(surface.lineFromPosition(start))
        x, y = surface.pointXFromPosition(start), surface.pointYFromPosition(start)
        below = y + line + 2
        top = below if below + self.height() <= self._view.height() else max(0, y - self.height() - 2)
        return QPoint(max(0, min(x - 12, self._view.width() - self.width() - 16)), top)

    @Slot(int, int)
    def _on_dwell(self, x: int, y: int) -> None:
        self._rest_at(self._view.surface.positionFromPointClose(x, y))

    @Slot(int, int)
    def _on_dwell_in_preview(self, x: int, y: int) -> None:
        self._rest_at(self._view.preview.real_pos_close_to(x, y))

    def _rest_at(self, pos: int) -> None:
        word = self._marks.at(self._view.surface.offset_at(pos)) if pos >= 0 else None
        if word is not None:
            self.leaving.stop()
            self._open(word)

    @Slot()
    def _on_dwell_end(self, *_: object) -> None:
        if self.isVisible() and not self._has_focus():
            self.leaving.start()

    @Slot()
    def _hide_unless_wanted(self) -> None:
        if not self.rect().contains(self.mapFromGlobal(QCursor.pos())) and not self._has_focus():
            self.close_()

    @Slot()
    def _on_changed(self) -> None:
        if self._word is not None and self._word not in self._marks.words:
            self.close_()

    def _has_focus(self) -> bool:
        return any(button.hasFocus() for button in self.buttons)

    def _filter_key(self, event: QKeyEvent) -> bool:
        if self.isVisible():
            self.close_()
            return event.key() == Qt.Key.Key_Escape
        return False


def as_percent(log_likelihood: float) -> str:
    """A probability as people read it: two digits, and no zero for what is only unlikely."""
    percent = 100 * math.exp(log_likelihood)
    if percent < 0.0001:
        return "less than 0.0001 %"
    if percent >= 10:
        return f"{percent:.0f} %"
    digits = max(1, 1 - math.floor(math.log10(percent)))
    return f"{percent:.{digits}f} %"
