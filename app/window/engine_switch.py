"""One switch for all that has to do with the model: off, what is left is a plain editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from app.window.main_window import MainWindow

GROUPS = ("infill", "proposal")
"""The menus that are gone while the model is off."""


class EngineSwitch(QObject):
    """Follows the setting `engine.enabled`: what runs is stopped, what waits is dropped, what is of no use is hidden.

    The engine itself is ended and begun by `EngineLink`.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._had_history = self._had_proposal = False
        window.settings.changed.connect(self._on_setting)
        if not self.is_on:
            self._show(False)

    @property
    def is_on(self) -> bool:
        """Whether the model is used."""
        return bool(self._window.settings["engine.enabled"])

    def _on_setting(self, key: str, _value: object) -> None:
        if key == "engine.enabled":
            dropped = 0 if self.is_on else self._end_runs()
            self._show(self.is_on)
            self._say(dropped)

    def _end_runs(self) -> int:
        """Returns how many proposals were dropped."""
        dropped = 0
        for tab in self._window.tabs.all:
            tab.controller.give_up()
            dropped += len(tab.controller.proposals)
            tab.controller.proposals.reject_all()
        return dropped

    def _show(self, on: bool) -> None:
        window = self._window
        window.actions_.show_groups(GROUPS, shown=on)
        window.strip.setVisible(on)
        window.presets.setVisible(on)
        window.panel.show_infill(on)
        window.status.show_infill(on)
        window.feed.runs.forget_model()
        if not on:
            self._had_history, self._had_proposal = window.docks.history_shown(), window.docks.proposal_shown()
        window.docks.history.setVisible(on and self._had_history)
        window.docks.proposal.setVisible(on and self._had_proposal)

    def _say(self, dropped: int) -> None:
        if self.is_on:
            self._window.status.show_message("The model is switched on.")
        elif dropped:
            what = "The proposal that waited was" if dropped == 1 else f"{dropped} proposals that waited were"
            kept = " The history still has it." if dropped == 1 else " The history still has them."
            kept = kept if self._window.settings["history.enabled"] else ""
            self._window.notices.tell(f"The model is switched off. {what} discarded; your text is as it was.{kept}")
        else:
            self._window.status.show_message("The model is switched off; nothing of it is loaded.")
