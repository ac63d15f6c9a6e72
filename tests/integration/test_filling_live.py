"""The whole line from a key to a proposal: the real view, bridge, engine thread and a real (tiny) model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.document.document import Document
from app.editor.view import EditorView
from app.infill.bridge import EngineBridge
from app.infill.controller import InfillController
from app.settings import Settings
from app.theme import LIGHT
from engine.session import EngineSession
from engine.types import ModelChoice, TextSpan
from tests.engine.stepped import SteppedModel

TEXT = "The quick brown fox jumps over the lazy dog.\r\nNaïve 日本 😀: the dog and the fox.\r\n"
SPAN = TextSpan(10, 25)
WAIT_MS = 20_000
MANY = 1000


@pytest.fixture
def model(tmp_path: Path) -> SteppedModel:
    return SteppedModel(tmp_path / "model")


@pytest.fixture
def settings(qapp: object) -> Settings:
    settings = Settings()
    settings["infill.steps"] = 6
    settings["infill.alpha_0"] = 1.0
    settings["infill.capacity"] = 12
    return settings


@pytest.fixture
def bridge(model: SteppedModel) -> Iterator[EngineBridge]:
    bridge = EngineBridge(EngineSession(ModelChoice(), loader=lambda _choice: model))
    yield bridge
    model.allow(MANY)
    assert bridge.close()


@pytest.fixture
def view(qtbot: QtBot, settings: Settings) -> EditorView:
    document = Document()
    document.eol = "\r\n"
    view = EditorView(document, settings, LIGHT)
    qtbot.addWidget(view)
    view.set_text(TEXT)
    view.show()
    return view


@pytest.fixture
def controller(view: EditorView, bridge: EngineBridge, settings: Settings) -> Iterator[InfillController]:
    controller = InfillController(view, bridge, settings)
    yield controller
    controller.close()


def begin(qtbot: QtBot, view: EditorView, controller: InfillController, model: SteppedModel) -> None:
    """Fills the span and lets one step through."""
    view.select([SPAN])
    with qtbot.waitSignal(controller.progress, timeout=WAIT_MS):
        controller.fill()
        model.allow(1)


def wait_for(qtbot: QtBot, controller: InfillController, state: str) -> None:
    qtbot.waitUntil(lambda: controller.state == state, timeout=WAIT_MS)


def test_a_span_is_written_live_accepted_and_undone(qtbot, view, controller, model):
    begin(qtbot, view, controller, model)
    assert view.overlay.is_shown
    assert view.text() == TEXT
    model.allow(MANY)
    wait_for(qtbot, controller, "proposal")
    assert view.text() == TEXT
    proposal = controller.proposals.wanted
    assert proposal is not None
    qtbot.keyClick(view.surface, Qt.Key.Key_Tab)
    (written,) = proposal.texts
    expected = written.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    assert view.text() == TEXT[: SPAN.start] + expected + TEXT[SPAN.end :]
    view.undo()
    assert view.text() == TEXT
    assert not view.is_modified
    assert view.selections() == [SPAN]


def test_escape_stops_the_engine_within_one_step_and_keeps_what_was_written(qtbot, view, controller, model):
    begin(qtbot, view, controller, model)
    steps = model.steps
    qtbot.keyClick(view.surface, Qt.Key.Key_Escape)
    model.allow(MANY)
    qtbot.waitUntil(lambda: controller.state in {"proposal", "idle"}, timeout=WAIT_MS)
    assert model.steps <= steps + 1
    assert view.text() == TEXT
    assert view.overlay.is_shown == controller.proposals.has_pending


def test_a_newer_request_replaces_the_older_one(qtbot, view, controller, model):
    begin(qtbot, view, controller, model)
    view.select([TextSpan(0, 3)])
    controller.fill()
    model.allow(MANY)
    wait_for(qtbot, controller, "proposal")
    assert controller.proposals.wanted is not None
    assert controller.proposals.wanted.spans == (TextSpan(0, 3),)


def test_an_engine_that_raises_leaves_the_text_and_answers_again(qtbot, view, controller, model):
    model.fail_at_step = (2, RuntimeError("broken"))
    begin(qtbot, view, controller, model)
    with qtbot.waitSignal(controller.message, timeout=WAIT_MS) as told:
        model.allow(MANY)
    assert "Your text is unchanged" in told.args[0]
    assert controller.state == "idle"
    assert view.text() == TEXT
    view.select([SPAN])
    controller.fill()
    wait_for(qtbot, controller, "proposal")


def test_closing_the_view_in_the_middle_of_a_run_ends_the_run(qtbot, view, controller, model):
    begin(qtbot, view, controller, model)
    steps = model.steps
    controller.close()
    model.allow(MANY)
    assert view.text() == TEXT
    assert not view.overlay.is_shown
    assert model.steps <= steps + 1
