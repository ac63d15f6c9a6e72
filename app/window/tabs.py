"""The open documents as tabs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QEnterEvent, QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QTabBar, QTabWidget, QToolButton, QWidget

from app.document.document import Document
from app.editor.view import EditorView
from app.infill.controller import InfillController
from app.infill.doubt import DoubtMarks
from app.infill.doubt_popup import DoubtPopup
from app.infill.suggester import Suggester


@dataclass(frozen=True, eq=False)
class Tab:
    """One open document with its view, its controller and its suggestions."""

    document: Document
    view: EditorView
    controller: InfillController
    suggester: Suggester
    doubt: DoubtMarks
    doubt_popup: DoubtPopup

    @property
    def line_and_column(self) -> tuple[int, int]:
        """Where the caret is, both from 1."""
        surface = self.view.surface
        line = surface.lineFromPosition(surface.currentPos())
        return line + 1, self.view.caret_offset() - surface.offset_at(surface.positionFromLine(line)) + 1

    @property
    def is_pristine(self) -> bool:
        """Whether it is an unnamed, empty document that nobody has touched."""
        return self.document.path is None and not self.document.is_modified and not self.view.text()


class Tabs(QTabWidget):
    """Shows tabs; closing one is only asked for (`close_asked`), the window decides."""

    hint = ""
    """What is shown when no document is open."""

    current_tab_changed = Signal(object)
    close_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("documents")
        self._bar = bar = _TabBar(self)
        bar.middle_clicked.connect(lambda index: self.close_asked.emit(self.all[index]))
        self.setTabBar(bar)
        self.setDocumentMode(True)
        self.setMovable(True)
        self.setUsesScrollButtons(True)
        self.setElideMode(self.elideMode().ElideMiddle)
        self.tabBar().setExpanding(False)
        self.tabBar().setAccessibleName("Open documents")
        self._tabs: dict[QWidget, Tab] = {}
        self.currentChanged.connect(self._on_current)

    @property
    def current(self) -> Tab | None:
        """The tab in front."""
        widget = self.currentWidget()
        return self._tabs.get(widget)

    @property
    def all(self) -> list[Tab]:
        """All tabs, from left to right."""
        widgets = [self.widget(index) for index in range(self.count())]
        return [self._tabs[widget] for widget in widgets if widget is not None]

    def of_path(self, path: Path) -> Tab | None:
        """The tab in which a file is open already."""
        wanted = os.path.realpath(path)
        opened = [tab for tab in self.all if tab.document.path is not None]
        return next((tab for tab in opened if os.path.realpath(str(tab.document.path)) == wanted), None)

    def add(self, tab: Tab) -> None:
        """Adds a tab and brings it to the front."""
        self._tabs[tab.view] = tab
        index = self.addTab(tab.view, "")
        self.tabBar().setTabButton(index, QTabBar.ButtonPosition.RightSide, self._close_button(tab))
        tab.document.path_changed.connect(self.refresh_titles)
        tab.document.modified_changed.connect(self.refresh_titles)
        self.refresh_titles()
        self.setCurrentIndex(index)

    def bring_to_front(self, tab: Tab) -> None:
        """Shows a tab."""
        self.setCurrentWidget(tab.view)

    def take(self, tab: Tab) -> None:
        """Removes a tab and its view for good."""
        self.removeTab(self.indexOf(tab.view))
        del self._tabs[tab.view]
        tab.suggester.close()
        tab.doubt.close()
        tab.doubt_popup.close_()
        tab.controller.close()
        tab.controller.deleteLater()
        tab.view.deleteLater()
        tab.document.deleteLater()
        self.refresh_titles()

    def step(self, by: int) -> None:
        """Goes to a neighboring tab, around the ends."""
        if self.count():
            self.setCurrentIndex((self.currentIndex() + by) % self.count())

    def show_progress(self, tab: Tab, done: float | None) -> None:
        """Draws under a tab which share of its run is done; None: nothing runs."""
        if tab in self._tabs.values():
            self._bar.show_progress(self.indexOf(tab.view), done)

    def refresh_titles(self, *_: object) -> None:
        """Writes the names; two files of one name are told apart by their folders."""
        names = [tab.document.title for tab in self.all]
        for index, tab in enumerate(self.all):
            path, title = tab.document.path, tab.document.title
            if names.count(title) > 1 and path is not None:
                title = f"{title} — {path.parent.name or path.parent}"
            self.setTabText(index, title.replace("&", "&&"))
            self.setTabToolTip(index, str(path) if path is not None else "Not saved yet")
            button = self.tabBar().tabButton(index, QTabBar.ButtonPosition.RightSide)
            if isinstance(button, CloseButton):
                button.show_modified(tab.document.is_modified)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.count():
            painter = QPainter(self)
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.hint)

    def _on_current(self, _index: int) -> None:
        tab = self.current
        if tab is not None:
            tab.view.setFocus()
        self.current_tab_changed.emit(tab)

    def _close_button(self, tab: Tab) -> CloseButton:
        button = CloseButton(self)
        button.clicked.connect(lambda: self.close_asked.emit(tab))
        return button


class _TabBar(QTabBar):
    """A tab bar on which the middle button closes, with a thin line under each tab in which something runs."""

    middle_clicked = Signal(int)

    LINE = 3
    """Height of the line, in pixels."""

    def show_progress(self, index: int, done: float | None) -> None:
        """Kept as the tab's data, which moves with the tab."""
        self.setTabData(index, done)
        self.update(self.tabRect(index))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        accent = self.palette().color(QPalette.ColorRole.Highlight)
        ground = self.palette().color(QPalette.ColorRole.Mid)
        ground.setAlphaF(0.35)
        for index in range(self.count()):
            done = self.tabData(index)
            if done is not None:
                line = self.tabRect(index).adjusted(0, self.tabRect(index).height() - self.LINE, 0, 0)
                painter.fillRect(line, ground)
                line.setWidth(round(line.width() * float(done)))
                painter.fillRect(line, accent)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self.tabAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.MiddleButton and index >= 0:
            self.middle_clicked.emit(index)
        super().mouseReleaseEvent(event)


class CloseButton(QToolButton):
    """The cross of a tab; a dot while the document is modified and the mouse is elsewhere."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("close")
        self.setFixedSize(20, 20)
        self._modified = False
        self.show_modified(False)

    def show_modified(self, modified: bool) -> None:
        """Shows whether there is something to save."""
        self._modified = modified
        self.setText("●" if modified and not self.underMouse() else "×")
        self.setToolTip("Close (not saved yet)" if modified else "Close")
        self.setAccessibleName(self.toolTip())

    def enterEvent(self, event: QEnterEvent) -> None:
        self.setText("×")
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.setText("●" if self._modified else "×")
        super().leaveEvent(event)
