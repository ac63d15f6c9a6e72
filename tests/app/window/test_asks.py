"""The dialogs: each button gives its answer, and Escape is always the harmless one."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QInputDialog, QMessageBox, QWidget

from app.window.asks import Answer, DialogAsks

QUESTIONS = [
    ("unsaved", "Save", Answer.SAVE),
    ("unsaved", "Discard", Answer.DISCARD),
    ("changed_on_disk", "Reload", Answer.RELOAD),
    ("changed_on_disk", "Overwrite", Answer.OVERWRITE),
    ("unencodable", "Save as UTF-8", Answer.UTF8),
    ("running", "Stop and Close", Answer.STOP),
    ("lose_changes", "Reload", Answer.RELOAD),
]


COUNTED = [
    ("proposals", 1, "Accept", Answer.ACCEPT),
    ("proposals", 2, "Discard All", Answer.DISCARD),
    ("save_beside_proposals", 1, "Save Without It", Answer.SAVE),
    ("save_beside_proposals", 3, "Accept All and Save", Answer.ACCEPT),
    ("save_beside_proposals", 3, "Cancel", Answer.CANCEL),
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


@pytest.mark.parametrize(("question", "count", "button", "answer"), COUNTED)
def test_a_question_about_proposals_knows_how_many_they_are(asks, monkeypatch, question, count, button, answer):
    def click(box: QMessageBox) -> int:
        assert ("A proposal is" if count == 1 else f"{count} proposals are") in box.text()
        next(each for each in box.buttons() if each.text().replace("&", "") == button).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", click)
    assert getattr(asks, question)("x.txt", count) is answer


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
    given: list[int] = []

    def choose(dialog: QInputDialog) -> int:
        given.append(dialog.intValue())
        dialog.setIntValue(4)
        return 1

    monkeypatch.setattr(QInputDialog, "exec", choose)
    assert asks.open_paths(None) == [Path("/a"), Path("/b")]
    assert asks.save_path(Path("/x")) == Path("/c")
    assert asks.line(3, 9) == 4
    assert given == [3]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    monkeypatch.setattr(QInputDialog, "exec", lambda _: 0)
    assert asks.save_path(Path("/x")) is None
    assert asks.line(3, 9) is None


def test_the_folder_of_a_model_is_chosen_or_not(asks, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "/models/one")
    assert asks.model_folder() == Path("/models/one")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    assert asks.model_folder() is None


def test_nothing_is_left_of_a_dialog_that_was_answered(qtbot, monkeypatch):
    parent = QWidget()
    qtbot.addWidget(parent)
    monkeypatch.setattr(QInputDialog, "exec", lambda _: 1)
    monkeypatch.setattr(QMessageBox, "exec", lambda _: 0)
    asks = DialogAsks(parent)
    asks.line(3, 9)
    asks.unsaved("x.txt")
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert parent.findChildren(QDialog) == []
