"""Remembers the window's size, place and panels between starts."""

from __future__ import annotations

import base64
import binascii
import contextlib
import logging
import tomllib

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtWidgets import QMainWindow

from app.paths import replace_file, state_file

_USUAL = QSize(1180, 760)


def restore(window: QMainWindow) -> None:
    """Gives the window the shape it had; a usual one when none is known."""
    window.resize(_USUAL)
    with contextlib.suppress(OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, binascii.Error, TypeError):
        state = tomllib.loads(state_file().read_text(encoding="utf-8")).get("window", {})
        window.restoreGeometry(_bytes(state.get("geometry", "")))
        window.restoreState(_bytes(state.get("state", "")))


def remember(window: QMainWindow) -> None:
    """Writes down the window's shape; a disk that does not take it is no reason to stay open."""
    geometry, state = _text(window.saveGeometry()), _text(window.saveState())
    try:
        state_file().parent.mkdir(parents=True, exist_ok=True)
        replace_file(state_file(), f'[window]\ngeometry = "{geometry}"\nstate = "{state}"\n'.encode())
    except OSError as error:
        logging.getLogger(__name__).warning("the window's shape was not remembered: %s", error)


def _text(data: QByteArray) -> str:
    return base64.b64encode(data.data()).decode("ascii")


def _bytes(text: str) -> QByteArray:
    return QByteArray(base64.b64decode(text, validate=True))
