"""A view on a small Python file."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from app.document.document import Document
from app.editor.view import EditorView
from app.settings import Settings
from app.theme import LIGHT

MakeView = Callable[..., EditorView]


@pytest.fixture
def make_view(qtbot: QtBot) -> MakeView:
    """Makes a shown view of a text."""

    def make(text: str = "", *, eol: str = "\n", language: str | None = "python", **settings: object) -> EditorView:
        values = Settings()
        values["editor.wrap"] = False
        for name, value in settings.items():
            values[f"editor.{name}"] = value
        document = Document()
        document.eol, document.language = eol, language
        view = EditorView(document, values, LIGHT)
        qtbot.addWidget(view)
        view.resize(700, 400)
        view.set_text(text)
        view.show()
        qtbot.waitExposed(view)
        return view

    return make
