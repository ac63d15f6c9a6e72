"""How a run looks in the list of the history: two lines, drawn in the palette's colors."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.history import Entry

ENTRY = Qt.ItemDataRole.UserRole
"""The role under which an item holds its Entry."""

_PAD_X, _PAD_Y, _GAP = 16, 7, 2
_DIM = 0.74
"""Opacity of what is less important; still WCAG AA on every ground of a row."""
_MODES = {"fill": "Fill", "refine": "Refine", "continue": "Continue"}


def row_when(entry: Entry) -> str:
    """The time of a run, in the user's zone; with the day when that is another one."""
    when, now = entry.when.astimezone(), datetime.now().astimezone()
    if when.date() == now.date():
        return f"{when:%H:%M}"
    return f"{when.day} {when:%b %H:%M}" if when.year == now.year else f"{when.day} {when:%b %Y}"


def row_head(entry: Entry) -> str:
    """The line over the texts."""
    mode = _MODES.get(entry.mode, entry.mode.capitalize())
    parts = [row_when(entry), mode, f"seed {entry.seed}"]
    if entry.spans > 1:
        parts.insert(2, f"{entry.spans} places")
    if entry.is_partial:
        parts.append("stopped")
    return " · ".join(parts)


def row_sentence(entry: Entry) -> str:
    """A run as a screen reader says it."""
    return f"{row_head(entry)}: {entry.before or 'nothing'} became {entry.after or 'nothing'}"


def row_tip(entry: Entry) -> str:
    """What a row has no room for."""
    return (
        f"{entry.when.astimezone():%d %B %Y, %H:%M:%S} · {entry.model}\n{entry.before or '—'}\n→ {entry.after or '—'}"
    )


class HistoryRows(QStyledItemDelegate):
    """Draws the rows."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Two lines, whatever the text."""
        del index
        line = option.fontMetrics.height()
        return QSize(120, 3 * line + 2 * _GAP + 2 * _PAD_Y)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Time, mode and seed; below what stood there, and what came of it."""
        entry: Entry = index.data(ENTRY)
        state, palette = option.state, option.palette
        rect: QRect = option.rect
        painter.save()
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected:
            has_focus = bool(state & QStyle.StateFlag.State_Active) and bool(state & QStyle.StateFlag.State_HasFocus)
            color = palette.color(QPalette.ColorRole.Highlight)
            color.setAlphaF(0.24 if has_focus else 0.14)
            painter.fillRect(rect, color)
            painter.fillRect(
                QRect(rect.left(), rect.top(), 3, rect.height()), palette.color(QPalette.ColorRole.Highlight)
            )
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, palette.color(QPalette.ColorRole.Midlight))
        dim, text = palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Text)
        dim.setAlphaF(_DIM)
        font: QFont = option.font
        line = option.fontMetrics.height()
        place = QRect(rect.left() + _PAD_X, rect.top() + _PAD_Y, rect.width() - 2 * _PAD_X, line)
        small = QFont(font)
        small.setPointSizeF(max(7.0, font.pointSizeF() - 1))
        for words, color, face in (
            (row_head(entry), dim, small),
            (entry.before or "(at the caret)", dim, font),
            (f"→ {entry.after or '(nothing)'}", text, font),
        ):
            painter.setFont(face)
            painter.setPen(color)
            shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, place.width())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
            place.translate(0, line + _GAP)
        painter.restore()
