"""The model of the settings is loaded in the background, and how that goes is told."""

from __future__ import annotations

from engine.types import Failed, ModelInfo, ModelLoading, ModelReady

from .conftest import deliver

INFO = ModelInfo("redraft-mini", "esolm", 30_000_000, 1024, "cpu", "float32", 2, (0.125, 1.0))


def test_the_chosen_model_is_asked_for(desk):
    settings = desk.window.settings
    settings["engine.model"], settings["engine.device"], settings["engine.threads"] = "other", "cpu", 3
    assert not desk.session.loads  # not before the window has been seen
    desk.window.engine.start()
    _, choice, _ = desk.session.loads[-1]
    assert (choice.name, choice.device, choice.dtype, choice.threads) == ("other", "cpu", "auto", 3)


def test_another_choice_is_loaded_once_the_user_has_settled(desk):
    desk.window.engine.start()
    for threads in (1, 2, 3):
        desk.window.settings["engine.threads"] = threads
    desk.window.settings["infill.steps"] = 7
    desk.qtbot.waitUntil(lambda: len(desk.session.loads) == 2)
    assert desk.session.loads[-1][1].threads == 3


def test_a_run_right_after_a_choice_is_answered_by_the_chosen_model(desk):
    desk.open("x.txt", "some old words")
    desk.window.engine.start()
    desk.window.settings["engine.model"] = "other"
    assert len(desk.session.loads) == 1
    desk.fill("old")
    assert desk.session.loads[-1][1].name == "other"
    assert desk.session.run.job.id > desk.session.loads[-1][0].id


def test_loading_is_shown_until_the_model_is_ready(desk):
    bar = desk.window.status
    desk.window.engine.start()
    job, _, on_event = desk.session.loads[-1]
    on_event(ModelLoading(job.id, "redraft-mini", 0.4))
    deliver()
    assert bar.engine.text() == "Loading redraft-mini · 40 %"
    assert bar.progress.value() == 40
    on_event(ModelReady(job.id, INFO))
    deliver()
    assert bar.engine.text() == "redraft-mini · 30 M · CPU · ready"
    assert not bar.progress.isVisible()
    assert "trained with 0.125 to 1" in desk.window.panel.rows["infill.alpha_0"].note


def test_a_model_that_cannot_be_loaded_is_told_in_a_sentence(desk):
    desk.window.engine.start()
    job, _, on_event = desk.session.loads[-1]
    on_event(Failed(job.id, "The model “other” is not there.", "ModelNotFoundError"))
    deliver()
    assert desk.window.status.engine.text() == "The model “other” is not there."
    assert desk.window.notices.text == "The model “other” is not there."


def test_a_run_that_loads_the_model_first_says_how_that_ends(desk):
    bar = desk.window.status
    desk.open("x.txt", "some old words")
    desk.fill("old")
    job, on_event = desk.session.run.job, desk.session.run.on_event
    on_event(ModelLoading(job.id, "other", 0.0))
    desk.session.run.fail("The model “other” is not there.")
    deliver()
    assert bar.engine.text() == desk.window.notices.text == "The model “other” is not there."
    assert not bar.progress.isVisible()
    desk.fill("old")
    job, on_event = desk.session.run.job, desk.session.run.on_event
    on_event(ModelLoading(job.id, "redraft-mini", 0.0))
    on_event(ModelLoading(job.id, "redraft-mini", 1.0, INFO))
    desk.allow(4)
    assert bar.engine.text() == "redraft-mini · 30 M · CPU · ready"
    assert not bar.progress.isVisible()


def test_a_run_that_waits_for_the_model_says_so(desk):
    desk.open("x.txt", "some old words")
    desk.window.engine.start()
    job, _, on_event = desk.session.loads[-1]
    on_event(ModelLoading(job.id, "redraft-mini", 0.4))
    deliver()
    desk.fill("old")
    assert desk.window.status.engine.text() == "Waiting for the model"
    assert desk.window.status.stop.isEnabled()
    on_event(ModelReady(job.id, INFO))
    desk.allow(4)
    assert desk.window.status.engine.text() == "redraft-mini · 30 M · CPU · ready"
