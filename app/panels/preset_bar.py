"""Fast, Balanced, Quality: one press for settings that go together, and how long a run will take."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.settings import PRESETS, Preset, Settings

_OWN = "Your own settings."


class PresetBar(QWidget):
    """Shows which preset the settings are, and changes them. Holds no value."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._settings = settings
        self.buttons: dict[str, QPushButton] = {}
        self._group = QButtonGroup(self)
        self.note = _label("What the preset does")
        self.estimate = _label("Time of a run")
        policy = self.estimate.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # what stands below does not jump
        self.estimate.setSizePolicy(policy)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 0, 16, 10)
        column.setSpacing(6)
        column.addLayout(self._make_buttons())
        column.addWidget(self.note)
        column.addWidget(self.estimate)
        settings.changed.connect(self._refresh)
        self._refresh()
        self.show_estimate("")

    def show_estimate(self, text: str, more: str = "") -> None:
        """Shows how long a run will take; nothing where that is not known. `more` is its tooltip."""
        self.estimate.setText(text)
        self.estimate.setToolTip(more)
        self.estimate.setVisible(bool(text))

    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(0)
        for place, preset in enumerate(PRESETS):
            button = QPushButton(preset.label)
            button.setObjectName("segment")
            button.setProperty("place", "first" if not place else "last" if preset is PRESETS[-1] else "middle")
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setToolTip(preset.help)
            button.setAccessibleDescription(preset.help)
            button.clicked.connect(lambda _on=False, chosen=preset: self._choose(chosen))
            self.buttons[preset.name] = button
            self._group.addButton(button)
            row.addWidget(button, 1)
        return row

    def _choose(self, preset: Preset) -> None:
        preset.apply(self._settings)
        self._refresh()

    def _refresh(self, *_: object) -> None:
        """None is pressed where the settings are nobody's preset, which a group of buttons has to be told."""
        now = next((preset for preset in PRESETS if preset.is_set(self._settings)), None)
        self._group.setExclusive(False)
        for name, button in self.buttons.items():
            button.setChecked(now is not None and now.name == name)
        self._group.setExclusive(True)
        self.note.setText(now.help if now is not None else _OWN)


def _label(name: str) -> QLabel:
    label = QLabel()
    label.setObjectName("help")
    label.setAccessibleName(name)
    label.setWordWrap(True)
    return label
