"""The two pages of the Help menu."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.commands import Command

_IN_THE_TEXT = (("Stop the run and keep what is written", "Esc"),)
_GROUPS = {"infill": "Infill", "proposal": "Proposal", "file": "File", "edit": "Edit", "view": "View"}
_SHARE_OF_SCREEN = 0.8
"""How much of the screen's height a page may take; a longer one scrolls."""


def keys_text(commands: Iterable[Command]) -> str:
    """A table of the keys of these commands, as HTML."""
    rows = []
    commands = list(commands)
    for group, title in _GROUPS.items():
        if not any(command.group == group for command in commands):
            continue
        rows.append(f"<tr><td colspan='2' style='padding-top:10px'><b>{title}</b></td></tr>")
        lines = [
            (command.title.rstrip("…"), command.key_text)
            for command in commands
            if command.group == group and command.key_text
        ]
        for name, key in (list(_IN_THE_TEXT) if group == "infill" else []) + lines:
            rows.append(f"<tr><td style='padding-right:36px'>{escape(name)}</td><td>{escape(key)}</td></tr>")
    return f"<table cellspacing='3'>{''.join(rows)}</table>"


def about_text() -> str:
    """What this is, as HTML."""
    from importlib.metadata import PackageNotFoundError, version  # not needed for the window's start

    try:
        number = version("redraft")
    except PackageNotFoundError:
        number = "(not installed)"
    return (
        f"<p><b>Redraft</b> {number}</p>"
        "<p>An editor in which selected text is rewritten in place by masked diffusion,<br>"
        "on your own machine. Nothing you write leaves it.</p><p>Apache License 2.0</p>"
    )


def show_page(parent: QWidget, title: str, html: str) -> QDialog:
    """Shows a page in a dialog that blocks nothing."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    label = QLabel(html)
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    buttons = QDialogButtonBox()
    buttons.addButton("Close", QDialogButtonBox.ButtonRole.RejectRole)
    buttons.rejected.connect(dialog.close)
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(22, 18, 22, 16)
    layout.setSpacing(14)
    layout.addWidget(_scrolling(label))
    layout.addWidget(buttons)
    hint = dialog.sizeHint()
    dialog.resize(hint.width(), min(hint.height(), int(_SHARE_OF_SCREEN * parent.screen().availableSize().height())))
    dialog.show()
    return dialog


def _scrolling(label: QLabel) -> QScrollArea:
    area = _Page(label)
    area.setObjectName("page")
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


class _Page(QScrollArea):
    """Wants to be as large as what is in it, and room for its scroll bar."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self._content = content
        self.setWidget(content)

    def sizeHint(self) -> QSize:
        hint = self._content.sizeHint()
        return QSize(hint.width() + self.verticalScrollBar().sizeHint().width(), hint.height())
