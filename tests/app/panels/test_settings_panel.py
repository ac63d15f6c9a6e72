"""The panel shows what the settings say, changes them, and holds nothing itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from app.panels.controls import ChoiceBox, NumberBox, ShareBox, Switch
from app.panels.settings_panel import SettingsPanel
from app.settings import SETTINGS, Settings
from engine.types import ContextOrder, ModelInfo


@pytest.fixture
def settings(qapp):
    return Settings()


@pytest.fixture
def panel(qtbot, settings):
    panel = SettingsPanel(settings)
    qtbot.addWidget(panel)
    panel.resize(320, 900)
    panel.show()
    return panel


ROWS = [setting for setting in SETTINGS if not setting.shown_with]
INFO = ModelInfo("mini", "esolm", 9_000_000, 1024, "cpu", "float32", 1, (0.125, 1.0))


@pytest.mark.parametrize("setting", ROWS, ids=lambda setting: setting.key)
def test_every_setting_has_a_row_with_label_control_help_and_names(panel, settings, setting):
    row = panel.rows[setting.key]
    words = [label.text() for label in row.findChildren(QLabel)]
    assert words[0] == setting.label
    assert words[-1].startswith(settings.why_inert(setting.key) or setting.help)
    assert row.control.accessibleName() == setting.label
    assert row.control.accessibleDescription() == setting.help
    assert row.reset_button.accessibleName() == f"Reset {setting.label}"


OTHER_VALUES = {
    "infill.steps": 8,
    "infill.alpha_0": 0.25,
    "infill.capacity": 64,
    "infill.temperature": 0.0,
    "infill.variations": 4,
    "infill.suggest": True,
    "engine.device": "cpu",
    "engine.model": "other",
    "appearance.theme": "dark",
    "editor.font_family": "Serif",
}


def shown(control):
    if isinstance(control, Switch):
        return control.isChecked()
    if isinstance(control, ChoiceBox):
        return control.currentData()
    return control.value() if isinstance(control, NumberBox | ShareBox) else control.text()


@pytest.mark.parametrize(("key", "value"), OTHER_VALUES.items())
def test_a_change_from_elsewhere_is_shown_and_can_be_reset(panel, settings, key, value):
    row = panel.rows[key]
    assert row.reset_button.isHidden()
    settings[key] = value
    assert shown(row.control) == value
    assert not row.reset_button.isHidden()
    row.reset_button.click()
    assert settings.is_default(key)
    assert shown(row.control) == settings[key]
    assert row.reset_button.isHidden()


def test_typing_a_number_sets_it(panel, settings):
    control = panel.rows["infill.steps"].control
    control.selectAll()
    QTest.keyClicks(control, "24")
    QTest.keyClick(control, Qt.Key.Key_Return)
    assert settings["infill.steps"] == 24


def test_slider_and_field_show_the_same_share(panel, settings):
    row = panel.rows["infill.alpha_0"]
    row.slider.setValue(75)
    assert settings["infill.alpha_0"] == 0.75
    assert row.control.value() == 0.75
    row.control.setValue(0.33)
    assert settings["infill.alpha_0"] == 0.33
    assert row.slider.share == 0.33


def test_a_value_finer_than_the_slider_is_left_as_it_is(panel, settings):
    settings["infill.alpha_0"] = 0.125
    assert settings["infill.alpha_0"] == 0.125


def test_a_switch_is_turned_with_the_keyboard(panel, settings):
    QTest.keyClick(panel.rows["infill.suggest"].control, Qt.Key.Key_Space)
    assert settings["infill.suggest"] is True


def test_a_choice_is_made_and_a_value_outside_the_list_is_shown(panel, settings):
    control = panel.rows["engine.device"].control
    control.setCurrentIndex(control.findData("cuda"))
    control.activated.emit(control.currentIndex())
    assert settings["engine.device"] == "cuda"
    settings["engine.device"] = "cuda:1"
    assert control.currentData() == "cuda:1"


def test_an_emptied_text_field_gives_the_default_back(panel, settings):
    control = panel.rows["editor.font_family"].control
    control.setText("Serif")
    control.editingFinished.emit()
    assert settings["editor.font_family"] == "Serif"
    control.setText("  ")
    control.editingFinished.emit()
    assert settings.is_default("editor.font_family")


def test_a_setting_without_effect_is_disabled_and_says_why(panel, settings):
    row = panel.rows["infill.top_p"]
    assert row.control.isEnabled()
    settings["infill.temperature"] = 0.0
    assert not row.control.isEnabled()
    assert not row.slider.isEnabled()
    assert "likeliest" in row.control.toolTip()
    assert row.note == row.control.toolTip()
    settings["infill.temperature"] = 0.5
    assert row.note.startswith("Draws only")
    assert row.control.isEnabled()
    assert row.control.toolTip() == ""


def test_zero_is_shown_as_what_it_means(panel):
    assert panel.rows["infill.capacity"].control.text() == "automatic"
    assert panel.rows["engine.threads"].control.text() == "automatic"


def test_the_wheel_over_a_control_changes_nothing(panel, settings):
    for key in ("infill.steps", "infill.alpha_0", "engine.device"):
        control = panel.rows[key].control
        control.setFocus()
        event = QWheelEvent(
            QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(control, event)
        assert settings.is_default(key)


def test_the_shares_the_model_was_trained_with_are_marked_and_named(panel):
    row = panel.rows["infill.alpha_0"]
    panel.show_model(INFO)
    assert "trained with 0.125 to 1" in row.note
    panel.show_model(replace(INFO, trained_alpha_0=(0.5, 0.5)))
    assert row.note.endswith("trained with 0.5.")
    assert not row.slider.grab().isNull()


def test_what_the_model_makes_nothing_of_is_greyed_with_the_reason_until_another_is_there(panel):
    order, threads = panel.rows["infill.context_order"], panel.rows["engine.threads"]
    panel.show_model(replace(INFO, context_orders=(ContextOrder.PREFIX_FIRST,), device="cuda:0"))
    assert not order.control.isEnabled()
    assert "one order only" in order.control.toolTip()
    assert "processor" in threads.control.toolTip()
    panel.show_model(INFO)
    assert order.control.isEnabled()
    assert threads.control.isEnabled()


def test_variations_that_would_all_be_the_same_are_greyed(panel, settings):
    row = panel.rows["infill.variations"]
    settings["infill.alpha_0"] = 0.0
    assert row.control.isEnabled()
    settings["infill.temperature"] = 0.0
    assert not row.control.isEnabled()
    assert "the same" in row.control.toolTip()
    settings["infill.alpha_0"] = 0.5
    assert row.control.isEnabled()


def test_the_seed_is_chosen_while_the_lock_is_closed(panel, settings):
    row = panel.rows["infill.seed"]
    assert not row.control.isEnabled()
    assert not row.dice.isEnabled()
    row.lock.click()
    assert settings["infill.seed_locked"] is True
    assert row.control.isEnabled()
    row.dice.click()
    assert settings["infill.seed"] == row.control.value() != 0
    row.reset_button.click()
    assert settings.is_default("infill.seed")
    assert settings.is_default("infill.seed_locked")
    assert not row.lock.isChecked()
    assert not row.grab().isNull()


def test_known_models_are_listed_and_a_folder_is_asked_for(panel, settings, qtbot):
    box = panel.rows["engine.model"].control
    assert box.currentData() == "redraft-mini"
    settings["engine.model"] = "/models/mine"
    assert box.currentText() == "mine"
    assert box.toolTip() == "/models/mine"
    box.setCurrentIndex(box.findText("Folder…"))
    with qtbot.waitSignal(panel.folder_asked):
        box.activated.emit(box.currentIndex())
    assert settings["engine.model"] == "/models/mine"
    assert box.currentText() == "mine"
    box.setCurrentIndex(box.findData("redraft-mini"))
    box.activated.emit(box.currentIndex())
    assert settings.is_default("engine.model")


def test_a_page_is_reset_as_a_whole_and_no_other(panel, settings):
    settings["infill.steps"], settings["engine.threads"], settings["editor.wrap"] = 5, 2, False
    panel.pages.widget(0).findChild(QPushButton, "reset_all").click()
    assert settings.is_default("infill.steps")
    assert settings.is_default("engine.threads")
    assert not settings.is_default("editor.wrap")


def test_settings_outlive_the_panel(qtbot, settings):
    panel = SettingsPanel(settings)
    panel.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    settings["infill.steps"] = 5
    other = SettingsPanel(settings)
    qtbot.addWidget(other)
    assert shown(other.rows["infill.steps"].control) == 5


def test_no_row_is_wider_than_the_panel(panel):
    panel.show_model(INFO)
    panel.resize(panel.minimumWidth(), 900)
    for row in panel.rows.values():
        assert row.minimumSizeHint().width() <= panel.minimumWidth() - 32 - 12, row.control.objectName()
