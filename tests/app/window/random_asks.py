"""Answers by chance, and what goes wrong where nobody looks."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import qInstallMessageHandler

from app.window.asks import Answer


class RandomAsks:
    """Answers every question by chance."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder, self.chance, self.asked = folder, chance, set[str]()

    def _any(self, question: str, *answers: Answer) -> Answer:
        self.asked.add(question)
        return self.chance.choice(answers)

    def open_paths(self, folder: Path | None) -> list[Path]:
        return []

    def save_path(self, suggestion: Path) -> Path | None:
        name = f"named {self.chance.randrange(1_000_000)}.txt"
        return self.chance.choice([None, self.folder / name])

    def unsaved(self, title: str) -> Answer:
        return self._any("unsaved", Answer.SAVE, Answer.DISCARD, Answer.CANCEL)

    def changed_on_disk(self, title: str) -> Answer:
        return self._any("changed on disk", Answer.OVERWRITE, Answer.RELOAD, Answer.CANCEL)

    def unencodable(self, sentence: str) -> Answer:
        return self._any("unencodable", Answer.UTF8, Answer.CANCEL)

    def proposals(self, title: str, count: int) -> Answer:
        return self._any("proposals", Answer.ACCEPT, Answer.DISCARD, Answer.CANCEL)

    def save_beside_proposals(self, title: str, count: int) -> Answer:
        return self._any("save beside proposals", Answer.ACCEPT, Answer.SAVE, Answer.CANCEL)

    def running(self, title: str) -> Answer:
        return self._any("running", Answer.STOP, Answer.CANCEL)

    def lose_changes(self, title: str) -> Answer:
        return self._any("lose changes", Answer.RELOAD, Answer.CANCEL)

    def forget_runs(self, title: str | None) -> Answer:
        return Answer.CANCEL

    def line(self, _now: int, last: int) -> int | None:
        return self.chance.randrange(1, last + 1)

    def model_folder(self) -> Path | None:
        return None


@dataclass
class Watch:
    """What went wrong where nobody looks."""

    said: list[str] = field(default_factory=list)


@contextmanager
def watched() -> Iterator[Watch]:
    """Collects exceptions that reach no caller, and Qt's warnings."""
    watch = Watch()
    hook, sys.excepthook = sys.excepthook, lambda kind, error, _trace: watch.said.append(f"{kind.__name__}: {error}")

    def note(_kind: object, _context: object, text: str) -> None:
        if not text.startswith("This plugin does not support"):  # the screenless platform, of itself
            watch.said.append(text)

    handler = qInstallMessageHandler(note)
    try:
        yield watch
    finally:
        sys.excepthook = hook
        qInstallMessageHandler(handler)
