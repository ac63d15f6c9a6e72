"""Files that are dropped on the text are opened; text that is dropped there is the view's own business."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QAbstractScrollArea, QWidget


class FileDrops(QObject):
    """An event filter for the drop targets inside a widget."""

    def __init__(self, open_file: Callable[[Path], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open_file = open_file

    def watch(self, widget: QWidget) -> None:
        """Takes files that are dropped on the text areas in `widget`."""
        for area in widget.findChildren(QAbstractScrollArea):
            area.viewport().installEventFilter(self)

    def open_from(self, data: QMimeData) -> None:
        """Opens the files among what is dropped."""
        for url in data.urls():
            if url.isLocalFile():
                self._open_file(Path(url.toLocalFile()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt's hook: True keeps the event from the text."""
        if isinstance(event, QDropEvent) and event.mimeData().hasUrls():
            event.acceptProposedAction()
            if event.type() == QEvent.Type.Drop:
                self.open_from(event.mimeData())
            return True
        return super().eventFilter(watched, event)
