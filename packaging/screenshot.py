"""Takes the README's picture: a real window with the real model, caught in the middle of denoising a sentence.

Starts an X server of its own (Xvfb), so that neither the user's screen nor the user's settings are in the picture.

    screenshot.py [--model NAME] [--theme light|dark] [--share S] [--out FILE]
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtGui import QPixmap

    from app.infill.progress import InfillProgress
    from engine.session import EngineSession

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "resources" / "samples" / "welcome.md"
SENTENCE = "He had kept the light for thirty years and had never once let it go out."
WIDTH, HEIGHT = 1180, 760
PATIENCE_MS = 120_000
PAINT_MS = 300
"""Time for the frame that was announced to be painted."""


def main() -> int:
    """The command line; returns an exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="redraft-mini", help="a model's name or folder")
    parser.add_argument("--theme", default="light", choices=["light", "dark"])
    parser.add_argument("--share", type=float, default=0.45, help="how much of the run is to be done in the picture")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--capacity", type=int, default=0, help="positions of the hole; 0 chooses")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "denoising.png")
    options = parser.parse_args()
    settings = (
        f'[engine]\nmodel = "{options.model}"\n[appearance]\ntheme = "{options.theme}"\n'
        f"[infill]\nseed = {options.seed}\nseed_locked = true\nalpha_0 = 1.0\ncapacity = {options.capacity}\n"
    )
    with virtual_screen(), own_folders(settings):
        picture = take(options.share)
    if picture is None:
        print("The run ended before its picture was taken; try a smaller --share.", file=sys.stderr)
        return 1
    options.out.parent.mkdir(parents=True, exist_ok=True)
    picture.save(str(options.out))
    print(f"{options.out} ({picture.width()} × {picture.height()})")
    return 0


@contextlib.contextmanager
def virtual_screen() -> Iterator[None]:
    """An X server in memory, on the first free display."""
    read, write = os.pipe()
    size = f"{WIDTH}x{HEIGHT}x24"
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", size, "-nolisten", "tcp"], pass_fds=[write]
    )
    try:
        os.close(write)
        with os.fdopen(read) as stream:
            number = stream.readline().strip()
        if not number:
            raise SystemExit("Xvfb did not start.")
        os.environ["DISPLAY"] = f":{number}"
        os.environ["QT_QPA_PLATFORM"] = "xcb"
        yield
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def own_folders(settings: str) -> Iterator[None]:
    """Settings (TOML) and state in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="redraft-picture-") as name:
        for variable in ("REDRAFT_CONFIG_DIR", "REDRAFT_DATA_DIR", "REDRAFT_LOG_DIR"):
            os.environ[variable] = name
        Path(name, "settings.toml").write_text(settings, encoding="utf-8")
        yield


def take(share: float) -> QPixmap | None:
    """Opens the window, fills the sentence, and returns the picture when `share` of the run is done; None if it failed.

    The engine is held at that step until the picture is taken: a small model is done before a screen is drawn twice.
    """
    from PySide6.QtCore import QEventLoop, QTimer

    from app import main as editor
    from engine import session
    from engine.types import Failed, ModelReady, TextSpan

    held = HeldRun(share)
    session.EngineSession = held.session_class()  # type: ignore[misc]
    editor._make_application()
    window = editor.make_window()
    loop = QEventLoop()
    asked: list[int] = []
    pictures: list[QPixmap] = []

    def on_model(event: object) -> None:
        if isinstance(event, Failed):
            print(event.message, file=sys.stderr)
            loop.quit()
        elif isinstance(event, ModelReady):
            QTimer.singleShot(0, loop, fill)

    def fill() -> None:
        tab = window.tabs.current
        assert tab is not None
        start = tab.view.text().index(SENTENCE)
        tab.view.select([TextSpan(start, start + len(SENTENCE))])
        tab.controller.progress.connect(on_progress)
        tab.controller.state_changed.connect(lambda state: loop.quit() if state in {"proposal", "idle"} else None)
        tab.controller.fill()

    def on_progress(progress: InfillProgress) -> None:
        if progress.step >= share * progress.steps and not asked:
            asked.append(progress.step)
            QTimer.singleShot(PAINT_MS, loop, snap)

    def snap() -> None:
        pictures.append(window.screen().grabWindow(window.winId()))
        loop.quit()

    window.resize(WIDTH, HEIGHT)
    window.open_paths([(SAMPLE, None, 1)])
    window.show()
    window.bridge.model_state.connect(on_model)
    window.engine.start()
    QTimer.singleShot(PATIENCE_MS, loop, loop.quit)
    loop.exec()
    held.go_on.set()
    for tab in window.tabs.all:
        tab.controller.reject()  # so that closing asks nothing
    window.close()
    return pictures[0] if pictures else None


class HeldRun:
    """Makes the engine's thread wait when a share of a run is done, until `go_on` is set."""

    def __init__(self, share: float) -> None:
        self._share = share
        self.go_on = threading.Event()

    def session_class(self) -> type[EngineSession]:
        """An EngineSession whose runs are held."""
        from engine.session import EngineSession, Job, OnEvent
        from engine.types import Event, Frame, InfillRequest

        held = self

        class HeldSession(EngineSession):
            """Hands a frame on, then waits if it is one of them."""

            def submit(self, request: InfillRequest, on_event: OnEvent, *, key: str = "") -> Job:
                def hold(event: Event) -> None:
                    on_event(event)
                    if isinstance(event, Frame) and event.step >= held._share * event.steps:
                        held.go_on.wait(PATIENCE_MS / 1000)

                return super().submit(request, hold, key=key)

        return HeldSession


if __name__ == "__main__":
    sys.exit(main())
