"""The bar to find and to replace with. Holds what is asked for, and shows what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import QEvent, Qt, Signal, SignalInstance
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from app.editor.search import Query
from app.panels import find_signs as signs
from app.panels.find_signs import SignButton
from app.panels.term_field import TermField
from app.statusbar import ElidedLabel

NARROWEST, WIDEST = 110, 420
"""Pixels of a field."""
NARROW = 560
"""Pixels of the bar below which what a key does as well is left out."""
_NONE, _CONTROL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
_ALT, _SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier


class FindBar(QFrame):
    """A line for the term and one for its replacement."""

    changed = Signal()
    """Another term, or another way of looking for it."""
    scope_wished = Signal(bool)
    """To search in the selection only, or everywhere."""
    next_wished = Signal()
    previous_wished = Signal()
    all_wished = Signal()
    """To select all found places."""
    replace_wished = Signal()
    replace_all_wished = Signal()
    close_wished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("find")
        self.term, self.replacement = TermField("Find"), TermField("Replace with")
        self.case = SignButton(signs.letters("Aa"), "Match case", "Alt+C", checkable=True)
        self.word = SignButton(signs.letters("ab", underlined=True), "Whole words", "Alt+W", checkable=True)
        self.regex = SignButton(signs.letters(".*"), "Regular expression", "Alt+X", checkable=True)
        self.scope = SignButton(signs.selected_lines, "In selection", "Alt+S", checkable=True)
        self.fold = SignButton(signs.FOLDED, "Show or hide Replace", "Ctrl+H")
        self.previous = SignButton(signs.UP, "Previous", "Shift+F3")
        self.next = SignButton(signs.DOWN, "Next", "F3")
        self.closer = SignButton(signs.CROSS, "Close", "Esc")
        self.all = _button("Select All", "Select all found places", "Alt+Return")
        self.replace = _button("Replace", "Replace this place and go to the next", "Return")
        self.replace_all = _button("Replace All", "Replace all found places, in one step", "Ctrl+Alt+Return")
        self.count = ElidedLabel("Found places")
        self.count.setObjectName("count")
        self.count.setMinimumWidth(76)
        self.count.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._lay_out()
        self._connect()
        self.show_replace(False)
        self.show_count("")
        self.hide()

    # what is asked for

    @property
    def query(self) -> Query:
        """What is looked for."""
        return Query(self.term.text(), self.case.isChecked(), self.word.isChecked(), self.regex.isChecked())

    def set_term(self, term: str) -> None:
        """Writes a term, to be looked for as it is."""
        if self.regex.isChecked():
            self.regex.setChecked(False)
        self.term.setText(term)

    def remember(self, *, replacement: bool = False) -> None:
        """The term was used, perhaps with its replacement."""
        self.term.remember()
        if replacement:
            self.replacement.remember()

    @property
    def has_focus(self) -> bool:
        """Whether the keyboard is somewhere in the bar."""
        return self.isAncestorOf(self.focusWidget()) if self.focusWidget() is not None else False

    # what is shown

    def open(self, *, replace: bool) -> None:
        """Comes up, with the line for the replacement or without, and takes the keyboard."""
        self.show_replace(replace)
        self.show()
        self.term.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.term.selectAll()

    @property
    def can_replace(self) -> bool:
        """Whether there is a line for the replacement."""
        return not self._below.isHidden()

    def show_replace(self, shown: bool) -> None:
        """Shows the line for the replacement, or hides it."""
        self.replacement.setVisible(shown)
        self._below.setVisible(shown)
        self.fold.set_sign(signs.UNFOLDED if shown else signs.FOLDED)

    def show_scope(self, on: bool) -> None:
        """Shows whether the selection alone is searched; nothing is asked for by that."""
        self.scope.setChecked(on)

    def show_count(self, text: str, more: str = "", *, state: str = "") -> None:
        """Tells what was found; `state` is `none` or `wrong` where that is nothing. `more` is the tooltip."""
        self.count.setText(text)
        self.count.setToolTip(more or text)
        self.count.setAccessibleName(text or "Found places")
        for widget in (self.count, self.term):
            if widget.property("state") != state:
                widget.setProperty("state", state)
                widget.style().unpolish(widget)
                widget.style().polish(widget)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Leaves out what there is no room for; a sentence needs much."""
        is_sentence = self.count.property("state") == "wrong"
        self.previous.setVisible(not is_sentence)
        self.next.setVisible(not is_sentence)
        self.all.setVisible(not is_sentence and self.width() >= NARROW)

    def enable(self, found: bool) -> None:
        """Whether there is anything that can be gone to, selected or replaced."""
        for button in (self.previous, self.next, self.all, self.replace, self.replace_all):
            button.setEnabled(found)

    # parts

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(8, 6, 8, 6)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(6)
        grid.addWidget(self.fold, 0, 0)
        for row, field in enumerate((self.term, self.replacement)):
            field.setMinimumWidth(NARROWEST)
            field.setMaximumWidth(WIDEST)
            grid.addWidget(field, row, 1)
        beside, self._below = QWidget(), QWidget()
        switches: list[QWidget] = [self.case, self.word, self.regex, self.scope]
        _row(beside, [*switches, None, self.previous, self.next, self.all], self.count)
        _row(self._below, [self.replace, self.replace_all])
        grid.addWidget(beside, 0, 2)
        grid.addWidget(self._below, 1, 2)
        grid.addWidget(self.closer, 0, 3)
        grid.setColumnStretch(1, 3)
        grid.setColumnStretch(2, 2)
        order = [self.term, self.replacement, *switches, self.previous, self.next, self.all, self.replace]
        order += [self.replace_all, self.fold, self.closer]
        for first, second in pairwise(order):
            QWidget.setTabOrder(first, second)

    def _connect(self) -> None:
        self.term.textChanged.connect(self.changed)
        for switch in (self.case, self.word, self.regex):
            switch.toggled.connect(self.changed)
        self.scope.clicked.connect(self.scope_wished)
        self.fold.clicked.connect(lambda: self.show_replace(not self.can_replace))
        self.previous.clicked.connect(self.previous_wished)
        self.next.clicked.connect(self.next_wished)
        self.all.clicked.connect(self.all_wished)
        self.replace.clicked.connect(self.replace_wished)
        self.replace_all.clicked.connect(self.replace_all_wished)
        self.closer.clicked.connect(self.close_wished)

    # keys

    def event(self, event: QEvent) -> bool:
        """Keeps its own keys from the window's commands, wherever in the bar the keyboard is."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._wish(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        wish = self._wish(event)
        if wish is None:
            super().keyPressEvent(event)
        else:
            wish.emit()

    def _wish(self, event: QKeyEvent) -> SignalInstance | None:
        """What a key asks for."""
        key, modifiers = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if key == Qt.Key.Key_Escape and modifiers == _NONE:
            return self.close_wished
        if key not in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            return None
        if modifiers in {_ALT, _CONTROL | _ALT}:
            return self.all_wished if modifiers == _ALT else self.replace_all_wished
        if self.replacement.hasFocus() and modifiers == _NONE:
            return self.replace_wished
        if self.term.hasFocus() and modifiers in {_NONE, _SHIFT}:
            return self.previous_wished if modifiers == _SHIFT else self.next_wished
        return None


def _button(text: str, what: str, key: str) -> QPushButton:
    button = QPushButton(text)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setToolTip(f"{what} ({key})")
    button.setAccessibleDescription(what)
    button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return button


def _row(holder: QWidget, widgets: Sequence[QWidget | None], rest: QWidget | None = None) -> None:
    row = QHBoxLayout(holder)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for widget in widgets:
        if widget is None:
            row.addSpacing(6)
        else:
            row.addWidget(widget)
    if rest is not None:
        row.addSpacing(6)
        row.addWidget(rest, 1)
    else:
        row.addStretch(1)
