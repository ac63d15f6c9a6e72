"""Decides when drafts and proposals are on the screen: at most so often, not while the user types or looks away."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer, Slot

from app.editor.draft import SpanPreview
from app.editor.view import EditorView
from app.infill.pacing import FramePacer

TYPING_PAUSE_MS = 600
"""How long typing must have paused before drafts come back over the text."""


class Stage(QObject):
    """Shows in one view what `collect` gives."""

    def __init__(self, view: EditorView, collect: Callable[[], Sequence[SpanPreview]], parent: QObject) -> None:
        super().__init__(parent)
        self._view, self._collect = view, collect
        self.pacer = FramePacer(self)
        self.resume_timer = QTimer(self, singleShot=True, interval=TYPING_PAUSE_MS)
        self.pacer.due.connect(self.show)
        self.resume_timer.timeout.connect(self._resume)
        view.shown.connect(self.show)

    def show_at_once(self) -> None:
        """Shows what there is now, typing or not: the user has just decided something."""
        self.resume_timer.stop()
        self.show()

    @Slot()
    def show(self) -> None:
        """Shows what there is now, unless the user is typing or does not look; the text alone when there is nothing."""
        previews = self._collect()
        if not previews:
            self.pacer.stop()
            self.resume_timer.stop()
            self._view.overlay.end()
        elif not self.resume_timer.isActive() and self._view.isVisible():
            self._view.overlay.show(previews)

    def wait(self) -> None:
        """The user types: what there is to show comes back when that has paused."""
        self.resume_timer.start()

    def close(self) -> None:
        """Shows nothing any more."""
        self.pacer.stop()
        self.resume_timer.stop()
        self._view.shown.disconnect(self.show)
        self._view.overlay.end()

    @Slot()
    def _resume(self) -> None:
        if self._view.surface.is_composing:
            self.resume_timer.start()
        else:
            self.show()
