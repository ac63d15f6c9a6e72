"""How a variation looks in its list: likelihood and seed, and below them its text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

ROW = Qt.ItemDataRole.UserRole
"""The role under which an item holds its VariationRow."""

_PAD_X, _PAD_Y, _GAP = 16, 7, 3
_MOST_LINES = 4
_DIM = 0.74
_WRAP = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop


@dataclass(frozen=True, slots=True)
class VariationRow:
    """What is to be shown of one."""

    head: str
    text: str


class VariationRows(QStyledItemDelegate):
    """Draws the rows: as many lines of the text as there is room for."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """As high as its text is when it is wrapped, up to four lines."""
        row: VariationRow = index.data(ROW)
        view = self.parent()
        width = (view.viewport().width() if isinstance(view, QAbstractItemView) else 240) - 2 * _PAD_X
        return QSize(120, _height(row.text, width, option.font.toString()))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """The chosen one has a bar at its side."""
        row: VariationRow = index.data(ROW)
        rect: QRect = option.rect
        palette = option.palette
        painter.save()
        painter.setClipRect(rect)
        if option.state & QStyle.StateFlag.State_Selected:
            color = palette.color(QPalette.ColorRole.Highlight)
            painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), color)
            color.setAlphaF(0.18)
            painter.fillRect(rect, color)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Midlight))
        text = palette.color(QPalette.ColorRole.Text)
        dim = palette.color(QPalette.ColorRole.Text)
        dim.setAlphaF(_DIM)
        place = rect.adjusted(_PAD_X, _PAD_Y, -_PAD_X, -_PAD_Y)
        small = QFont(option.font)
        small.setPointSizeF(max(7.0, small.pointSizeF() - 1))
        painter.setFont(small)
        painter.setPen(dim)
        head = QFontMetrics(small).elidedText(row.head, Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), head)
        painter.setFont(option.font)
        painter.setPen(text)
        place.setTop(place.top() + QFontMetrics(option.font).height() + _GAP)
        painter.setClipRect(place)
        painter.drawText(place, int(_WRAP), row.text)
        painter.restore()


@lru_cache(maxsize=64)
def _height(text: str, width: int, font: str) -> int:
    """Asked for many times over while one goes through the variations."""
    chosen = QFont()
    chosen.fromString(font)
    metrics = QFontMetrics(chosen)
    lines = metrics.boundingRect(QRect(0, 0, width, 10_000), int(_WRAP), text).height()
    return min(lines, _MOST_LINES * metrics.lineSpacing()) + metrics.height() + _GAP + 2 * _PAD_Y
