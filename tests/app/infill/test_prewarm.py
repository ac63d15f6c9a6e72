from __future__ import annotations

import pytest

from engine.types import ModelChoice, TextSpan

from .conftest import deliver

TEXT = "one two three\nfour five six\n"


@pytest.fixture
def desk(make_desk):
    """A desk whose model is loaded."""
    desk = make_desk(TEXT)
    desk.bridge.load_model(ModelChoice())
    desk.session.finish_load()
    deliver()
    return desk


def stand_still(desk):
    assert desk.controller.prewarmer.timer.isActive()
    desk.controller.prewarmer.timer.stop()
    desk.controller.prewarmer.timer.timeout.emit()
    deliver()


def test_a_selection_that_is_still_is_warmed_up_with_the_request_that_would_come(desk):
    desk.settings["infill.seed_locked"] = True
    desk.select("two")
    stand_still(desk)
    desk.controller.fill()
    assert desk.session.prewarmed == [desk.session.run.request]


def test_a_caret_warms_nothing_up(desk):
    desk.select("two")
    desk.view.select([TextSpan(3, 3)])
    assert not desk.controller.prewarmer.timer.isActive()


def test_without_a_loaded_model_nothing_is_warmed_up(make_desk):
    desk = make_desk(TEXT)
    desk.select("two")
    assert not desk.controller.prewarmer.timer.isActive()
    assert not desk.session.prewarmed


def test_a_run_is_not_disturbed(desk):
    desk.fill("two")
    desk.select("three")
    assert not desk.controller.prewarmer.timer.isActive()
    desk.allow(4)
    desk.select("five")
    stand_still(desk)
    assert len(desk.session.prewarmed) == 1


def test_a_selection_that_cannot_be_filled_is_left_alone(desk, monkeypatch):
    monkeypatch.setattr("app.infill.context.MOST_SPANNED", 2)
    desk.select("three")
    stand_still(desk)
    assert not desk.session.prewarmed
    assert desk.messages == []


def test_the_end_of_the_warming_up_is_no_news_to_the_window(desk):
    states: list[object] = []
    desk.bridge.model_state.connect(states.append)
    desk.select("two")
    stand_still(desk)
    assert states == []
    assert desk.states == []
