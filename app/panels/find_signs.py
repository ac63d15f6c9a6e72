"""The buttons of the find bar, with the signs that they draw."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from app.panels.drawn import DrawnButton

Sign = Callable[[QPainter, QColor], None]


class SignButton(DrawnButton):
    """A button with a sign, a name for screen readers, and a tooltip that may go on with a key."""

    def __init__(self, sign: Sign, name: str, key: str = "", *, checkable: bool = False) -> None:
        super().__init__()
        self._sign = sign
        self.setCheckable(checkable)
        self.setAccessibleName(name)
        self.setToolTip(f"{name} ({key})" if key else name)
        if checkable:
            self.setObjectName("toggle")

    def set_sign(self, sign: Sign) -> None:
        """Shows another sign."""
        self._sign = sign
        self.update()

    def draw(self, painter: QPainter, color: QColor) -> None:
        self._sign(painter, color)


def letters(text: str, *, underlined: bool = False) -> Sign:
    """A sign of letters."""

    def draw(painter: QPainter, color: QColor) -> None:
        font = QFont(painter.font())
        font.setPixelSize(13)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(color)
        box = QRectF(-13, -13, 26, 26)
        painter.drawText(box.translated(0, -1.5 if underlined else 0), Qt.AlignmentFlag.AlignCenter, text)
        if underlined:
            painter.setPen(QPen(color, 1.3))
            painter.drawPolyline([QPointF(-8, 4), QPointF(-8, 7), QPointF(8, 7), QPointF(8, 4)])

    return draw


def lines(*points: tuple[tuple[float, float], ...], width: float = 1.5) -> Sign:
    """A sign of lines."""

    def draw(painter: QPainter, color: QColor) -> None:
        painter.setPen(QPen(color, width, c=Qt.PenCapStyle.RoundCap, j=Qt.PenJoinStyle.RoundJoin))
        for line in points:
            painter.drawPolyline([QPointF(x, y) for x, y in line])

    return draw


def selected_lines(painter: QPainter, color: QColor) -> None:
    """Lines of text of which the middle ones are selected."""
    ground = QColor(color)
    ground.setAlphaF(0.28)
    painter.fillRect(QRectF(-8, -3.5, 16, 7), ground)
    lines(((-6, -6.5), (6, -6.5)), ((-6, -1.5), (6, -1.5)), ((-6, 1.8), (2, 1.8)), ((-6, 6.5), (6, 6.5)), width=1.3)(
        painter, color
    )


UP = lines(((0, 5), (0, -5)), ((-4, -1), (0, -5), (4, -1)))
DOWN = lines(((0, -5), (0, 5)), ((-4, 1), (0, 5), (4, 1)))
CROSS = lines(((-4, -4), (4, 4)), ((-4, 4), (4, -4)))
UNFOLDED = lines(((-4, -2), (0, 2), (4, -2)))
FOLDED = lines(((-2, -4), (2, 0), (-2, 4)))
