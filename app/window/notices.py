"""The strip over the text that says what went wrong, until the user has read it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

Act = Callable[[], object]


class NoticeBar(QFrame):
    """Shows one sentence at a time, the newest first, with an optional button that offers a way out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.button = QPushButton()
        self.button.setAccessibleName("Nothing is offered")
        self._notices: list[tuple[str, str, Act | None]] = []
        self.button.clicked.connect(self._on_button)
        self.closer = QToolButton()
        self.closer.setText("×")
        self.closer.setToolTip("Close this notice")
        self.closer.setAccessibleName("Close this notice")
        self.closer.clicked.connect(self.dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 6, 8, 6)
        row.setSpacing(8)
        row.addWidget(self._label, 1)
        row.addWidget(self.button)
        row.addWidget(self.closer)
        self.hide()

    @property
    def text(self) -> str:
        """The sentence that is shown, or nothing."""
        return self._notices[-1][0] if self._notices else ""

    def tell(self, sentence: str, offer: str = "", act: Act | None = None) -> None:
        """Shows a sentence; `offer` is the label of a button that does `act`. An older one comes back after it."""
        self._notices = [notice for notice in self._notices if notice[0] != sentence]
        self._notices.append((sentence, offer, act))
        self._show_newest()

    def dismiss(self) -> None:
        """Takes the sentence away."""
        del self._notices[-1:]
        self._show_newest()

    def _show_newest(self) -> None:
        self.setVisible(bool(self._notices))
        if self._notices:
            sentence, offer, act = self._notices[-1]
            self._label.setText(sentence)
            self.setAccessibleName(sentence)
            self.button.setText(offer)
            self.button.setAccessibleName(offer or "Nothing is offered")
            self.button.setVisible(act is not None)

    def _on_button(self) -> None:
        act = self._notices[-1][2]
        self.dismiss()
        if act is not None:
            act()
