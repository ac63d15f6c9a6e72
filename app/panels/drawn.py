"""Small flat buttons that draw their own sign."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QToolButton, QWidget


class DrawnButton(QToolButton):
    """Draws its sign in the palette's colors."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("drawn")
        self.setFixedSize(26, 26)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(self.width() / 2, self.height() / 2)
        group = QPalette.ColorGroup.Active if self.isEnabled() else QPalette.ColorGroup.Disabled
        role = QPalette.ColorRole.Highlight if self.isChecked() else QPalette.ColorRole.Text
        self.draw(painter, self.palette().color(group, role))

    def draw(self, painter: QPainter, color: QColor) -> None:
        """Draws the sign around the origin."""
        raise NotImplementedError
