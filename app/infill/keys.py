"""What keys mean in the text while something is running or pending; anywhere else they are the editor's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

if TYPE_CHECKING:
    from app.infill.controller import InfillController

_NONE, _CONTROL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier


class ProposalKeys:
    """Filters the keys of one view: `Tab`, `Esc`, and `Ctrl+Right` and `Ctrl+Down` right before proposed text."""

    def __init__(self, controller: InfillController) -> None:
        self._controller = controller

    def __call__(self, event: QKeyEvent) -> bool:
        """Returns whether the key was taken."""
        controller, key = self._controller, event.key()
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if modifiers == _CONTROL and controller.proposals.right_behind_caret is not None:
            if key == Qt.Key.Key_Right:
                return controller.proposals.accept_word()
            return key == Qt.Key.Key_Down and controller.proposals.accept_line()
        if modifiers != _NONE:
            return False
        if key == Qt.Key.Key_Tab:
            return self._tab()
        return key == Qt.Key.Key_Escape and self._escape()

    def _tab(self) -> bool:
        if self._controller.proposals.can_accept:
            return self._controller.proposals.accept()
        if self._controller.is_writing_at_caret:
            self._controller.message.emit("Still writing: Tab accepts when it is done, Esc stops.")
            return True
        return False

    def _escape(self) -> bool:
        """Stops the run, or goes back from a step of one to its result, or discards the proposal at the caret or the
        only one."""
        controller, proposals = self._controller, self._controller.proposals
        if controller.is_running:
            controller.stop()
        elif proposals.apart.frame is not None:
            proposals.apart.show_frame(None)
        elif proposals.at_caret is not None or len(proposals) == 1:
            proposals.reject()
        else:
            return False
        return True
