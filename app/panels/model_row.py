"""The setting of the model: those that are known, and any other by its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.panels.controls import ChoiceBox, ShareSlider
from app.panels.setting_row import SettingRow
from engine.session import known_models

_FOLDER = ""
"""What stands behind the entry that asks for a folder."""


class ModelRow(SettingRow):
    """A list of models. `folder_asked` says that a folder is to be chosen; the list then shows what is set still."""

    folder_asked = Signal()

    def _make_control(self) -> tuple[QWidget, Callable[..., object], ShareSlider | None]:
        box = ChoiceBox()
        for name in known_models():
            box.addItem(name, name)
        box.insertSeparator(box.count())
        box.addItem("Folder…", _FOLDER)
        box.activated.connect(self._on_chosen)
        self._name(box, None)
        return box, self._show_model, None

    def _show_model(self, name: str) -> None:
        box = self._box
        if box.findData(name) < 0:
            box.insertItem(0, Path(name).name or name, name)
        box.setCurrentIndex(box.findData(name))

    def refresh(self) -> None:
        """Shows the setting as it is now; a folder's whole path is its tooltip."""
        super().refresh()
        name = str(self._settings[self._setting.key])
        if Path(name).name != name:
            self.control.setToolTip(name)

    def _on_chosen(self, _index: int) -> None:
        name = self._box.currentData()
        if name == _FOLDER:
            self.refresh()
            self.folder_asked.emit()
        else:
            self._set(name)

    @property
    def _box(self) -> ChoiceBox:
        assert isinstance(self.control, ChoiceBox)
        return self.control
