from __future__ import annotations

from dataclasses import replace

import pytest

from app.infill.trigger import FIRST_WAIT_MS, LONGEST_WAIT_MS, SHORTEST_WAIT_MS, Debounce, Moment, is_typing

GOOD = Moment(before="The old keeper climbed", after="")


def test_a_suggestion_is_wanted_at_the_end_of_a_line_with_text():
    assert GOOD.wants_suggestion
    assert replace(GOOD, after="  \r").wants_suggestion


@pytest.mark.parametrize(
    "change",
    [
        {"before": ""},
        {"before": "    "},
        {"after": " the stairs"},
        {"is_composing": True},
        {"has_selection": True},
        {"is_busy": True},
        {"is_ready": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_suggestion_is_never_in_the_way(change):
    assert not replace(GOOD, **change).wants_suggestion


def test_the_pause_follows_what_suggestions_take():
    debounce = Debounce()
    assert debounce.wait_ms == FIRST_WAIT_MS
    debounce.learn(1_000)
    assert debounce.wait_ms == 500
    debounce.learn(2_000)
    assert 500 < debounce.wait_ms < 1_000


@pytest.mark.parametrize(("latency", "wait"), [(1, SHORTEST_WAIT_MS), (60_000, LONGEST_WAIT_MS)])
def test_the_pause_has_bounds(latency, wait):
    debounce = Debounce()
    debounce.learn(latency)
    assert debounce.wait_ms == wait


@pytest.mark.parametrize(("removed", "inserted", "typed"), [(0, 1, True), (0, 2, True), (0, 30, False), (1, 0, False)])
def test_only_keys_are_typing(removed, inserted, typed):
    assert is_typing(removed, inserted) is typed
