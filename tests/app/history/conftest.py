"""A history in the user's data folder, and documents for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.document.document import Document
from app.history import History
from app.settings import Settings


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def history(qtbot: QtBot, settings: Settings) -> Iterator[History]:
    made = History(settings)
    yield made
    assert made.close()


@pytest.fixture
def a_document(qtbot: QtBot, tmp_path: Path) -> Callable[..., Document]:
    def make(name: str | None = "x.txt", text: str = "some old words") -> Document:
        document = Document()
        if name is not None:
            (tmp_path / name).write_text(text)
            document.load(tmp_path / name)
        return document

    return make
