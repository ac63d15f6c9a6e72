"""Changed settings reach the disk by themselves."""

from __future__ import annotations


def test_a_changed_setting_is_in_the_file_without_closing_the_window(desk):
    desk.window.settings["infill.steps"] = 9
    desk.qtbot.waitUntil(lambda: "steps = 9" in desk.window.settings.path.read_text())


def test_settings_that_cannot_be_saved_are_told(desk, monkeypatch):
    def fail() -> None:
        raise OSError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(desk.window.settings, "save", fail)
        desk.window.settings["infill.steps"] = 9
        desk.qtbot.waitUntil(lambda: "could not be saved" in desk.window.notices.text)
