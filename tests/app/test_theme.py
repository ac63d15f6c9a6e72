"""Both themes can be read by everyone, and the one in use follows the settings and the system."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from app.settings import Settings
from app.theme import DARK, LIGHT, Themes, contrast

ROLES = {field.name for field in dataclasses.fields(LIGHT)} - {"name", "is_dark"}
MARKS = {
    "mask",
    "found",
    "revealed",
    "accepted",
    "doubtful",
    "proposal",
    "removed",
    "caret",
    "brace_match",
    "brace_bad",
}
GROUNDS = {"background", "caret_line", "selection", "selection_inactive", "margin", "whitespace", "indent_guide"}
WINDOW = {
    *("window", "panel", "field", "border", "border_strong", "hover", "pressed", "ui_text", "ui_text_dim"),
    *("ui_text_disabled", "accent", "accent_hover", "accent_text", "accent_soft", "danger", "warning", "success"),
}
SYNTAX = ROLES - MARKS - GROUNDS - WINDOW


def test_contrast_is_that_of_wcag():
    assert contrast(QColor("white"), QColor("black")) == pytest.approx(21)
    assert contrast(QColor("#777777"), QColor("white")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
class TestBothThemes:
    @pytest.mark.parametrize("role", sorted(SYNTAX))
    def test_text_can_be_read_on_the_page_and_on_the_caret_line(self, theme, role):
        for ground in (theme.background, theme.caret_line):
            assert contrast(getattr(theme, role), ground) >= 4.5

    def test_selected_text_can_be_read(self, theme):
        assert contrast(theme.text, theme.selection) >= 4.5
        assert contrast(theme.text, theme.selection_inactive) >= 4.5

    @pytest.mark.parametrize("role", sorted(MARKS))
    def test_marks_can_be_seen(self, theme, role):
        assert contrast(getattr(theme, role), theme.background) >= 3

    @pytest.mark.parametrize("role", ["ui_text", "ui_text_dim", "danger", "warning", "success"])
    def test_the_windows_words_can_be_read_on_all_its_grounds(self, theme, role):
        for ground in (theme.window, theme.panel, theme.field):
            assert contrast(getattr(theme, role), ground) >= 4.5

    def test_controls_can_be_told_from_their_ground(self, theme):
        assert contrast(theme.accent_text, theme.accent) >= 4.5
        assert contrast(theme.accent, theme.panel) >= 3
        assert contrast(theme.border_strong, theme.panel) >= 3
        assert contrast(theme.ui_text, theme.accent_soft) >= 4.5


@pytest.fixture
def settings(qapp, tmp_path):
    return Settings(tmp_path / "settings.toml")


def test_a_chosen_theme_is_used_at_once(settings, qtbot):
    themes = Themes(settings)
    with qtbot.waitSignal(themes.changed) as signal:
        settings["appearance.theme"] = "dark"
    assert signal.args == [DARK]
    settings["appearance.theme"] = "light"
    assert themes.current is LIGHT


def test_the_systems_theme_is_followed(settings, qapp, monkeypatch, qtbot):
    hints = qapp.styleHints()
    themes = Themes(settings)
    assert themes.current is LIGHT
    scheme = Qt.ColorScheme.Dark
    monkeypatch.setattr(type(hints), "colorScheme", lambda _self: scheme)
    with qtbot.waitSignal(themes.changed):
        hints.colorSchemeChanged.emit(scheme)
    assert themes.current is DARK
