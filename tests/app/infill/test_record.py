from __future__ import annotations

from datetime import UTC
from typing import Any

from app.infill.record import Acceptance, RunRecord, options_of
from engine.types import InfillRequest, TextSpan

TEXT = "one\r\ntwo\r\nthree\r\n"


def test_options_are_every_field_of_a_request_but_text_and_spans_as_plain_values():
    options = options_of(InfillRequest("text", (TextSpan(0, 4),), seed=7))
    assert options["mode"] == "fill"
    assert type(options["mode"]) is str
    assert options["seed"] == 7
    assert not {"text", "spans"} & set(options)
    values: dict[str, Any] = dict(options)
    assert InfillRequest("text", (TextSpan(0, 4),), **values) == InfillRequest("text", (TextSpan(0, 4),), seed=7)


def test_a_run_and_its_acceptance_are_told(make_desk):
    desk = make_desk(TEXT, eol="\r\n", answer=lambda _request: ["x\ny", "drei"])
    runs: list[RunRecord] = []
    accepted: list[Acceptance] = []
    desk.controller.run_ended.connect(runs.append)
    desk.controller.accepted.connect(accepted.append)
    desk.fill("two", "three")
    assert not runs
    desk.allow(4)
    (run,) = runs
    assert run.when.tzinfo is UTC
    assert (run.mode, run.spans) == ("fill", (TextSpan(5, 8), TextSpan(10, 15)))
    assert (run.before, run.after) == (("two", "three"), ("x\r\ny", "drei"))
    assert (run.seed, run.model, run.nfe, run.elapsed_ms) == (desk.settings["infill.seed"], "fake", 4, 8.0)
    assert not run.is_partial
    desk.controller.proposals.accept()
    (acceptance,) = accepted
    assert acceptance.run == run
    assert acceptance.texts == ("x\r\ny", "drei")
    text = desk.view.text()
    assert tuple(text[span.start : span.end] for span in acceptance.spans) == acceptance.texts


def test_a_stopped_run_is_told_with_what_it_has_written(make_desk):
    desk = make_desk(TEXT, answer=lambda _request: ["uno dos tres cuatro cinco seis", ""], infill__steps=6)
    runs: list[RunRecord] = []
    desk.controller.run_ended.connect(runs.append)
    desk.fill("two", "three")
    desk.allow(1)
    desk.controller.stop()
    desk.allow(1)
    (run,) = runs
    assert run.is_partial
    assert run.after[0]
    assert run.after[1] == "three"


def test_a_run_without_a_proposal_is_not_told(make_desk):
    desk = make_desk(TEXT, answer=lambda _request: ["two"])
    runs: list[RunRecord] = []
    desk.controller.run_ended.connect(runs.append)
    desk.fill("two")
    desk.allow(4)
    assert desk.controller.state == "idle"
    assert not runs
