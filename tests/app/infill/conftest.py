"""A view, a controller and a session that is stepped by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from app.document.document import Document
from app.editor.view import EditorView
from app.infill.bridge import EngineBridge
from app.infill.controller import InfillController
from app.infill.progress import InfillProgress
from app.settings import Settings
from app.theme import LIGHT
from engine.types import InfillRequest, TextSpan
from tests.fakes import SteppedSession


@dataclass
class Desk:
    """Everything of one open document."""

    qtbot: QtBot
    settings: Settings
    session: SteppedSession
    bridge: EngineBridge
    view: EditorView
    controller: InfillController
    messages: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    progress: list[InfillProgress] = field(default_factory=list)

    def select(self, *texts: str) -> None:
        """Selects the first occurrence of each text."""
        found = [(self.view.text().index(text), len(text)) for text in texts]
        self.view.select([TextSpan(start, start + length) for start, length in found])

    def fill(self, *texts: str) -> None:
        """Selects and fills."""
        self.select(*texts)
        self.controller.fill()

    def allow(self, steps: int = 1) -> None:
        """Lets the engine do steps, one delivered after the other."""
        for _ in range(steps):
            self.session.run.allow(1)
            deliver()

    def shown(self) -> str:
        """What is on the screen."""
        surface = self.view.preview if not self.view.preview.isHidden() else self.view.surface
        return surface.text_bytes(0, surface.length()).decode("utf-8", "surrogateescape")

    def pause_typing(self) -> None:
        """As if typing had paused."""
        assert self.controller.stage.resume_timer.isActive()
        self.controller.stage.resume_timer.stop()
        self.controller.stage.resume_timer.timeout.emit()


def deliver() -> None:
    """Delivers what is queued."""
    QCoreApplication.sendPostedEvents()


MakeDesk = Callable[..., Desk]


@pytest.fixture
def make_desk(qtbot: QtBot) -> Iterator[MakeDesk]:
    """Opens a document with a controller; a frame is shown as soon as it is there."""
    desks: list[Desk] = []

    def make(
        text: str, *, eol: str = "\n", answer: Callable[[InfillRequest], Sequence[str]] | None = None, **values: object
    ) -> Desk:
        settings = Settings()
        settings["editor.wrap"] = False
        settings["infill.steps"] = 4
        for name, value in values.items():
            settings[name.replace("__", ".")] = value
        session = SteppedSession(answer) if answer is not None else SteppedSession()
        bridge = EngineBridge(session)
        document = Document()
        document.eol = eol
        view = EditorView(document, settings, LIGHT)
        qtbot.addWidget(view)
        view.resize(700, 400)
        view.set_text(text)
        view.show()
        qtbot.waitExposed(view)
        controller = InfillController(view, bridge, settings)
        controller.stage.pacer.interval_ms = 0
        desk = Desk(qtbot, settings, session, bridge, view, controller)
        controller.message.connect(desk.messages.append)
        controller.state_changed.connect(desk.states.append)
        controller.progress.connect(desk.progress.append)
        desks.append(desk)
        return desk

    yield make
    for desk in desks:
        desk.controller.close()
