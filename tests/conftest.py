"""What holds for every test: no screen, no file of the user's, no thread and no timer left behind."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from PySide6.QtCore import QTimer

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("MKL_NUM_THREADS", "2")
os.environ["HF_HUB_OFFLINE"] = "1"

settings.register_profile("redraft", derandomize=True, deadline=None, database=None)
settings.load_profile("redraft")

USER_DIRECTORIES = {
    "REDRAFT_CONFIG_DIR": "config",
    "REDRAFT_DATA_DIR": "data",
    "REDRAFT_CACHE_DIR": "cache",
    "REDRAFT_LOG_DIR": "log",
    "XDG_CONFIG_HOME": "xdg-config",
    "XDG_DATA_HOME": "xdg-data",
    "XDG_CACHE_HOME": "xdg-cache",
    "XDG_STATE_HOME": "xdg-state",
}
GRACE_S = 5.0
"""How long a thread that was already told to end may take."""


@pytest.fixture(autouse=True)
def user_directories(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Points every folder of the user's at an empty one of the test's own, and returns their parent."""
    home = tmp_path_factory.mktemp("home")
    for variable, name in USER_DIRECTORIES.items():
        folder = home / name
        folder.mkdir()
        monkeypatch.setenv(variable, str(folder))
    return home


@pytest.fixture(autouse=True)
def nothing_left_running(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves a thread alive or a Qt timer active."""
    uses_qt = "qapp" in request.fixturenames or "qtbot" in request.fixturenames
    threads_before = set(threading.enumerate())
    timers_before = {id(timer) for timer in _active_timers()} if uses_qt else set()
    yield
    left = [thread for thread in threading.enumerate() if thread not in threads_before and not _ends_soon(thread)]
    assert not left, f"the test left threads running: {[thread.name for thread in left]}"
    if uses_qt:
        _delete_what_is_to_be_deleted()
        timers = [timer for timer in _active_timers() if id(timer) not in timers_before]
        assert not timers, f"the test left timers running: {[_describe(timer) for timer in timers]}"


def _ends_soon(thread: threading.Thread) -> bool:
    if isinstance(thread, threading._DummyThread):  # a thread of Qt's or torch's that once called into Python
        return True
    thread.join(GRACE_S)
    return not thread.is_alive()


def _delete_what_is_to_be_deleted() -> None:
    from PySide6.QtCore import QCoreApplication, QEvent

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()


def _active_timers() -> list[QTimer]:
    core: Any = sys.modules.get("PySide6.QtCore")
    if core is None:
        return []
    import shiboken6

    # type(), not isinstance(): asking an object for its class may run code of lazy modules and proxies
    timers = [item for item in gc.get_objects() if issubclass(type(item), core.QTimer)]
    return [timer for timer in timers if shiboken6.isValid(timer) and timer.isActive()]


def _describe(timer: QTimer) -> str:
    return f"{timer.objectName() or 'QTimer'} of {timer.parent()!r}, every {timer.interval()} ms"
