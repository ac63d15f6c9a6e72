"""A whole window with an engine that is stepped by hand and a user who answers from a list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.infill.bridge import EngineBridge
from app.settings import Settings
from app.theme import Themes
from app.window import MainWindow
from app.window.asks import Answer
from app.window.tabs import Tab
from engine.types import TextSpan
from tests.fakes import SteppedSession


@dataclass
class FakeAsks:
    """Answers what it was told to, and notes what it was asked. An unexpected question fails the test."""

    answers: list[object] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def _next(self, question: str) -> object:
        self.asked.append(question)
        assert self.answers, f"nobody expected to be asked: {question}"
        return self.answers.pop(0)

    def open_paths(self, folder: Path | None) -> list[Path]:
        return self._next(f"open in {folder}")  # type: ignore[return-value]

    def save_path(self, suggestion: Path) -> Path | None:
        return self._next(f"save as {suggestion.name}")  # type: ignore[return-value]

    def unsaved(self, title: str) -> Answer:
        return self._next(f"unsaved {title}")  # type: ignore[return-value]

    def changed_on_disk(self, title: str) -> Answer:
        return self._next(f"changed on disk {title}")  # type: ignore[return-value]

    def unencodable(self, sentence: str) -> Answer:
        return self._next(f"unencodable {sentence}")  # type: ignore[return-value]

    def proposals(self, title: str, count: int) -> Answer:
        return self._next(f"{count} proposed in {title}")  # type: ignore[return-value]

    def save_beside_proposals(self, title: str, count: int) -> Answer:
        return self._next(f"save beside {count} proposed in {title}")  # type: ignore[return-value]

    def running(self, title: str) -> Answer:
        return self._next(f"running {title}")  # type: ignore[return-value]

    def lose_changes(self, title: str) -> Answer:
        return self._next(f"lose changes {title}")  # type: ignore[return-value]

    def forget_runs(self, title: str | None) -> Answer:
        return self._next(f"forget {title}")  # type: ignore[return-value]

    def line(self, _now: int, last: int) -> int | None:
        return self._next(f"line to {last}")  # type: ignore[return-value]

    def model_folder(self) -> Path | None:
        return self._next("model folder")  # type: ignore[return-value]


@dataclass
class Desk:
    """Everything a test wants of a window."""

    qtbot: QtBot
    window: MainWindow
    session: SteppedSession
    asks: FakeAsks
    folder: Path

    @property
    def tab(self) -> Tab:
        """The tab in front."""
        tab = self.window.tabs.current
        assert tab is not None
        return tab

    def file(self, name: str, data: bytes | str = "") -> Path:
        """Makes a file."""
        path = self.folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def open(self, name: str, data: bytes | str = "") -> Tab:
        """Makes a file and opens it."""
        self.window.open_paths([(self.file(name, data), None, 1)])
        return self.tab

    def type(self, text: str) -> None:
        """Puts text at the start of the document."""
        self.tab.view.replace_spans([(0, 0, text)])

    def fill(self, text: str) -> None:
        """Selects the first occurrence of a text and fills it."""
        start = self.tab.view.text().index(text)
        self.tab.view.select([TextSpan(start, start + len(text))])
        self.window.actions_.of("infill.fill").trigger()

    def allow(self, steps: int = 1) -> None:
        """Lets the engine do steps, one delivered after the other."""
        for _ in range(steps):
            self.session.run.allow(1)
            deliver()

    def do(self, command: str) -> None:
        """Triggers a command as its menu entry does."""
        self.window.actions_.of(command).trigger()


def deliver() -> None:
    """Delivers what is queued."""
    QCoreApplication.sendPostedEvents()


@pytest.fixture
def plain_application(qapp: QApplication) -> Iterator[QApplication]:
    """The application's look is as before when the test is over."""
    palette = qapp.palette()
    yield qapp
    qapp.setStyleSheet("")
    qapp.setPalette(palette)


@pytest.fixture
def desk(qtbot: QtBot, plain_application: QApplication, tmp_path: Path) -> Desk:
    """A shown window without documents."""
    settings = Settings()
    settings["infill.steps"] = 4
    settings.save()
    session = SteppedSession()
    asks = FakeAsks()
    window = MainWindow(settings, Themes(settings), EngineBridge(session), asks)
    qtbot.addWidget(window, before_close_func=_settle)
    window.feed.runs.pacer.interval_ms = 0
    window.resize(1000, 640)
    window.show()
    qtbot.waitExposed(window)
    return Desk(qtbot, window, session, asks, tmp_path)


def _settle(window: MainWindow) -> None:
    """Leaves nothing that the window would ask about."""
    for tab in window.tabs.all:
        tab.controller.close()
        tab.document.set_modified(False)
        if tab.document.is_gone and tab.document.path is not None:
            tab.document.begin(tab.document.path)
