"""Variations, locked words and steps with the bundled model."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from app.document.document import Document
from app.editor.view import EditorView
from app.infill.bridge import EngineBridge
from app.infill.controller import InfillController
from app.infill.variations import likelihood
from app.infill.wordmarks import Mark
from app.settings import Settings
from app.theme import LIGHT
from engine.session import EngineSession
from engine.types import ModelChoice, TextSpan

BEFORE, SPAN, AFTER = "The keeper climbed the stairs.\n", "He lit the lamp and sat down.", "\nThe sea was calm.\n"
WAIT_MS = 60_000


@pytest.fixture
def view(qtbot: QtBot) -> EditorView:
    view = EditorView(Document(), _settings(), LIGHT)
    qtbot.addWidget(view)
    view.set_text(BEFORE + SPAN + AFTER)
    view.show()
    return view


@pytest.fixture
def controller(view: EditorView) -> Iterator[InfillController]:
    bridge = EngineBridge(EngineSession(ModelChoice(threads=1)))
    controller = InfillController(view, bridge, _settings())
    yield controller
    controller.close()
    assert bridge.close()


def _settings() -> Settings:
    settings = Settings()
    for key, value in {"steps": 6, "variations": 3, "seed": 5, "seed_locked": True}.items():
        settings[f"infill.{key}"] = value
    return settings


def test_results_are_ranked_words_stay_locked_and_a_step_can_be_taken(qtbot, view, controller):
    proposals = controller.proposals
    view.select([TextSpan(len(BEFORE), len(BEFORE) + len(SPAN))])
    controller.fill()
    qtbot.waitUntil(lambda: controller.state == "proposal", timeout=WAIT_MS)
    first = proposals.wanted
    shares = [likelihood(variation) or 0.0 for variation in first.variations]
    assert len(shares) > 1
    assert shares == sorted(shares, reverse=True)
    assert all(0 <= share < 1 for share in shares)
    assert shares[0] > 0  # a result without text has none
    assert {run.seed for run in first.runs} <= {5, 6, 7}

    text = first.texts[0]
    start = text.index(text.split()[0])
    locked = text[: start + len(text.split()[0])]
    proposals.apart.mark_words(first.id, 0, TextSpan(start, len(locked)), Mark.LOCK)
    controller.rewrite()
    qtbot.waitUntil(lambda: controller.state == "proposal" and proposals.wanted is not None, timeout=WAIT_MS)
    again = proposals.wanted
    assert again.id != first.id
    assert {it.texts[0][: len(locked)] for it in again.variations} == {locked}

    proposals.apart.step_frame(-1)
    proposals.apart.take_frame()
    assert proposals.wanted.texts[0].startswith(locked)
    assert view.text() == BEFORE + SPAN + AFTER
    assert controller.proposals.accept()
    view.undo()
    assert view.text() == BEFORE + SPAN + AFTER
