"""The command `redraft`: which words go where, what happens without a display, and errors that end nothing."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from app import main as entry
from app.main import has_display, main, parse_target


@pytest.mark.parametrize(
    ("argument", "target"),
    [
        ("a.txt", ("a.txt", None, 1)),
        ("a.txt:12", ("a.txt", 12, 1)),
        ("a.txt:12:3", ("a.txt", 12, 3)),
        ("a.txt:12:3:", ("a.txt", 12, 3)),
        ("a.txt:0", ("a.txt", 1, 1)),
        ("dir:1/a.txt", ("dir:1/a.txt", None, 1)),
        ("C:\\x.txt:7", ("C:\\x.txt", 7, 1)),
        ("a:b", ("a:b", None, 1)),
        (f"{'n' * 300}:7", ("n" * 300, 7, 1)),
    ],
)
def test_a_target_is_a_path_with_line_and_column(argument, target, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path, line, column = parse_target(argument)
    assert (str(path), line, column) == target


def test_a_file_that_has_exactly_this_name_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("odd:12").touch()
    assert parse_target("odd:12") == (Path("odd:12"), None, 1)
    assert parse_target("odd:12:5") == (Path("odd:12"), 5, 1)


@pytest.mark.parametrize(
    ("environment", "platform", "answer"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({}, "win32", True),
        ({}, "darwin", True),
    ],
)
def test_a_display_is_known_by_the_environment(environment, platform, answer):
    assert has_display(environment, platform) is answer


def test_without_a_display_one_sentence_names_the_command_that_works(monkeypatch, capsys):
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert main(["x.txt"]) == 2
    error = capsys.readouterr().err
    assert "no display" in error
    assert "redraft fill" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("arguments", [["fill", "x.txt"], ["models"], ["--help"], ["--version"]])
def test_the_engines_commands_are_handed_over(arguments, monkeypatch):
    import engine.cli

    seen: list[list[str]] = []

    def run(argv: list[str]) -> int:
        seen.append(argv)
        return 7

    monkeypatch.setattr(engine.cli, "main", run)
    assert main(arguments) == 7
    assert seen == [arguments]


def test_an_unknown_option_is_told_and_opens_nothing(capsys):
    assert main(["x.txt", "--fullscreen"]) == 2
    error = capsys.readouterr().err
    assert "no option --fullscreen" in error
    assert "redraft --help" in error


def test_the_editor_knows_all_of_the_engines_commands():
    import engine.cli

    assert set(engine.cli.COMMANDS) <= entry.ENGINE_COMMANDS


def test_a_file_named_like_a_command_is_opened_by_its_path(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("fill").touch()
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert main(["./fill"]) == 2
    assert "no display" in capsys.readouterr().err


def test_importing_the_whole_window_imports_no_torch():
    code = "import sys, app.main, app.window; sys.exit('torch' in sys.modules or 'tomlkit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (None, True),
        ("", True),
        ("no toml", True),
        ("engine = 3", True),
        ("[engine]\nenabled = true", True),
        ("[engine]\nenabled = 0", True),
        ("[engine]\nenabled = false", False),
    ],
)
def test_whether_a_model_is_wanted_is_known_before_qt_is_loaded(text, answer, user_directories):
    if text is not None:
        (user_directories / "config" / "settings.toml").write_text(text)
    assert entry.uses_model() is answer


@pytest.fixture
def window(qtbot, qapp):
    window = entry.make_window()
    qtbot.addWidget(window)
    yield window
    qapp.setStyleSheet("")


def test_the_window_starts_without_an_engines_thread(window):
    import threading

    window.open_paths([])
    assert all("engine" not in thread.name.lower() for thread in threading.enumerate())


def test_what_is_odd_in_the_settings_file_is_told(qtbot, qapp, user_directories):
    (user_directories / "config" / "settings.toml").write_text("[infill]\nsteps = 'many'\n")
    window = entry.make_window()
    qtbot.addWidget(window)
    assert "infill.steps must be" in window.notices.text
    qapp.setStyleSheet("")


def test_an_unexpected_error_is_logged_and_told_and_ends_nothing(window, caplog):
    report = entry.Reporter(window)
    with caplog.at_level(logging.CRITICAL):
        report(ZeroDivisionError, ZeroDivisionError("one over nothing"), None)
    assert "one over nothing" in caplog.text
    assert "Something went wrong (ZeroDivisionError)" in window.notices.text
    assert "redraft.log" in window.notices.text


def test_interrupting_closes_the_window(window):
    window.show()
    entry.Reporter(window)(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not window.isVisible()


def test_the_window_is_seen_before_the_model_is_asked_for(qapp, tmp_path, monkeypatch):
    from PySide6.QtCore import QTimer

    from app.window import MainWindow
    from app.window.engine_link import EngineLink

    (tmp_path / "x.txt").write_text("one\ntwo\n")
    seen: list[tuple[bool, str]] = []

    def start(link: EngineLink) -> None:
        window = link.parent()
        assert isinstance(window, MainWindow)
        tab = window.tabs.current
        assert tab is not None
        seen.append((window.isVisible(), tab.document.title))
        QTimer.singleShot(0, window, window.close)

    monkeypatch.setattr(entry, "_make_application", lambda: qapp)
    monkeypatch.setattr(EngineLink, "start", start)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    assert main([str(tmp_path / "x.txt") + ":2"]) == 0
    assert seen == [(True, "x.txt")]
    qapp.setStyleSheet("")


def test_the_application_looks_the_same_on_every_system(tmp_path):
    code = (
        "from app.main import _make_application as make; app = make();"
        "import sys; sys.exit((app.style().name(), app.applicationName()) != ('fusion', 'redraft'))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_log_folder_that_cannot_be_made_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("REDRAFT_LOG_DIR", str(tmp_path / "file" / "log"))
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    entry._log_to_file()
