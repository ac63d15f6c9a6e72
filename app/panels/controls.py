"""The small controls that the panels are made of: drawn flat, in the palette's colors, at any scale."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)


class Switch(QCheckBox):
    """A check box that looks like a switch."""

    _SIZE = QSize(34, 20)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def sizeHint(self) -> QSize:
        return self._SIZE

    def hitButton(self, pos: object) -> bool:  # noqa: N802  (Qt's name)
        del pos
        return True

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette, on = self.palette(), self.isChecked()
        track = QRectF(1.5, (self.height() - 17) / 2, 31, 17)
        color = palette.color(QPalette.ColorRole.Highlight if on else QPalette.ColorRole.Mid)
        if not self.isEnabled():
            color.setAlphaF(0.4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawRoundedRect(track, 8.5, 8.5)
        painter.setBrush(palette.color(QPalette.ColorRole.HighlightedText if on else QPalette.ColorRole.Base))
        painter.drawEllipse(QPointF(track.right() - 8.5 if on else track.left() + 8.5, track.center().y()), 6, 6)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 1))
            painter.drawRoundedRect(track.adjusted(-1, -1, 1, 1), 9.5, 9.5)


class ChoiceBox(QComboBox):
    """A combo box with a plain chevron, which elides what is too long. The wheel scrolls the panel, it does not change
    the choice."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        painter, option = QStylePainter(self), QStyleOptionComboBox()
        self.initStyleOption(option)
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        option.currentText = self.fontMetrics().elidedText(
            self.currentText(), Qt.TextElideMode.ElideRight, field.width()
        )
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        group = QPalette.ColorGroup.Active if self.isEnabled() else QPalette.ColorGroup.Disabled
        painter.setPen(QPen(self.palette().color(group, QPalette.ColorRole.Text), 1.4))
        x, y = self.width() - 15.0, self.height() / 2.0
        painter.drawPolyline([QPointF(x - 4, y - 2), QPointF(x, y + 2), QPointF(x + 4, y - 2)])

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class NumberBox(QSpinBox):
    """A plain field for a whole number; arrow keys count."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class ShareBox(QDoubleSpinBox):
    """A plain field for a number with two decimals."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setDecimals(2)
        self.setSingleStep(0.05)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class ShareSlider(QSlider):
    """A horizontal slider in hundredths, with an optional mark under a range of its values."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._marked: tuple[float, float] | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSingleStep(5)
        self.setPageStep(10)
        self.setMinimumHeight(24)

    @property
    def share(self) -> float:
        """The value as a number."""
        return self.value() / 100

    def mark(self, low: float, high: float) -> None:
        """Marks a range of values, such as the one a model was trained with."""
        is_all = 100 * low <= self.minimum() and 100 * high >= self.maximum()
        self._marked = None if is_all else (low, high)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._marked is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.palette().color(QPalette.ColorRole.Highlight))
        low, high = (self._x_of(value) for value in self._marked)
        painter.drawRoundedRect(QRectF(low - 1.5, self.height() - 3, max(3.0, high - low + 3), 2), 1, 1)

    def _x_of(self, value: float) -> float:
        handle = 14
        share = (100 * value - self.minimum()) / max(1, self.maximum() - self.minimum())
        return handle / 2 + share * (self.width() - handle)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
