"""Every question the window puts to the user. Tests put a fake in its place, so that nothing blocks."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Protocol

from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QPushButton, QWidget

_WIDE_ENOUGH = 300
_NOT_IN_FILE = ("It is not part of the file yet.", "They are not part of the file yet.")


class Answer(StrEnum):
    """What the user chose."""

    SAVE = "save"
    DISCARD = "discard"
    OVERWRITE = "overwrite"
    RELOAD = "reload"
    UTF8 = "utf-8"
    ACCEPT = "accept"
    STOP = "stop"
    DELETE = "delete"
    CANCEL = "cancel"


class Asks(Protocol):
    """The questions."""

    def open_paths(self, folder: Path | None) -> list[Path]:
        """Which files are to be opened."""

    def save_path(self, suggestion: Path) -> Path | None:
        """Where a document is to be saved."""

    def unsaved(self, title: str) -> Answer:
        """SAVE, DISCARD or CANCEL, before a modified document is closed."""

    def changed_on_disk(self, title: str) -> Answer:
        """OVERWRITE, RELOAD or CANCEL, before another program's changes are written over."""

    def unencodable(self, sentence: str) -> Answer:
        """UTF8 or CANCEL, when the encoding lacks a character."""

    def proposals(self, title: str, count: int) -> Answer:
        """ACCEPT, DISCARD or CANCEL, before a document with pending proposals is closed or read again."""

    def save_beside_proposals(self, title: str, count: int) -> Answer:
        """ACCEPT, SAVE (without them) or CANCEL, before a document with pending proposals is saved."""

    def running(self, title: str) -> Answer:
        """STOP or CANCEL, before a document is closed in which a run is writing."""

    def lose_changes(self, title: str) -> Answer:
        """RELOAD or CANCEL, before a modified document is read again from disk."""

    def forget_runs(self, title: str | None) -> Answer:
        """DELETE or CANCEL, before the runs of a document, or without a title of all documents, are forgotten."""

    def line(self, now: int, last: int) -> int | None:
        """Which line to go to, from 1 to `last`; `now` is where one is."""

    def model_folder(self) -> Path | None:
        """Which folder a model is in."""


class DialogAsks:
    """Asks with dialogs over `parent`."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent

    def open_paths(self, folder: Path | None) -> list[Path]:
        """Shows the system's dialog for opening."""
        names, _ = QFileDialog.getOpenFileNames(self._parent, "Open", str(folder or ""))
        return [Path(name) for name in names]

    def save_path(self, suggestion: Path) -> Path | None:
        """Shows the system's dialog for saving."""
        name, _ = QFileDialog.getSaveFileName(self._parent, "Save As", str(suggestion))
        return Path(name) if name else None

    def unsaved(self, title: str) -> Answer:
        """Save, discard or go back."""
        return self._ask(
            f"Save the changes to “{title}”?",
            "They are lost if they are not saved.",
            {"Save": Answer.SAVE, "Discard": Answer.DISCARD},
        )

    def changed_on_disk(self, title: str) -> Answer:
        """Overwrite, reload or go back."""
        return self._ask(
            f"“{title}” was changed by another program.",
            "Overwrite keeps your version, Reload takes the one on disk. Nothing was saved yet.",
            {"Reload": Answer.RELOAD, "Overwrite": Answer.OVERWRITE},
            is_lossy=True,
        )

    def unencodable(self, sentence: str) -> Answer:
        """Save as UTF-8 or go back."""
        return self._ask("The text does not fit the file's encoding.", sentence, {"Save as UTF-8": Answer.UTF8})

    def proposals(self, title: str, count: int) -> Answer:
        """Accept, discard or go back."""
        waiting, accept, discard = (
            ("A proposal is waiting", "Accept", "Discard")
            if count == 1
            else (f"{count} proposals are waiting", "Accept All", "Discard All")
        )
        return self._ask(
            f"{waiting} in “{title}”.", _NOT_IN_FILE[count > 1], {accept: Answer.ACCEPT, discard: Answer.DISCARD}
        )

    def save_beside_proposals(self, title: str, count: int) -> Answer:
        """Accept all, save without them or go back."""
        waiting, accept, without = (
            ("A proposal is waiting", "Accept and Save", "Save Without It")
            if count == 1
            else (f"{count} proposals are waiting", "Accept All and Save", "Save Without Them")
        )
        return self._ask(
            f"{waiting} in “{title}”.", _NOT_IN_FILE[count > 1], {without: Answer.SAVE, accept: Answer.ACCEPT}
        )

    def running(self, title: str) -> Answer:
        """Stop or go back."""
        return self._ask(
            f"A run is still writing in “{title}”.",
            "What it has written so far is dropped. Your own text stays as it is.",
            {"Stop and Close": Answer.STOP},
        )

    def lose_changes(self, title: str) -> Answer:
        """Reload or go back."""
        sentence = "Your unsaved changes are lost."
        return self._ask(f"Reload “{title}” from disk?", sentence, {"Reload": Answer.RELOAD}, is_lossy=True)

    def forget_runs(self, title: str | None) -> Answer:
        """Delete or go back."""
        whose = f"of “{title}”" if title is not None else "of all documents"
        sentence = "They are deleted from this machine for good. The documents stay as they are."
        return self._ask(f"Delete the runs {whose}?", sentence, {"Delete": Answer.DELETE}, is_lossy=True)

    def line(self, now: int, last: int) -> int | None:
        """Asks for a number."""
        dialog = QInputDialog(self._parent)
        dialog.setInputMode(QInputDialog.InputMode.IntInput)
        dialog.setWindowTitle("Go to Line")
        dialog.setLabelText(f"Line (1 to {last:,}):")
        dialog.setIntRange(1, last)
        dialog.setIntValue(now)
        dialog.resize(_WIDE_ENOUGH, dialog.sizeHint().height())  # for its title
        given = dialog.exec()
        dialog.deleteLater()
        return dialog.intValue() if given else None

    def model_folder(self) -> Path | None:
        """Shows the system's dialog for a folder."""
        name = QFileDialog.getExistingDirectory(self._parent, "Folder of a Model")
        return Path(name) if name else None

    def _ask(self, question: str, more: str, choices: dict[str, Answer], *, is_lossy: bool = False) -> Answer:
        box = QMessageBox(QMessageBox.Icon.NoIcon, "Redraft", question, parent=self._parent)
        box.setInformativeText(more)
        buttons: dict[QPushButton, Answer] = {}
        for label, answer in choices.items():
            buttons[box.addButton(label, QMessageBox.ButtonRole.ActionRole)] = answer
        cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(cancel if is_lossy else next(iter(buttons)))  # Return, pressed in haste, loses nothing
        box.setEscapeButton(cancel)
        box.exec()
        box.deleteLater()
        for button, answer in buttons.items():
            if button is box.clickedButton():
                return answer
        return Answer.CANCEL
