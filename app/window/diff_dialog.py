"""What is proposed as a unified diff: read-only, to look at and to copy."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextDocument,
)
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from app.theme import Theme


class DiffDialog(QDialog):
    """Blocks nothing; shows the diff as it was when it was opened."""

    def __init__(self, parent: QWidget, title: str, diff: str, theme: Theme) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Proposed changes of {title}")
        self.resize(720, 460)
        self.text = QPlainTextEdit(diff)
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("Unified diff")
        self.text.setPlaceholderText("The proposed text is the text that is there.")
        self._highlighter = _DiffColors(self.text.document(), theme)
        self.buttons = QDialogButtonBox()
        self.copy_button = self.buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.setEnabled(bool(diff))
        self.copy_button.clicked.connect(lambda: QGuiApplication.clipboard().setText(diff))
        self.buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
        self.buttons.rejected.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 14)
        layout.setSpacing(12)
        layout.addWidget(self.text)
        layout.addWidget(self.buttons)


class _DiffColors(QSyntaxHighlighter):
    """Colors lines by their first sign, which stays the sign that tells them apart."""

    def __init__(self, document: QTextDocument, theme: Theme) -> None:
        super().__init__(document)
        bold = QFont.Weight.DemiBold
        self._formats: tuple[tuple[str, QTextCharFormat], ...] = (
            ("+++", _format(theme.text, bold)),
            ("---", _format(theme.text, bold)),
            ("@@", _format(theme.comment)),
            ("\\", _format(theme.comment)),
            ("+", _format(theme.accepted)),
            ("-", _format(theme.removed)),
        )

    def highlightBlock(self, line: str) -> None:  # noqa: N802
        """Qt asks for one line."""
        for sign, look in self._formats:
            if line.startswith(sign):
                self.setFormat(0, len(line), look)
                return


def _format(color: QColor, weight: QFont.Weight = QFont.Weight.Normal) -> QTextCharFormat:
    look = QTextCharFormat()
    look.setForeground(color)
    look.setFontWeight(weight)
    return look
