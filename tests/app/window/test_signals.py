"""A signal that asks the process to end reaches the GUI thread, and handlers are given back."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from app.window.signals import SignalWatch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_acted_upon_and_raises_nothing(qtbot, number):
    before = signal.getsignal(number)
    seen: list[bool] = []
    watch = SignalWatch(lambda: seen.append(True))
    os.kill(os.getpid(), number)
    qtbot.waitUntil(lambda: bool(seen))
    watch.close()
    assert signal.getsignal(number) is before
