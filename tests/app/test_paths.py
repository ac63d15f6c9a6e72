"""Redraft's own files are where the user wants them, and what it brings along is there."""

from __future__ import annotations

from PySide6.QtGui import QIcon

from app import paths


def test_every_folder_can_be_chosen_by_the_environment(user_directories):
    assert paths.settings_file() == user_directories / "config" / "settings.toml"
    assert paths.state_file() == user_directories / "data" / "window.toml"
    assert paths.history_file() == user_directories / "data" / "history.sqlite3"
    assert paths.log_file() == user_directories / "log" / "redraft.log"


def test_without_a_choice_the_systems_folders_are_used(monkeypatch):
    for variable in ("REDRAFT_CONFIG_DIR", "REDRAFT_DATA_DIR", "REDRAFT_LOG_DIR"):
        monkeypatch.delenv(variable)
    for path in (paths.settings_file(), paths.state_file(), paths.history_file(), paths.log_file()):
        assert "redraft" in str(path.parent)


def test_the_icon_is_there_and_can_be_drawn(qapp):
    icon = QIcon(str(paths.resource("icons/redraft.svg")))
    assert not icon.pixmap(64, 64).isNull()
