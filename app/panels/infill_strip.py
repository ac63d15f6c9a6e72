"""The three things an infill can do, as buttons over the settings."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget


class InfillStrip(QWidget):
    """Buttons for actions that exist elsewhere: same handler, same enabled state, with the key in the tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(16, 12, 16, 10)
        self._row.setSpacing(8)

    def add(self, label: str, action: QAction, *, primary: bool = False) -> QPushButton:
        """Adds a button for an action."""
        button = QPushButton(label)
        button.setObjectName("primary" if primary else "plain")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        keys = action.shortcut().toString(action.shortcut().SequenceFormat.NativeText)
        button.setToolTip(f"{action.text()} ({keys})" if keys else action.text())
        button.setAccessibleName(action.text())
        button.clicked.connect(action.trigger)
        button.setEnabled(action.isEnabled())
        action.enabledChanged.connect(button.setEnabled)
        self._row.addWidget(button, 3 if primary else 2)
        return button
