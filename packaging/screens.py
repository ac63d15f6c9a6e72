"""Whether this session has a screen, and which of Qt's files (paths in site-packages) are loaded with it or without.

Uses the standard library only, as it is needed before anything is installed.
"""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

X11_SOCKETS = Path("/tmp/.X11-unix")  # noqa: S108 (where every X server puts them)

OFFSCREEN_FILES = (
    "PySide6/QtWidgets.abi3.so",
    "PySide6/QtTest.abi3.so",
    "PySide6/Qt/plugins/platforms/libqoffscreen.so",
    "pyside6_scintilla/scintilla_qt.so",
)
X11_FILES = ("PySide6/Qt/plugins/platforms/libqxcb.so",)
WAYLAND_FILES = ("PySide6/Qt/plugins/platforms/libqwayland.so",)


def screen(environment: Mapping[str, str]) -> tuple[str, ...] | None:
    """Which of Qt's platform files the screen of this session needs; None where there is no screen."""
    if not sys.platform.startswith("linux"):
        return ()
    wayland = environment.get("WAYLAND_DISPLAY")
    if wayland and answers(Path(environment.get("XDG_RUNTIME_DIR", "/run")) / wayland):
        return WAYLAND_FILES
    display = re.fullmatch(r"(?:unix)?:(\d+)(?:\.\d+)?", environment.get("DISPLAY", ""))
    if display:
        return X11_FILES if answers(X11_SOCKETS / f"X{display[1]}") else None
    return X11_FILES if environment.get("DISPLAY") else None


def answers(path: Path) -> bool:
    """Whether somebody listens at a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
