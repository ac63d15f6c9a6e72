from __future__ import annotations

from typing import Any

import pytest

from app.infill import announce as module


class Listener:
    """Stands in for QAccessible: notes what a screen reader would say."""

    def __init__(self, active: bool) -> None:
        self.active = active
        self.said: list[str] = []

    def isActive(self) -> bool:
        return self.active

    def updateAccessibility(self, event: Any) -> None:
        self.said.append(event.message())


@pytest.fixture
def listen(monkeypatch):
    def make(active):
        listener = Listener(active)
        monkeypatch.setattr(module, "QAccessible", listener)
        return listener

    return make


def test_a_screen_reader_hears_the_start_and_the_end_but_no_frames(listen, make_desk):
    listener = listen(active=True)
    desk = make_desk("one two three\n")
    desk.fill("two")
    desk.allow(4)
    assert listener.said == ["Filling.", "Done: Tab accepts, Esc discards."]


def test_nothing_is_said_where_no_screen_reader_is_active(listen, make_desk):
    listener = listen(active=False)
    desk = make_desk("one two three\n")
    desk.fill("two", "three")
    desk.allow(4)
    assert listener.said == []
