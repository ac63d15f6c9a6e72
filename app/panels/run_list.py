"""The runs of all documents: which document, how far, and a Stop for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QHideEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QGridLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

_WIDTH = 340


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One run. `key` tells it from the others; `done` is the share of its steps that is done."""

    key: int
    title: str
    state: str
    done: float
    stop: Callable[[], object]
    show: Callable[[], object]


class RunList(QFrame):
    """Lies over the window until one clicks elsewhere or presses Escape.

    It shows what it is given, keeps the order, and stays open while runs come and go.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("popup")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Runs")
        self.rows: dict[int, RunRow] = {}
        self._corner = QPoint()
        self.empty = QLabel("Nothing is running.")
        self.empty.setObjectName("help")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(14, 12, 14, 12)
        self._column.setSpacing(12)
        self._column.addWidget(self.empty)
        self.hide()

    def show_runs(self, entries: Sequence[RunEntry]) -> None:
        """Shows these runs."""
        for key in self.rows.keys() - {entry.key for entry in entries}:
            self.rows.pop(key).deleteLater()
        for entry in entries:
            if entry.key not in self.rows:
                self.rows[entry.key] = row = RunRow(entry)
                row.chosen.clicked.connect(self.hide)
                self._column.addWidget(row)
            self.rows[entry.key].show_entry(entry)
        self.empty.setVisible(not entries)
        if self.isVisible():
            self._take_place()

    def open_above(self, window: QWidget, corner: QPoint) -> None:
        """Opens over a window with its lower right corner at a place of it."""
        self.setParent(window)
        self._corner = corner
        self._take_place()
        self.show()
        self.raise_()
        app = QApplication.instance()
        if app is not None:
            app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonPress:
            if not self.rect().contains(self.mapFromGlobal(event.globalPosition()).toPoint()):
                self.hide()
            return False
        if not isinstance(event, QKeyEvent) or event.key() != Qt.Key.Key_Escape:
            return False
        if event.type() == QEvent.Type.KeyPress:
            self.hide()
        return True

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        app = QApplication.instance()
        if app is not None:
            app.removeEventFilter(self)

    def _take_place(self) -> None:
        height = self._column.sizeHint().height()
        self.setGeometry(self._corner.x() - _WIDTH, self._corner.y() - height, _WIDTH, height)


class RunRow(QWidget):
    """One run in the list."""

    def __init__(self, entry: RunEntry) -> None:
        super().__init__()
        self._entry = entry
        self.chosen, self.state, self.bar, self.stop = QPushButton(), QLabel(), QProgressBar(), QPushButton("Stop")
        self.chosen.setObjectName("link")
        self.chosen.setToolTip("Go to this document")
        self.state.setObjectName("help")
        self.stop.setObjectName("stop")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(3)
        self.bar.setRange(0, 1000)
        self.stop.clicked.connect(self._stop)
        self.chosen.clicked.connect(self._show)
        self._lay_out()

    def show_entry(self, entry: RunEntry) -> None:
        """Shows how far the run is by now."""
        self._entry = entry
        title = self.fontMetrics().elidedText(entry.title, Qt.TextElideMode.ElideMiddle, _WIDTH - 120)
        self.chosen.setText(title.replace("&", "&&"))
        self.state.setText(entry.state)
        self.bar.setValue(round(1000 * entry.done))
        self.bar.setAccessibleName(f"Progress of {entry.title}")
        self.stop.setAccessibleName(f"Stop {entry.title}")

    def _stop(self) -> None:
        self._entry.stop()

    def _show(self) -> None:
        self._entry.show()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(4)
        grid.addWidget(self.chosen, 0, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(self.state, 1, 0)
        grid.addWidget(self.bar, 2, 0)
        grid.addWidget(self.stop, 0, 1, 3, 1, Qt.AlignmentFlag.AlignVCenter)
        grid.setColumnStretch(0, 1)
