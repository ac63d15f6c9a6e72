"""One setting in the panel: label, control, a line of help, and a button that gives the default back."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QToolButton, QWidget

from app.panels.controls import ChoiceBox, NumberBox, ShareBox, ShareSlider, Switch
from app.settings import Setting, SettingError, Settings

_WORDS = {
    "auto": "Automatic",
    "cpu": "Processor (CPU)",
    "cuda": "Graphics card (CUDA)",
    "mps": "Graphics (Apple)",
    "suffix_first": "Suffix first",
    "prefix_first": "Prefix first",
    "system": "As the system",
    "confidence": "Confidence (LLaDA)",
    "threshold": "Threshold (Fast-dLLM)",
    "entropy-bounded": "Entropy-bounded",
    "maskgit-plus": "MaskGIT-plus",
    "remdm": "ReMDM, masks words again",
    "p2": "P2, masks words again",
    "coarse-to-fine": "Coarse to fine, adaptive",
    "renoise": "Random canvas, renoised",
    "subcontext": "Spread out (subcontext)",
}


_LARGEST = 2**31 - 1
_WIDTH, _GAPS = 250, 20
"""Pixels of a row in the narrowest panel, and what of them is between label and controls."""


class SettingRow(QWidget):
    """Shows one setting of `settings` and changes it. Holds no value: what is shown is what the settings say."""

    refused = Signal(str)

    def __init__(self, setting: Setting, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setting = setting
        self._settings = settings
        self._showing = False
        self._blocked: str | None = None
        self._more = ""
        self.control, self._show, self.slider = self._make_control()
        self.reset_button = self._make_reset_button()
        self._help = QLabel(setting.help)
        self._help.setObjectName("help")
        self._help.setWordWrap(True)
        self._lay_out()
        settings.changed.connect(self._on_changed)
        self.refresh()

    @property
    def note(self) -> str:
        """The line of help as it is shown: while the setting has no effect, why."""
        return self._help.text()

    @note.setter
    def note(self, more: str) -> None:
        self._more = more
        self.refresh()

    def block(self, reason: str | None) -> None:
        """Greys the row, for the model that is loaded makes nothing of it; None lets it be used again."""
        self._blocked = reason
        self.refresh()

    def refresh(self) -> None:
        """Shows the setting as it is now."""
        self._showing = True
        self._show(self._settings[self._setting.key])
        self._showing = False
        reason = self._settings.why_inert(self._setting.key) or self._blocked
        self.reset_button.setVisible(reason is None and not self._is_default())
        for widget in (self.control, self.slider):
            if widget is not None:
                widget.setEnabled(reason is None)
                widget.setToolTip(reason or "")
        self.setToolTip(reason or "")
        self._help.setText(reason or f"{self._setting.help} {self._more}".strip())

    def _on_changed(self, key: str, _value: object) -> None:
        unless = self._setting.unless
        if key in {self._setting.key, *(unless.keys if unless is not None else ())}:
            self.refresh()

    def _is_default(self) -> bool:
        return self._settings.is_default(self._setting.key)

    def _reset(self) -> None:
        self._settings.reset(self._setting.key)

    def _beside(self) -> list[QWidget]:
        """Widgets to the left of the control."""
        return []

    def _set(self, value: object) -> None:
        if self._showing:
            return
        try:
            self._settings[self._setting.key] = value
        except SettingError as error:
            self.refused.emit(str(error))
            self.refresh()

    def _make_control(self) -> tuple[QWidget, Callable[..., object], ShareSlider | None]:
        setting = self._setting
        slider: ShareSlider | None = None
        control: QWidget
        show: Callable[..., object]
        if setting.type is bool:
            switch = Switch()
            switch.toggled.connect(self._set)
            control, show = switch, switch.setChecked
        elif setting.type is int:
            number = NumberBox()
            number.setRange(int(setting.minimum or 0), int(setting.maximum or 0))
            number.setSpecialValueText(setting.zero_means)
            number.valueChanged.connect(self._set)
            control, show = number, number.setValue
        elif setting.type is float:
            control, show, slider = self._make_share()
        elif setting.choices:
            control, show = self._make_choice()
        else:
            field = QLineEdit()
            field.setPlaceholderText(setting.zero_means)
            field.editingFinished.connect(lambda: self._set(field.text().strip() or setting.default))
            control, show = field, field.setText
        self._name(control, slider)
        return control, show, slider

    def _make_share(self) -> tuple[QWidget, Callable[..., object], ShareSlider]:
        box, slider = ShareBox(), ShareSlider()
        low, high = float(self._setting.minimum or 0), float(self._setting.maximum or 0)
        box.setRange(low, high)
        slider.setRange(round(100 * low), round(100 * high))
        box.valueChanged.connect(lambda value: self._set(round(value, 2)))
        slider.valueChanged.connect(lambda value: self._set(value / 100))

        def show(value: float) -> None:
            box.setValue(value)
            slider.setValue(round(100 * value))

        return box, show, slider

    def _make_choice(self) -> tuple[QWidget, Callable[..., object]]:
        box = ChoiceBox()
        for choice in self._setting.choices:
            box.addItem(_WORDS.get(choice, choice if choice[-1].isdigit() else choice.capitalize()), choice)
        box.activated.connect(lambda _index: self._set(box.currentData()))

        def show(value: str) -> None:
            if box.findData(value) < 0:
                box.addItem(value, value)
            box.setCurrentIndex(box.findData(value))

        return box, show

    def _name(self, control: QWidget, slider: ShareSlider | None) -> None:
        for widget in (control, slider):
            if widget is not None:
                widget.setAccessibleName(self._setting.label)
                widget.setAccessibleDescription(self._setting.help)
        control.setObjectName(self._setting.key)

    def _make_reset_button(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("reset")
        button.setText("↺")
        button.setToolTip(f"Back to {self._default_text()}")
        button.setAccessibleName(f"Reset {self._setting.label}")
        button.clicked.connect(self._reset)
        policy = button.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        button.setSizePolicy(policy)
        return button

    def _default_text(self) -> str:
        default = self._setting.default
        if isinstance(default, bool):
            return "on" if default else "off"
        if default == 0 and self._setting.zero_means:
            return self._setting.zero_means
        return _WORDS.get(str(default), str(default)) or "the default"

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(3)
        head = QHBoxLayout()
        head.setSpacing(2)
        label = QLabel(self._setting.label)
        label.setBuddy(self.control)
        label.setWordWrap(True)  # a long one must not widen the panel
        head.addWidget(label)
        head.addWidget(self.reset_button)
        head.addStretch(1)
        grid.addLayout(head, 0, 0)
        wide = isinstance(self.control, ChoiceBox | QLineEdit)
        if wide:
            self.control.setFixedWidth(148)
        elif not isinstance(self.control, Switch):
            self.control.setFixedWidth(self._number_width())
        controls = [*self._beside(), self.control]
        taken = sum(max(it.sizeHint().width(), it.minimumWidth()) for it in (*controls, self.reset_button))
        label.ensurePolished()
        needed = label.fontMetrics().horizontalAdvance(label.text()) + 2
        label.setMinimumWidth(max(0, min(needed, _WIDTH - taken - _GAPS)))
        tail = QHBoxLayout()
        tail.setSpacing(4)
        for widget in controls:
            tail.addWidget(widget)
        grid.addLayout(tail, 0, 1, Qt.AlignmentFlag.AlignRight)
        if self.slider is not None:
            grid.addWidget(self.slider, 1, 0, 1, 2)
        grid.addWidget(self._help, 2, 0, 1, 2)
        grid.setColumnStretch(0, 1)

    def _number_width(self) -> int:
        """Pixels for the longest thing that a field shows."""
        if self._setting.maximum == _LARGEST:
            return 108
        return 60 if len(self._setting.zero_means) < 5 else 86 if len(self._setting.zero_means) < 10 else 96
