"""The dialogs: each button gives its answer, and Escape is always the harmless one."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

from app.window.asks import Answer, DialogAsks

QUESTIONS = [
    ("unsaved", "Save", Answer.SAVE),
    ("unsaved", "Discard", Answer.DISCARD),
    ("changed_on_disk", "Reload", Answer.RELOAD),
    ("changed_on_disk", "Overwrite", Answer.OVERWRITE),
    ("unencodable", "Save as UTF-8", Answer.UTF8),
    ("proposal", "Accept", Answer.ACCEPT),
    ("proposal", "Discard", Answer.DISCARD),
    ("running", "Stop and Close", Answer.STOP),
    ("lose_changes", "Reload", Answer.RELOAD),
]


@pytest.fixture
def asks(qtbot):
    parent = QWidget()
    qtbot.addWidget(parent)
    return DialogAsks(parent)


@pytest.mark.parametrize(("question", "button", "answer"), QUESTIONS)
def test_a_button_gives_its_answer(asks, monkeypatch, question, button, answer):
    def click(box: QMessageBox) -> int:
        assert box.text()
        assert box.informativeText()
        next(each for each in box.buttons() if each.text().replace("&", "") == button).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", click)
    assert getattr(asks, question)("x.txt") is answer


@pytest.mark.parametrize("question", sorted({question for question, _, _ in QUESTIONS}))
def test_escape_goes_back(asks, monkeypatch, question):
    def escape(box: QMessageBox) -> int:
        box.escapeButton().click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", escape)
    assert getattr(asks, question)("x.txt") is Answer.CANCEL


@pytest.mark.parametrize("question", ["changed_on_disk", "lose_changes"])
def test_return_alone_never_loses_what_was_typed(asks, monkeypatch, question):
    def press_return(box: QMessageBox) -> int:
        box.defaultButton().click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", press_return)
    assert getattr(asks, question)("x.txt") is Answer.CANCEL


def test_paths_and_lines_come_from_the_systems_dialogs(asks, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (["/a", "/b"], ""))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("/c", ""))
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (4, True))
    assert asks.open_paths(None) == [Path("/a"), Path("/b")]
    assert asks.save_path(Path("/x")) == Path("/c")
    assert asks.line(9) == 4
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (4, False))
    assert asks.save_path(Path("/x")) is None
    assert asks.line(9) is None


def test_the_folder_of_a_model_is_chosen_or_not(asks, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/models/one")
    assert asks.model_folder() == Path("/models/one")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    assert asks.model_folder() is None
