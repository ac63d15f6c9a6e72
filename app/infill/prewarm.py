"""Has the context of a selection computed ahead, so that pressing the key costs only the denoising."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Slot

from app.editor.view import EditorView
from app.infill.bridge import EngineBridge
from app.infill.context import FILL, NothingToFillError, prepare, read_options
from app.settings import Settings

STILL_MS = 300
"""How long a selection must have been still."""


class Prewarmer(QObject):
    """Watches the selections of one view while it is switched on. Never loads a model, never disturbs a run."""

    def __init__(self, view: EditorView, bridge: EngineBridge, settings: Settings, key: str) -> None:
        super().__init__(view)
        self._view, self._bridge, self._settings, self._key = view, bridge, settings, key
        self._is_on = True
        self.timer = QTimer(self, singleShot=True, interval=STILL_MS)
        self.timer.timeout.connect(self._prewarm)
        view.selection_changed.connect(self._wait)

    def switch(self, on: bool) -> None:
        """Off while a run or a proposal has the view."""
        self._is_on = on
        if not on:
            self.timer.stop()

    @Slot()
    def _wait(self) -> None:
        if self._is_on and self._bridge.is_ready and not self._view.surface.selectionEmpty():
            self.timer.start()
        else:
            self.timer.stop()

    @Slot()
    def _prewarm(self) -> None:
        options = read_options(self._settings, int(self._settings["infill.seed"]))
        try:
            prepared = prepare(
                self._view,
                self._view.selections(),
                self._view.caret_offset(),
                FILL,
                options,
                int(self._settings["infill.context_extent"]),
            )
        except NothingToFillError:
            return
        self._bridge.prewarm(prepared.request, self._key)
