"""The line at the bottom: messages, what the engine does, and where the caret is."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStatusBar,
    QToolButton,
    QWidget,
)

MESSAGE_MS = 10_000
WIDEST = 560
"""Pixels that the words about the engine may take."""


class StatusBar(QStatusBar):
    """Shows what it is told. The Stop button is always there, and enabled while something runs."""

    stop_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self.message = ElidedLabel("Message")
        self.message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.engine = ElidedLabel("Engine")
        self.progress = self._make_progress()
        self.stop = self._make_stop()
        self.runs = _button("Runs", "Show all runs")
        self.position = _label("Position of the caret")
        self.counts = _label("Words or selection")
        self.generated = _label("Share of generated text")
        self.language = _button("Language", "Choose the language for coloring")
        self.encoding = _button("Encoding", "Reopen or save in another encoding")
        self.eol = _label("Line ends")
        self._clearing = QTimer(self, singleShot=True, interval=MESSAGE_MS)
        self._clearing.timeout.connect(self.clear_message)
        self._lay_out()
        self.set_running(False)
        self.show_runs(0)
        self.show_progress(0, 0)
        self.show_generated(None)

    def show_message(self, text: str) -> None:
        """Shows a sentence for a while."""
        self.message.setText(text)
        self.message.setToolTip(text)
        self._clearing.start()

    def clear_message(self) -> None:
        """Takes the sentence away."""
        self._clearing.stop()
        self.message.clear()
        self.message.setToolTip("")

    def show_engine(self, text: str, state: str = "idle") -> None:
        """Shows what the engine is or does; `state` is idle, busy, ready or failed, and colors it."""
        self.engine.setText(text)
        self.engine.setToolTip(text)
        if self.engine.property("state") != state:
            self.engine.setProperty("state", state)
            self.engine.style().polish(self.engine)

    def show_progress(self, done: int, of: int) -> None:
        """Shows how far a run or a loading has come; `of` 0 hides the bar."""
        self.progress.setVisible(of > 0)
        self.progress.setRange(0, max(1, of))
        self.progress.setValue(done)

    def show_runs(self, count: int) -> None:
        """Offers the list of runs where there are several."""
        self.runs.setText(f"{count} runs")
        self.runs.setVisible(count > 1)

    def show_generated(self, share: float | None) -> None:
        """Shows how much of the text came from the model, 0 to 1; None shows nothing."""
        percent = 100 * share if share is not None else 0.0
        small = "<1" if 0 < percent < 1 else f"{min(percent, 99.0) if percent < 100 else 100:.0f}"
        self.generated.setText(f"{small} % generated")
        self.generated.setToolTip("Characters that the model wrote and nobody has edited since")
        self.generated.setVisible(share is not None)

    def show_infill(self, shown: bool) -> None:
        """Shows what the model does, or hides all that has to do with it."""
        for widget in (self.engine, self.stop):
            widget.setVisible(shown)

    def set_running(self, running: bool) -> None:
        """Enables Stop while something runs."""
        self.stop.setEnabled(running)

    def close_down(self) -> None:
        """Ends what would still happen later."""
        self._clearing.stop()

    def _make_progress(self) -> QProgressBar:
        bar = QProgressBar()
        bar.setTextVisible(False)
        bar.setFixedSize(96, 4)
        bar.setAccessibleName("Progress of the run")
        return bar

    def _make_stop(self) -> QPushButton:
        button = QPushButton("Stop")
        button.setObjectName("stop")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolTip("Stop the run and keep what is written so far as a proposal (Esc)")
        button.setAccessibleName("Stop the run")
        button.clicked.connect(self.stop_clicked)
        return button

    def _lay_out(self) -> None:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(12, 0, 8, 0)
        row.setSpacing(10)
        row.addWidget(self.message, 1)
        widgets: list[QWidget] = [
            self.engine,
            self.progress,
            self.runs,
            self.stop,
            _separator(),
            self.position,
            self.counts,
            self.generated,
        ]
        widgets += [_separator(), self.language, self.encoding, self.eol]
        for widget in widgets:
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        self.addPermanentWidget(line, 1)


class ElidedLabel(QLabel):
    """One line of text that is cut with an ellipsis where it does not fit, and never widens the window."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(min(hint.width() + 2, WIDEST), hint.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(40, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)


def _label(name: str) -> QLabel:
    label = QLabel()
    label.setAccessibleName(name)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def _button(name: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName("choice")
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setToolTip(tip)
    button.setAccessibleName(name)
    return button


def _separator() -> QFrame:
    line = QFrame()
    line.setObjectName("separator")
    line.setFixedSize(1, 14)
    return line
