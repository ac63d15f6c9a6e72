"""Presets are values of settings and nothing else."""

from __future__ import annotations

import pytest

from app.panels.preset_bar import PresetBar
from app.settings import PRESETS, Settings


@pytest.fixture
def settings(qapp):
    return Settings()


@pytest.fixture
def bar(qtbot, settings):
    bar = PresetBar(settings)
    qtbot.addWidget(bar)
    bar.show()
    return bar


def pressed(bar):
    return [name for name, button in bar.buttons.items() if button.isChecked()]


def test_the_defaults_are_the_balanced_preset(bar):
    assert pressed(bar) == ["balanced"]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_press_sets_the_values_and_shows_what_they_are_for(bar, settings, preset):
    bar.buttons[preset.name].click()
    assert {key: settings[key] for key in preset.values} == dict(preset.values)
    assert pressed(bar) == [preset.name]
    assert bar.note.text() == preset.help


def test_other_settings_are_left_alone(bar, settings):
    settings["infill.temperature"] = 0.2
    bar.buttons["fast"].click()
    assert settings["infill.temperature"] == 0.2


def test_values_of_ones_own_are_nobodys_preset(bar, settings):
    settings["infill.steps"] = 3
    assert pressed(bar) == []
    assert bar.note.text() == "Your own settings."
    bar.buttons["balanced"].click()
    bar.buttons["balanced"].click()
    assert pressed(bar) == ["balanced"]


def test_a_time_that_is_not_known_is_not_shown(bar):
    assert bar.estimate.isHidden()
    height = bar.sizeHint().height()
    bar.show_estimate("About 0.4 s")
    assert bar.sizeHint().height() == height  # what is below does not jump
    assert not bar.estimate.isHidden()
    bar.show_estimate("")
    assert bar.estimate.isHidden()
