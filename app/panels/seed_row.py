"""The setting of the seed: its number, a lock that keeps it, and a die that draws another one."""

from __future__ import annotations

import secrets

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.panels.drawn import DrawnButton
from app.panels.setting_row import SettingRow

_LOCK = "infill.seed_locked"


class SeedRow(SettingRow):
    """The number can be changed while the lock is closed; while it is open every run draws a new one."""

    def refresh(self) -> None:
        """Shows number and lock as they are now."""
        super().refresh()
        locked = bool(self._settings[_LOCK])
        self.lock.setChecked(locked)
        self.lock.setToolTip("The seed is kept. Open the lock to draw a new one in each run." if locked else
                             "Each run draws a new seed. Close the lock to keep this one.")  # fmt: skip
        self.dice.setEnabled(locked)
        self.dice.setToolTip("Draw another seed" if locked else self.control.toolTip())

    def _beside(self) -> list[QWidget]:
        self.dice, self.lock = DiceButton(), LockButton()
        self.dice.setAccessibleName("Draw another seed")
        self.lock.setAccessibleName(self._settings.declaration(_LOCK).label)
        self.dice.clicked.connect(lambda: self._set(secrets.randbelow(2**31)))
        self.lock.toggled.connect(self._on_lock)
        return [self.dice, self.lock]

    def _on_lock(self, locked: bool) -> None:
        self._settings[_LOCK] = locked

    def _is_default(self) -> bool:
        return super()._is_default() and self._settings.is_default(_LOCK)

    def _reset(self) -> None:
        super()._reset()
        self._settings.reset(_LOCK)


class DiceButton(DrawnButton):
    """A die that shows five."""

    def draw(self, painter: QPainter, color: QColor) -> None:
        painter.setPen(QPen(color, 1.3))
        painter.drawRoundedRect(QRectF(-6.5, -6.5, 13, 13), 3, 3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for x, y in ((0, 0), (-3.2, -3.2), (3.2, -3.2), (-3.2, 3.2), (3.2, 3.2)):
            painter.drawEllipse(QPointF(x, y), 1.15, 1.15)


class LockButton(DrawnButton):
    """A lock, open or closed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)

    def draw(self, painter: QPainter, color: QColor) -> None:
        painter.setPen(QPen(color, 1.4))
        bow = QRectF(-3.5, -7.5, 7, 9)
        if self.isChecked():
            painter.drawArc(bow, 0, 180 * 16)
            painter.drawLine(QPointF(-3.5, -3), QPointF(-3.5, -1))
            painter.drawLine(QPointF(3.5, -3), QPointF(3.5, -1))
        else:
            painter.drawArc(bow.translated(0, -1), 20 * 16, 160 * 16)
            painter.drawLine(QPointF(-3.5, -4), QPointF(-3.5, -1))
        painter.setBrush(color if self.isChecked() else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(-5.5, -1, 11, 8), 2, 2)
