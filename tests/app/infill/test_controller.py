from __future__ import annotations

from PySide6.QtCore import Qt

from engine.types import Mode, TextSpan

from .conftest import deliver

TEXT = "def one():\n    first line here\n    return 1\n\n\ndef two():\n    second line here\n    return 2\n"


def test_editing_the_span_during_a_run_stops_it_and_says_so(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("second line here")
    desk.allow(1)
    run = desk.session.run
    qtbot.keyClicks(desk.view.surface, "x")  # replaces the selection, which is the span
    assert run.job.is_cancelled
    assert desk.controller.state == "idle"
    assert "was edited, so the run was stopped" in desk.messages[-1]
    assert desk.view.text() == TEXT.replace("second line here", "x")
    run.allow(1)
    deliver()
    assert desk.controller.state == "idle"
    assert not desk.controller.proposals.has_pending


def test_escape_before_anything_was_written_changes_nothing(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    assert desk.controller.state == "queued"
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Escape)
    assert desk.session.run.job.is_cancelled
    assert desk.controller.state == "idle"
    assert not desk.view.overlay.is_shown
    assert desk.view.text() == TEXT


def test_a_stopped_run_leaves_spans_alone_in_which_nothing_was_written(make_desk):
    desk = make_desk(TEXT, answer=lambda request: ["uno dos tres cuatro cinco seis", ""], infill__steps=6)
    desk.fill("first line here", "second line here")
    desk.allow(1)
    desk.controller.stop()
    desk.allow(1)
    assert desk.controller.proposals.wanted is not None
    assert len(desk.controller.proposals.wanted.spans) == 1
    desk.controller.proposals.accept()
    assert "second line here" in desk.view.text()
    assert "first line here" not in desk.view.text()


def test_late_results_of_a_replaced_run_are_dropped(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    old = desk.session.run
    desk.allow(1)
    desk.fill("second line here")
    assert old.job.is_cancelled
    old.finish()
    deliver()
    assert desk.controller.state == "queued"
    desk.allow(4)
    desk.controller.proposals.accept()
    assert desk.view.text() == TEXT.replace("second line here", "SECOND LINE HERE")


def test_a_reloaded_text_stops_the_run(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(1)
    desk.view.set_text("something else\n")
    assert desk.session.run.job.is_cancelled
    assert desk.controller.state == "idle"
    assert desk.view.text() == "something else\n"


def test_closing_the_tab_in_the_middle_of_a_run_cancels_it_and_says_nothing_more(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(1)
    told = len(desk.messages)
    desk.controller.close()
    assert desk.session.run.job.is_cancelled
    desk.session.run.finish()
    deliver()
    assert desk.view.text() == TEXT
    assert len(desk.messages) == told


def test_an_empty_selection_gets_a_sentence(make_desk):
    desk = make_desk(TEXT)
    desk.controller.fill()
    assert desk.controller.state == "idle"
    assert desk.messages == ["Select the text to rewrite first; to write on at the caret, use Continue."]
    assert not desk.session.runs


def test_continue_writes_at_the_caret(make_desk):
    desk = make_desk(TEXT)
    desk.view.go_to(2, 99)
    desk.controller.continue_at_caret()
    assert desk.session.run.request.mode is Mode.CONTINUE
    desk.allow(4)
    assert desk.controller.proposals.can_accept
    desk.controller.proposals.accept()
    assert desk.view.text() == TEXT.replace("first line here", "first line hereWRITTEN ON")


def test_refine_asks_for_the_strength_of_the_settings(make_desk):
    desk = make_desk(TEXT, infill__strength=0.3)
    desk.select("first line here")
    desk.controller.refine()
    assert desk.session.run.request.mode is Mode.REFINE
    assert desk.session.run.request.strength == 0.3
    assert desk.shown() == TEXT


def test_each_run_draws_a_seed_and_shows_it_unless_it_is_locked(make_desk):
    desk = make_desk(TEXT)
    seeds = set()
    for _ in range(3):
        desk.fill("first line here")
        seeds.add(desk.session.run.request.seed)
        assert desk.settings["infill.seed"] == desk.session.run.request.seed
    assert len(seeds) == 3
    desk.settings["infill.seed_locked"] = True
    desk.settings["infill.seed"] = 7
    desk.fill("first line here")
    assert desk.session.run.request.seed == 7


def test_progress_tells_the_figures_of_the_frames(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(4)
    assert [(at.step, at.steps, at.nfe) for at in desk.progress] == [(1, 4, 1), (2, 4, 2), (3, 4, 3), (4, 4, 4)]
    assert desk.progress[-1].reused_tokens == 10
    assert desk.states == ["queued", "running", "proposal"]


def test_a_failure_becomes_its_sentence_and_the_text_stays(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.session.run.fail("Memory ran out.")
    deliver()
    assert desk.controller.state == "idle"
    assert desk.messages[-1] == "Memory ran out."
    assert not desk.view.overlay.is_shown
    assert desk.view.text() == TEXT


def test_a_result_equal_to_the_text_is_said_and_changes_nothing(make_desk):
    desk = make_desk(TEXT, answer=lambda request: ["first line here"])
    desk.fill("first line here")
    desk.allow(4)
    assert desk.controller.state == "idle"
    assert "already" in desk.messages[-1]


def test_filling_again_at_a_proposal_rewrites_the_same_span(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(4)
    desk.view.select([TextSpan(20, 20)])
    desk.controller.fill()
    assert desk.session.run.request.spans == (TextSpan(15, 30),)


def test_an_engine_that_does_not_answer_can_be_given_up(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("first line here")
    desk.allow(1)
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Escape)
    assert desk.controller.state == "running"
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Escape)
    assert desk.controller.state == "idle"
    assert not desk.view.overlay.is_shown


def test_frames_that_do_not_fit_the_spans_are_dropped(make_desk):
    desk = make_desk(TEXT)
    desk.fill("first line here", "second line here")
    run = desk.session.run
    run.tokens = run.tokens[:1]
    desk.allow(1)
    assert desk.controller.state == "queued"
