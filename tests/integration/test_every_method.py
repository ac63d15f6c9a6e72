"""Every sampler, schedule and attention variant from where a user chooses it, terminal or settings, to the text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.document.document import Document
from app.editor.view import EditorView
from app.infill.bridge import EngineBridge
from app.infill.controller import InfillController
from app.panels.controls import ChoiceBox
from app.panels.settings_panel import SettingsPanel
from app.settings import Settings
from app.theme import LIGHT
from engine.cli import main
from engine.session import EngineSession
from engine.types import SAMPLER_NAMES, SCHEDULE_NAMES, ModelChoice, TextSpan
from tests.engine.tiny import write_checkpoint

TEXT = "The quick brown fox jumps over the lazy dog, and then the dog jumps over the fox.\n"
SPAN = TextSpan(10, 25)
WAIT_MS = 20_000
METHODS = [("sampler", name) for name in SAMPLER_NAMES] + [("schedule", name) for name in SCHEDULE_NAMES]


@pytest.fixture(scope="module", params=["causal", "mixed2"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of either variant: (B) and (A)."""
    return write_checkpoint(tmp_path_factory.mktemp(request.param) / "model", attention=request.param)


@pytest.mark.parametrize(("kind", "name"), METHODS)
def test_the_terminal_writes_with_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, name: str
) -> None:
    file = tmp_path / "text.txt"
    file.write_text(TEXT, encoding="utf-8")
    options = ("--alpha0", "0.7", "--steps", "4", "--capacity", "8", f"--{kind}", name, "--json")
    model = ("--model", str(folder), "--device", "cpu", "--threads", "1")
    assert main(["fill", str(file), "--span", "10:25", *options, *model]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["settings"][kind] == name
    assert report["spans"][0]["before"] == TEXT[10:25]
    assert report["nfe"] >= 1


@pytest.fixture
def settings(qapp: object) -> Settings:
    settings = Settings()
    settings["infill.steps"] = 4
    settings["infill.capacity"] = 8
    return settings


@pytest.fixture
def view(qtbot: QtBot, settings: Settings) -> EditorView:
    view = EditorView(Document(), settings, LIGHT)
    qtbot.addWidget(view)
    view.set_text(TEXT)
    view.show()
    return view


@pytest.fixture
def controller(view: EditorView, settings: Settings, folder: Path) -> Iterator[InfillController]:
    bridge = EngineBridge(EngineSession(ModelChoice(str(folder), "cpu", "float32", 1)))
    controller = InfillController(view, bridge, settings)
    yield controller
    controller.close()
    assert bridge.close()


def test_the_settings_choose_it_and_the_editor_writes_with_it(
    qtbot: QtBot, view: EditorView, controller: InfillController, settings: Settings
) -> None:
    panel = SettingsPanel(settings)
    qtbot.addWidget(panel)
    for kind, name in METHODS:
        control = panel.rows[f"infill.{kind}"].control
        assert isinstance(control, ChoiceBox)
        control.setCurrentIndex(control.findData(name))
        control.activated.emit(control.currentIndex())
        assert settings[f"infill.{kind}"] == name
        view.select([SPAN])
        controller.fill()
        qtbot.waitUntil(lambda: controller.state == "proposal", timeout=WAIT_MS)
        proposal = controller.proposals.wanted
        assert proposal is not None
        assert getattr(proposal.request, kind) == name
        assert view.text() == TEXT
        controller.reject()
