from __future__ import annotations

import pytest

from app.infill.pacing import FRAME_MS, FramePacer


class Clock:
    """Goes when told."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pacer(qapp, clock):
    pacer = FramePacer(clock=clock)
    yield pacer
    pacer.stop()


def count(pacer):
    shown: list[int] = []
    pacer.due.connect(lambda: shown.append(1))
    return shown


def test_the_first_frame_is_shown_at_once(pacer):
    shown = count(pacer)
    pacer.offer()
    assert len(shown) == 1


def test_a_thousand_frames_a_second_become_thirty_at_most(pacer, clock):
    shown = count(pacer)
    for _ in range(1000):
        clock.now += 0.001
        pacer.offer()
        if pacer.timer.isActive() and 1000 * (clock.now - 100) % FRAME_MS < 1:
            pacer.timer.stop()
            pacer.timer.timeout.emit()
    assert 20 <= len(shown) <= 31


def test_the_last_frame_is_always_shown(pacer, clock):
    shown = count(pacer)
    pacer.offer()
    clock.now += 0.001
    pacer.offer()
    assert pacer.timer.isActive()
    pacer.timer.stop()
    pacer.timer.timeout.emit()
    assert len(shown) == 2


def test_a_stopped_pacer_shows_nothing_more(pacer, clock):
    shown = count(pacer)
    pacer.offer()
    clock.now += 0.001
    pacer.offer()
    pacer.stop()
    assert not pacer.timer.isActive()
    assert len(shown) == 1
