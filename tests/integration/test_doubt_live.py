"""The bundled model finds a wrong word, knows a better one, and undo brings the wrong one back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.document.document import Document
from app.editor.view import EditorView
from app.infill.bridge import EngineBridge
from app.infill.controller import InfillController
from app.infill.doubt import DoubtMarks
from app.infill.doubt_popup import DoubtPopup
from app.settings import Settings
from app.theme import LIGHT
from engine.session import EngineSession
from engine.types import ModelChoice

TEXT = "She was very tired, so she want to sleep in her bed and closed her eyess.\n"
WAIT_MS = 60_000


@pytest.fixture
def bridge(qapp: object) -> Iterator[EngineBridge]:
    bridge = EngineBridge(EngineSession(ModelChoice(device="cpu", threads=1)))
    yield bridge
    assert bridge.close()


def test_a_wrong_word_is_marked_fixed_by_a_choice_and_brought_back_by_undo(qtbot: QtBot, bridge: EngineBridge):
    settings = Settings()
    view = EditorView(Document(), settings, LIGHT)
    qtbot.addWidget(view)
    view.set_text(TEXT)
    view.show()
    controller = InfillController(view, bridge, settings)
    marks = DoubtMarks(view, controller, bridge, settings)
    popup = DoubtPopup(view, marks)

    marks.mark()
    qtbot.waitUntil(lambda: not marks.is_running, timeout=WAIT_MS)
    by_text = {view.text_range(word.span.start, word.span.end): word for word in marks.words}
    wrong = by_text["eyess"]
    assert len(by_text) <= 3
    assert "eyes" in [candidate.text for candidate in wrong.word.candidates]

    view.go_to_offset(wrong.span.start)
    popup.open_at_caret()
    next(button for button in popup.buttons if button.text() == "eyes").click()
    assert view.text() == TEXT.replace("eyess", "eyes")
    view.undo()
    assert view.text() == TEXT

    marks.close()
    controller.close()
