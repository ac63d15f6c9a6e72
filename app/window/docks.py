"""The panels beside the text: which are shown, and which has the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDockWidget, QVBoxLayout, QWidget

from app.panels.history_panel import HistoryPanel
from app.panels.proposal_panel import ProposalPanel
from app.panels.settings_panel import SettingsPanel

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


class Docks(QObject):
    """Holds the window's panels: the settings on the right, the history and the proposal on the left."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.settings = self._dock("Settings", self._settings_side(), Qt.DockWidgetArea.RightDockWidgetArea)
        self.history = self._dock("History", window.history_panel, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.history.hide()
        self.history.visibilityChanged.connect(window.history.refresh)
        self.proposal = self._dock("Proposal", window.proposal_panel, Qt.DockWidgetArea.LeftDockWidgetArea)
        window.tabifyDockWidget(self.history, self.proposal)
        self.proposal.hide()
        self.proposal.visibilityChanged.connect(window.proposal.refresh)

    def show_settings(self, shown: bool) -> None:
        """Shows or hides the settings."""
        self.settings.setVisible(shown)

    def settings_shown(self) -> bool:
        """Whether the settings are shown."""
        return not self.settings.isHidden()

    def show_history(self, shown: bool) -> None:
        """Shows or hides the runs of the front document, and gives them the keyboard or takes it from them."""
        self.history.setVisible(shown)
        self._window.history.refresh()
        self._give_keyboard(self._window.history_panel if shown else None)

    def history_shown(self) -> bool:
        """Whether the runs are shown."""
        return not self.history.isHidden()

    def show_proposal(self, shown: bool) -> None:
        """Shows or hides the proposal at the caret taken apart, and gives it the keyboard or takes it from it."""
        self.proposal.setVisible(shown)
        if shown:
            self.proposal.raise_()
            self._window.proposal.refresh()
        self._give_keyboard(self._window.proposal_panel if shown else None)

    def proposal_shown(self) -> bool:
        """Whether it is shown."""
        return not self.proposal.isHidden()

    def next_pane(self) -> None:
        """Takes the keyboard from the text to the panels that are shown, and back."""
        window = self._window
        tab, panes = window.tabs.current, list[SettingsPanel | HistoryPanel | ProposalPanel]()
        panes += [window.panel] if self.settings_shown() else []
        panes += [window.history_panel] if self.history_shown() else []
        panes += [window.proposal_panel] if self.proposal_shown() else []
        here = [pane.isAncestorOf(window.focusWidget()) for pane in panes]
        later = panes[here.index(True) + 1 :] if any(here) else panes
        if later and (any(here) or tab is None or tab.view.surface.hasFocus()):
            later[0].focus_first()
        else:
            self._give_keyboard(None)

    def _give_keyboard(self, panel: HistoryPanel | ProposalPanel | None) -> None:
        """Without a panel the text gets it."""
        tab = self._window.tabs.current
        if panel is not None:
            panel.focus_first()
        elif tab is not None:
            tab.view.setFocus()

    def _settings_side(self) -> QWidget:
        side = QWidget()
        rows = QVBoxLayout(side)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self._window.strip)
        rows.addWidget(self._window.presets)
        rows.addWidget(self._window.panel, 1)
        return side

    def _dock(self, title: str, content: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self._window)
        dock.setObjectName(title.lower())
        dock.setWidget(content)
        dock.setTitleBarWidget(QWidget())
        dock.setFeatures(QDockWidget.DockWidgetFeature.DockWidgetClosable)
        self._window.addDockWidget(area, dock)
        return dock
