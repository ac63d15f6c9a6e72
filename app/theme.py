"""Colors by role, in a light and a dark set, and which of them is in use. Text colors meet WCAG AA on their ground."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication

from app.settings import Settings


@dataclass(frozen=True)
class Theme:
    """One set of colors. Every field but `name` and `is_dark` is a color role."""

    name: str
    is_dark: bool

    # the text
    background: QColor
    text: QColor
    caret: QColor
    caret_line: QColor
    selection: QColor
    selection_inactive: QColor
    margin: QColor
    margin_text: QColor
    margin_text_current: QColor
    whitespace: QColor
    indent_guide: QColor
    brace_match: QColor
    brace_bad: QColor

    # its syntax
    comment: QColor
    keyword: QColor
    string: QColor
    number: QColor
    function: QColor
    type: QColor
    operator: QColor
    preprocessor: QColor
    constant: QColor
    tag: QColor
    attribute: QColor
    key: QColor
    heading: QColor
    emphasis: QColor
    link: QColor
    error: QColor

    # an infill
    mask: QColor
    revealed: QColor
    accepted: QColor
    doubtful: QColor
    proposal: QColor
    removed: QColor
    generated: QColor
    found: QColor

    # the window around it
    window: QColor
    panel: QColor
    field: QColor
    border: QColor
    border_strong: QColor
    hover: QColor
    pressed: QColor
    ui_text: QColor
    ui_text_dim: QColor
    ui_text_disabled: QColor
    accent: QColor
    accent_hover: QColor
    accent_text: QColor
    accent_soft: QColor
    danger: QColor
    warning: QColor
    success: QColor


def _theme(name: str, is_dark: bool, colors: dict[str, str]) -> Theme:
    return Theme(name=name, is_dark=is_dark, **{role: QColor(color) for role, color in colors.items()})


LIGHT = _theme("light", False, {
    "background": "#ffffff", "text": "#24262e", "caret": "#4a45d1", "caret_line": "#f5f5fa",
    "selection": "#d6d8fb", "selection_inactive": "#e6e7ef", "margin": "#ffffff", "margin_text": "#696d79",
    "margin_text_current": "#24262e", "whitespace": "#c3c6d1", "indent_guide": "#e3e4ea",
    "brace_match": "#4a45d1", "brace_bad": "#c4283c",
    "comment": "#667080", "keyword": "#6a2fb8", "string": "#1b6e4a", "number": "#9a4a00", "function": "#1d58b8",
    "type": "#0b6b7a", "operator": "#4c505c", "preprocessor": "#8a4413", "constant": "#9a4a00", "tag": "#6a2fb8",
    "attribute": "#1d58b8", "key": "#1d58b8", "heading": "#4a45d1", "emphasis": "#8a2f62", "link": "#1d58b8",
    "error": "#c4283c",
    "mask": "#7d78e0", "revealed": "#4a45d1", "accepted": "#2f7d5b", "doubtful": "#a86400",
    "proposal": "#4a45d1", "removed": "#c4283c", "generated": "#5f5bc0", "found": "#b87400",
    "window": "#f3f3f7", "panel": "#f8f8fb", "field": "#ffffff", "border": "#e0e1e9", "border_strong": "#858a9a",
    "hover": "#e8e8f0", "pressed": "#dcdce8", "ui_text": "#24262e", "ui_text_dim": "#5f6370",
    "ui_text_disabled": "#9a9dab", "accent": "#4a45d1", "accent_hover": "#3c37b8", "accent_text": "#ffffff",
    "accent_soft": "#e5e5fb", "danger": "#c4283c", "warning": "#8f5500", "success": "#1f7a50",
})  # fmt: skip

DARK = _theme("dark", True, {
    "background": "#1b1c22", "text": "#dcdee6", "caret": "#a9a6ff", "caret_line": "#22242c",
    "selection": "#3b3b78", "selection_inactive": "#31333f", "margin": "#1b1c22", "margin_text": "#898e9d",
    "margin_text_current": "#dcdee6", "whitespace": "#474b59", "indent_guide": "#2e313b",
    "brace_match": "#a9a6ff", "brace_bad": "#ff7a85",
    "comment": "#8b92a3", "keyword": "#c4a1ff", "string": "#8fd3a8", "number": "#f0b27a", "function": "#8ab8ff",
    "type": "#76d0d8", "operator": "#b4b8c6", "preprocessor": "#e3a581", "constant": "#f0b27a", "tag": "#c4a1ff",
    "attribute": "#8ab8ff", "key": "#8ab8ff", "heading": "#a9a6ff", "emphasis": "#f0a3cf", "link": "#8ab8ff",
    "error": "#ff7a85",
    "mask": "#7f7ae8", "revealed": "#a9a6ff", "accepted": "#7fc9a0", "doubtful": "#f0b85c",
    "proposal": "#a9a6ff", "removed": "#ff7a85", "generated": "#8f8ce0", "found": "#d9a441",
    "window": "#15161b", "panel": "#1f2027", "field": "#27292f", "border": "#2d2f38", "border_strong": "#747989",
    "hover": "#2a2c35", "pressed": "#343743", "ui_text": "#dcdee6", "ui_text_dim": "#a0a4b2",
    "ui_text_disabled": "#686c79", "accent": "#9a96ff", "accent_hover": "#b1aeff", "accent_text": "#15161b",
    "accent_soft": "#2f2f5c", "danger": "#ff7a85", "warning": "#f0b85c", "success": "#7fc9a0",
})  # fmt: skip


class Themes(QObject):
    """Knows which theme is in use: the one of the settings, or of the system as it changes."""

    changed = Signal(object)

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._current = self._wanted()
        self._tell_system()
        settings.changed.connect(self._on_setting)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._update)

    @property
    def current(self) -> Theme:
        """The theme in use."""
        return self._current

    def _on_setting(self, key: str, _value: object) -> None:
        if key == "appearance.theme":
            self._tell_system()
            self._update()

    def _tell_system(self) -> None:
        """Lets what the system draws, such as title bars and file dialogs, have the chosen theme too."""
        chosen = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}
        scheme = chosen.get(self._settings["appearance.theme"], Qt.ColorScheme.Unknown)  # Unknown: the system's own
        QGuiApplication.styleHints().setColorScheme(scheme)

    def _update(self, *_: object) -> None:
        wanted = self._wanted()
        if wanted is not self._current:
            self._current = wanted
            self.changed.emit(wanted)

    def _wanted(self) -> Theme:
        chosen = self._settings["appearance.theme"]
        if chosen == "system":
            is_dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
            return DARK if is_dark else LIGHT
        return DARK if chosen == "dark" else LIGHT


def contrast(first: QColor, second: QColor) -> float:
    """The contrast ratio of two colors, 1 to 21, as WCAG 2 defines it."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: QColor) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)

    red, green, blue = color.redF(), color.greenF(), color.blueF()
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
