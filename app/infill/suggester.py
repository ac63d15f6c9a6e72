"""Suggests a continuation while one types, if the settings say so, and takes it away at the next key."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtGui import QKeyEvent

from app.editor.edits import Edit
from app.editor.view import EditorView
from app.infill.announce import announce
from app.infill.bridge import EngineBridge
from app.infill.controller import InfillController
from app.infill.trigger import Debounce, Moment, is_typing
from app.settings import Settings

_LINE = 400
"""Characters of the caret's line that are looked at on each side."""
MOST_SAID = 80
"""Characters of a suggestion that a screen reader says."""
_MODIFIERS = frozenset({Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta})


class Suggester(QObject):
    """One view's. `is_active` while a suggestion of its own is on its way or waits."""

    def __init__(
        self,
        view: EditorView,
        controller: InfillController,
        bridge: EngineBridge,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(view)
        self._view, self._controller, self._bridge, self._settings = view, controller, bridge, settings
        self._clock = clock
        self._asked_at = 0.0
        self._ends_quietly = False
        self._is_asking = False
        self.is_active = False
        self.debounce = Debounce()
        self.timer = QTimer(self, singleShot=True)
        self.timer.timeout.connect(self._suggest)
        self.caret_timer = QTimer(self, singleShot=True, interval=0)  # an acceptance moves the caret in its middle
        self.caret_timer.timeout.connect(self._look_at_caret)
        view.add_key_filter(self._filter_key)
        view.text_changed.connect(self._on_edit)
        view.caret_moved.connect(self._on_caret)
        controller.state_changed.connect(self._on_state)
        controller.is_suggesting = lambda: self.is_active or self._ends_quietly

    def close(self) -> None:
        """Ends what would still happen later."""
        self.timer.stop()
        self.caret_timer.stop()

    def keeps_quiet(self) -> bool:
        """Whether what the controller says now is about a suggestion, which comes and goes without a word: while there
        is one, and the sentence with which it ends."""
        ends, self._ends_quietly = self._ends_quietly, False
        return self.is_active or ends

    @Slot(object)
    def _on_edit(self, edit: Edit) -> None:
        if self._settings["infill.suggest"] and is_typing(edit.removed, edit.inserted):
            self.timer.start(self.debounce.wait_ms)
        else:
            self.timer.stop()

    @Slot()
    def _suggest(self) -> None:
        if self._settings["infill.suggest"] and self._moment().wants_suggestion:
            self.ask()

    def ask(self) -> None:
        """Has the text go on at the caret, as a suggestion."""
        self.is_active = self._is_asking = True
        self._asked_at = self._clock()
        self._controller.continue_at_caret()
        self._is_asking = False
        self.is_active = self._controller.state != "idle"

    def _moment(self) -> Moment:
        view, caret = self._view, self._view.caret_offset()
        return Moment(
            before=view.text_range(max(0, caret - _LINE), caret).rpartition("\n")[2],
            after=view.text_range(caret, min(view.length, caret + _LINE)).partition("\n")[0],
            is_composing=view.surface.is_composing,
            has_selection=bool(view.selections()) or view.surface.selections() > 1,
            is_busy=self._controller.state != "idle",
            is_ready=self._bridge.is_ready,
        )

    @Slot(str)
    def _on_state(self, state: str) -> None:
        if state == "queued" and not self._is_asking:  # a run of the user's own; a suggestion that waits stays
            self.is_active = self._ends_quietly = False
            self.timer.stop()
        elif not self.is_active:
            return
        elif state == "proposal":
            self.debounce.learn(1000 * (self._clock() - self._asked_at))
            self._tell()
        elif state == "idle":
            self.is_active, self._ends_quietly = False, True

    def _tell(self) -> None:
        """Lets a screen reader say the suggestion once what it says now is said: it comes unasked."""
        proposal = self._controller.proposals.wanted
        line = proposal.texts[0].strip().partition("\n")[0] if proposal is not None else ""
        if line:
            announce(self._view, f"Suggested: {line[:MOST_SAID]}")

    @Slot(int, int)
    def _on_caret(self, _line: int = 0, _column: int = 0) -> None:
        if self.is_active:
            self.caret_timer.start()

    @Slot()
    def _look_at_caret(self) -> None:
        """Who moves the caret away does not want it."""
        if self.is_active and self._controller.state == "proposal" and not self._controller.proposals.can_accept:
            self._dismiss()

    def _filter_key(self, event: QKeyEvent) -> bool:
        """Any key but those that decide about a whole suggestion takes it away first, and then does what it does."""
        if not self.is_active or event.key() in _MODIFIERS:
            return False
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            return False
        if event.key() == Qt.Key.Key_Tab and self._controller.state == "proposal":
            return False
        self._dismiss()
        return bool(event.key() == Qt.Key.Key_Escape)

    def _dismiss(self) -> None:
        self.caret_timer.stop()
        self._controller.reject()
        self.is_active = self._ends_quietly = False
