"""The command `redraft`: joins settings, engine and window, or hands over to the engine's own command line."""

from __future__ import annotations

import logging
import os
import re
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

    from app.window import MainWindow

ENGINE_COMMANDS = frozenset({"fill", "score", "doubt", "models", "train", "eval", "bench", "--help", "-h", "--version"})
_NO_DISPLAY = (
    "redraft: there is no display to open a window on; "
    "use `redraft fill FILE --lines A-B` to fill text in the terminal."
)
_PLACES = (re.compile(r"^(.+?):(\d+):?$"), re.compile(r"^(.+?):(\d+):(\d+):?$"))

Target = tuple[Path, int | None, int]


def main(argv: list[str] | None = None) -> int:
    """Starts the editor with `[FILE[:LINE[:COL]]...]`, or a command of the engine. Returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments and arguments[0] in ENGINE_COMMANDS:
        from engine.cli import main as engine_main

        return engine_main(arguments)
    odd = next((each for each in _before_files(arguments) if each.startswith("-")), None)
    if odd is not None:
        print(f"redraft: there is no option {odd}; `redraft --help` lists what there is.", file=sys.stderr)  # noqa: T201
        return 2
    if not has_display(os.environ, sys.platform):
        print(_NO_DISPLAY, file=sys.stderr)  # noqa: T201
        return 2
    return _run_window([parse_target(argument) for argument in arguments if argument != "--"])


def _before_files(arguments: list[str]) -> list[str]:
    """What may be an option: everything before `--`."""
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def has_display(environment: os._Environ[str] | dict[str, str], platform: str) -> bool:
    """Whether a window can be opened. Qt would abort the process where it cannot."""
    if platform in {"win32", "darwin"} or environment.get("QT_QPA_PLATFORM"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def parse_target(argument: str) -> Target:
    """A path with a line and column, each from 1; of several readings the one that names a file wins."""
    readings: list[Target] = [(Path(argument), None, 1)]
    for match in (place.match(argument) for place in _PLACES):
        if match is not None:
            path, line, *column = match.groups()
            readings.append((Path(path), max(1, int(line)), max(1, int(column[0])) if column else 1))
    return next((reading for reading in readings if _is_there(reading[0])), readings[-1])


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, a folder that may not be looked into: opening it tells which
        return False


def uses_model() -> bool:
    """Whether the settings want a model, read without Qt, which must not be loaded before torch where that matters."""
    import tomllib

    from app.paths import settings_file

    try:
        engine = tomllib.loads(settings_file().read_text(encoding="utf-8")).get("engine")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return True
    return not isinstance(engine, dict) or engine.get("enabled") is not False


def make_window() -> MainWindow:
    """A window with the user's settings and an engine that has not begun to work."""
    from app.infill.bridge import EngineBridge
    from app.settings import Settings
    from app.theme import Themes
    from app.window import MainWindow
    from engine.session import EngineSession

    settings = Settings()
    settings.load()
    window = MainWindow(settings, Themes(settings), EngineBridge(EngineSession()))
    for problem in settings.problems:
        window.tell(problem)
    return window


def _run_window(targets: list[Target]) -> int:
    if uses_model():
        from engine.session import load_libraries_first

        load_libraries_first()
    sys.setswitchinterval(0.001)  # the engine's thread lets the window's go first
    from app.window.signals import SignalWatch

    app = _make_application()
    _log_to_file()
    window = make_window()
    sys.excepthook = Reporter(window)
    watch = SignalWatch(window.close) if sys.platform != "win32" else None
    window.open_paths(targets)
    window.show()
    _after_first_paint(window)
    code = app.exec()
    if watch is not None:
        watch.close()
    return code


def _make_application() -> QApplication:
    from PySide6.QtGui import QIcon
    from PySide6.QtWidgets import QApplication

    from app.paths import resource

    app = QApplication(["redraft"])
    app.setApplicationName("redraft")
    app.setApplicationDisplayName("Redraft")
    app.setDesktopFileName("redraft")
    app.setWindowIcon(QIcon(str(resource("icons/redraft.svg"))))
    app.setStyle("Fusion")
    return app


def _after_first_paint(window: MainWindow) -> None:
    """Loads the model once the window has been seen: importing torch before would hold it up."""
    from PySide6.QtCore import QTimer

    QTimer.singleShot(0, window, lambda: QTimer.singleShot(30, window, window.engine.start))


def _log_to_file() -> None:
    from app.paths import log_file

    try:
        log_file().parent.mkdir(parents=True, exist_ok=True)
        logging.basicConfig(
            filename=log_file(), level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
    except OSError:
        logging.basicConfig(level=logging.WARNING)


class Reporter:
    """Logs an unexpected error and says so in the window, which goes on."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._window.close()
            return
        from app.paths import log_file

        logging.getLogger("redraft").critical("unexpected error", exc_info=(kind, error, trace))
        self._window.tell(
            f"Something went wrong ({kind.__name__}). Your text is as it was; save it to be safe. Details: {log_file()}"
        )


if __name__ == "__main__":
    raise SystemExit(main())
