"""A run of the past, once more: its request, its settings, its result, and which of its words the model wrote."""

from __future__ import annotations

from dataclasses import replace

from app.history.again import generated_spans, proposal_of, request_of, settings_of
from app.infill.record import Acceptance, options_of
from engine.types import ContextOrder, InfillRequest, Mode, TextSpan
from tests.app.history.test_store import a_run

RUN = a_run().run


def test_the_request_of_a_run_is_the_one_it_was():
    request = InfillRequest(
        "", (), Mode.REFINE, steps=7, seed=9, capacity=20, banned=("a", "b"), context_order=ContextOrder.PREFIX_FIRST
    )
    assert request_of(replace(RUN, options=options_of(request))) == request


def test_options_of_another_version_are_left_out():
    run = replace(RUN, options={"steps": 7, "mode": "dream", "flavor": "mint", "context_order": 3})
    assert request_of(run) == InfillRequest("", (), steps=7)


def test_the_settings_of_a_run_lock_its_seed():
    run = replace(RUN, seed=12, options={"steps": 7, "capacity": None, "banned": ("a", "b"), "seed": 11})
    assert settings_of(run) == {
        "infill.seed_locked": True, "infill.steps": 7, "infill.capacity": 0, "infill.banned": "a, b", "infill.seed": 12,
    }  # fmt: skip


def two_spans():
    return replace(RUN, spans=(TextSpan(0, 3), TextSpan(9, 12)), before=("old", "bad"), after=("n\new", "good"))


def test_the_result_comes_back_where_it_is_not_yet():
    places = (TextSpan(5, 8), TextSpan(20, 24))
    proposal = proposal_of(two_spans(), places, ("old", "good"), "\r\n")
    assert proposal is not None
    assert proposal.spans == (TextSpan(5, 8),)
    assert proposal.texts == ("n\r\new",)
    assert proposal.drafts[0].text == "n\r\new"
    assert proposal.run == two_spans()
    assert proposal_of(two_spans(), places, ("n\new", "good"), "\n") is None


def written(acceptance):
    texts = "".join(acceptance.texts)
    return [texts[span.start : span.end] for span in generated_spans(acceptance)]


def accepted(run, text):
    return Acceptance((TextSpan(0, len(text)),), (text,), run)


def test_all_of_a_filled_text_is_the_models():
    run = replace(RUN, mode="fill", before=("the old house",), after=("the new house",))
    assert written(accepted(run, "the new house")) == ["the new house"]


def test_the_words_that_a_refinement_kept_are_not_the_models():
    run = replace(RUN, mode="refine", before=("the old house stood",), after=("the very new house stood",))
    assert "".join(written(accepted(run, "the very new house stood"))).split() == ["very", "new"]


def test_of_a_part_that_could_be_several_only_what_is_new_in_each_counts():
    run = replace(RUN, mode="refine", before=("one house",), after=("one house and one more house",))
    assert written(accepted(run, "house")) == []
    assert "".join(written(accepted(run, " and one"))).strip() == "and one"


def test_a_refined_text_that_is_not_of_the_run_is_the_models():
    run = replace(RUN, mode="refine", before=("a",), after=("b",))
    assert written(accepted(run, "xyz")) == ["xyz"]


def test_very_long_refinements_count_as_written():
    run = replace(RUN, mode="refine", before=("a " * 5000,), after=("a " * 5000 + "b",))
    assert written(accepted(run, run.after[0])) == [run.after[0]]
