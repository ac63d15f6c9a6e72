from __future__ import annotations

from app.infill.estimate import Speeds
from app.paths import speeds_file
from engine.types import TextSpan
from tests.fakes import FAKE_MODEL


def shown(desk):
    return desk.window.presets.estimate.text()


def test_the_time_is_told_after_the_first_run_and_follows_selection_and_settings(desk):
    desk.open("a.txt", "one two three " * 30)
    assert shown(desk) == ""
    desk.fill("two")
    desk.allow(4)
    assert shown(desk).startswith("About ")
    desk.tab.controller.reject()
    desk.tab.view.go_to(1, 1)
    desk.qtbot.waitUntil(lambda: "100 characters" in shown(desk))
    desk.tab.view.select([TextSpan(0, 300)])
    desk.qtbot.waitUntil(lambda: "the selection" in shown(desk))
    short = shown(desk)
    desk.window.settings["infill.alpha_0"] = 0.0
    desk.qtbot.waitUntil(lambda: shown(desk) != short)
    desk.window.settings["infill.sampler"] = "p2"
    desk.qtbot.waitUntil(lambda: shown(desk).startswith("Roughly"))


def test_what_was_learned_is_kept_when_the_window_closes(desk):
    desk.open("a.txt", "one two three")
    desk.fill("two")
    desk.allow(4)
    desk.tab.controller.reject()
    desk.window.close()
    assert Speeds(speeds_file()).of(FAKE_MODEL).a_step
