"""Several results of one request: ranked, gone through, kept, pinned, discarded."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from app.infill.proposal import Proposal
from app.infill.record import Acceptance
from app.infill.variations import (
    best_first,
    described,
    figure,
    likelihood,
    only,
    percent,
    ranked,
    steps_lead_to,
    with_one_more,
    with_pin,
    with_pinned_of,
    without,
)
from engine.types import Cell, CellState, SpanDraft, TextSpan, Variation
from tests.app.infill.proposing import Text, propose, variation

TEXT = "one two three.\nfour five six.\n"
WORDS = {0: "zwei", 1: "deux", 2: "due", 3: "dos"}


def sure(text: str, *confidences: float, seed: int = 0) -> Variation:
    """A result whose words have these confidences."""
    words = [word + " " for word in text.split()]
    cells = tuple(Cell(w, CellState.ACCEPTED, c) for w, c in zip(words, confidences, strict=True))
    return Variation((text,), (SpanDraft(cells),), seed, sum(map(math.log, confidences)))


def judged(text: str, share: float, seed: int = 0) -> Variation:
    """A result whose words were judged to be as likely as this, and which the steps were sure of."""
    count = len(text.split())
    whole = sure(text, *[0.95] * count, seed=seed)
    return replace(whole, log_likelihood=count * math.log(share), judged=count)


def several(*variations: Variation) -> Proposal:
    proposal = propose(Text(TEXT), ("two", "TWO"))
    runs = tuple(replace(proposal.run, seed=it.seed, variation=it.seed) for it in variations)
    return replace(proposal, variations=variations, runs=runs)


def texts(proposal: Proposal) -> list[str]:
    return [it.texts[0] for it in proposal.variations]


# values


def test_the_likelihood_is_a_mean_so_that_a_short_result_has_no_advantage():
    assert likelihood(sure("a b", 0.5, 0.5)) == pytest.approx(0.5)
    assert likelihood(sure("a", 0.4)) == pytest.approx(0.4)
    assert texts(ranked(several(sure("a", 0.4), sure("a b", 0.5, 0.5)))) == ["a b", "a"]


def test_where_results_were_judged_their_exact_likelihood_ranks_them_and_not_what_the_steps_gave():
    dull = replace(sure("a b", 0.9, 0.9), log_likelihood=3 * math.log(0.2), judged=3)
    good = replace(sure("c d", 0.3, 0.3, seed=1), log_likelihood=3 * math.log(0.6), judged=3)
    assert likelihood(dull) == pytest.approx(0.2)
    assert texts(best_first(several(dull, good))) == ["c d", "a b"]


def test_results_that_were_not_judged_come_last_and_say_what_their_figure_is():
    """As a pinned single result does, or a step that was taken, beside the results of a batch."""
    single, taken = sure("a b", 0.9, 0.9, seed=7), sure("a c", 0.8, 0.8, seed=8)
    kept = SpanDraft((Cell("old ", CellState.KEPT, 1.0), Cell("new", CellState.ACCEPTED, 0.9)))
    part = Variation(("old new",), (kept,), 2, math.log(0.6), 1)
    batch = [judged("c d", 0.1, seed=0), judged("e f", 0.3, seed=1)]
    proposal = ranked(several(single, batch[0], part, taken, batch[1]))
    assert texts(proposal) == ["e f", "c d", "old new", "a b", "a c"]
    assert (proposal.texts, proposal.run.seed) == (("a b",), 7)
    assert list(map(figure, proposal.variations)) == [
        "30 % a token",
        "10 % a token",
        "60 % a new token",
        "90 % a token when written",
        "80 % a token when written",
    ]
    assert described(proposal, 3) == "Variation 4 of 5, likelihood 90 % a token when written, seed 7."


@pytest.mark.parametrize("blank", ["", "\n"])
def test_a_blank_result_comes_last_however_likely_nothing_is(blank):
    nothing = Variation((blank,), (SpanDraft(()),), 1, math.log(0.9), 1)
    proposal = best_first(several(nothing, judged("a b", 0.2), sure("c", 0.1)))
    assert texts(proposal) == ["a b", "c", blank]
    assert proposal.shown == 0


def test_a_part_is_not_as_likely_as_the_whole_was_judged_to_be():
    two = propose(Text(TEXT), ("one", "eins"), ("two", "zwei"))
    judged = replace(two.variations[0], log_likelihood=4 * math.log(0.1), judged=4)
    two = replace(two, variations=(judged,))
    part, whole = two.without([0]), two.keeping([0, 1])
    assert part is not None
    assert whole is not None
    rest = two.with_rest(0, replace(two.places[0], original="ne"), 1)
    assert likelihood(whole.variations[0]) == pytest.approx(0.1)
    assert [likelihood(left.variations[0]) for left in (part, rest)] == pytest.approx([0.9, 0.9])


def test_what_was_kept_says_nothing_of_the_likelihood_and_what_is_not_known_is_unknown():
    kept = SpanDraft((Cell("a", CellState.KEPT, 1.0), Cell("b", CellState.ACCEPTED, 0.25)))
    assert likelihood(Variation(("ab",), (kept,), 0, 0.0)) == pytest.approx(0.25)
    unknown = Variation(("a",), (SpanDraft((Cell("a", CellState.ACCEPTED),)),), 0, 0.0)
    assert likelihood(unknown) is None
    assert texts(ranked(several(unknown, sure("b", 0.01)))) == ["b", "a"]


def test_the_likeliest_is_shown_first_with_its_own_record_and_equal_texts_once():
    proposal = best_first(several(sure("a", 0.2, seed=0), sure("b", 0.9, seed=1), sure("a", 0.1, seed=2)))
    assert texts(proposal) == ["b", "a"]
    assert (proposal.shown, proposal.run.seed) == (0, 1)


def test_ranking_keeps_what_is_shown():
    proposal = ranked(several(sure("a", 0.2), sure("b", 0.9, seed=1)))
    assert (proposal.texts, proposal.shown) == (("a",), 1)


def test_one_can_be_kept_and_one_taken_out():
    proposal = with_pin(several(variation("a"), variation("b", seed=1), variation("c", seed=2)), 2, on=True)
    assert texts(only(proposal, 1)) == ["b"]
    rest = without(proposal, 0)
    assert rest is not None
    assert (texts(rest), rest.shown, rest.pinned) == (["b", "c"], 0, frozenset({1}))
    last = without(replace(proposal, shown=2), 2)
    assert last is not None
    assert (last.texts, last.pinned) == (("b",), frozenset())
    assert without(only(proposal, 0), 0) is None


def test_what_is_pinned_joins_a_newer_proposal_in_the_same_places_over_the_same_text():
    old = with_pin(several(sure("a", 0.9), sure("b", 0.5, seed=1)), 1, on=True)
    new = with_pinned_of(several(sure("c", 0.2, seed=7), sure("b", 0.1, seed=8)), [old])
    assert (texts(new), new.texts, new.pinned) == (["b", "c"], ("c",), frozenset({0}))
    assert new.runs[0].seed == 1
    moved = replace(new, places=(replace(new.places[0], span=TextSpan(5, 8)),))
    assert texts(with_pinned_of(moved, [old])) == texts(moved)


def test_a_step_that_is_taken_joins_the_others_and_is_shown():
    proposal = with_one_more(several(sure("a", 0.9)), sure("half", 0.5, seed=0), is_partial=True)
    assert (proposal.texts, proposal.run.is_partial, proposal.run.variation) == (("half",), True, 1)
    assert "taken from a step" in described(proposal, proposal.shown)


@pytest.mark.parametrize(("share", "words"), [(None, "unknown"), (0.614, "61 %"), (0.0312, "3.1 %"), (1.0, "100 %")])
def test_a_likelihood_is_said_with_two_figures(share, words):
    assert percent(share) == words


# in a view


@pytest.fixture
def desk(make_desk):
    """Three results for “two” wait: deux, the likeliest, then due, then zwei."""
    desk = make_desk(
        TEXT,
        answer=lambda request: [WORDS[request.seed % 10]],
        infill__variations=3,
        infill__seed=10,
        infill__seed_locked=True,
    )
    desk.session.sureness = (0.2, 0.9, 0.5)
    desk.fill("two")
    desk.allow(4)
    return desk


def step(desk, by):
    desk.controller.proposals.apart.step_variation(by)
    return desk.shown().splitlines()[0]


def test_frames_show_one_variation_and_the_likeliest_is_proposed(desk):
    assert desk.shown() == TEXT.replace("two", "deux")
    assert desk.messages[-1] == "3 variations: Alt+] shows the next, Tab accepts, Esc discards."


def test_one_goes_through_them_in_place_around_the_ends(desk):
    assert step(desk, 1) == "one due three."
    assert desk.messages[-1] == "Variation 2 of 3, likelihood 50 % a token, seed 12."
    assert step(desk, 1) == "one zwei three."
    assert step(desk, 1) == "one deux three."
    assert step(desk, -1) == "one zwei three."
    assert desk.view.text() == TEXT


def test_the_shown_one_is_accepted_in_one_undo_step_and_told_with_its_seed(desk):
    told: list[Acceptance] = []
    desk.controller.accepted.connect(told.append)
    step(desk, 1)
    desk.qtbot.keyClick(desk.view.surface, Qt.Key.Key_Tab)
    assert desk.view.text() == TEXT.replace("two", "due")
    assert (told[0].run.seed, told[0].run.variation, told[0].run.after) == (12, 2, ("due",))
    desk.view.undo()
    assert desk.view.text() == TEXT


def test_with_one_result_there_is_nothing_to_go_through(make_desk):
    desk = make_desk(TEXT)
    desk.fill("two")
    desk.allow(4)
    assert step(desk, 1) == "one TWO three."
    assert "one variation only" in desk.messages[-1]


def test_keep_makes_one_the_only_one_and_discarding_the_last_ends_the_proposal(desk):
    proposals = desk.controller.proposals
    proposals.apart.keep_variation(proposals.wanted.id, 2)
    assert (texts(proposals.wanted), desk.shown()) == (["zwei"], TEXT.replace("two", "zwei"))
    proposals.apart.discard_variation(proposals.wanted.id, 0)
    assert len(proposals) == 0
    assert desk.shown() == TEXT


def test_a_pinned_one_outlives_another_run_over_the_same_span(desk):
    proposals = desk.controller.proposals
    proposals.apart.pin_variation(proposals.wanted.id, 1, on=True)
    desk.settings["infill.variations"] = 1
    desk.settings["infill.seed"] = 13
    desk.controller.fill()
    desk.allow(4)
    assert sorted(texts(proposals.wanted)) == ["dos", "due"]
    assert desk.shown() == TEXT.replace("two", "dos")
    assert "2 variations" in desk.messages[-1]


def test_the_steps_are_shown_with_the_variation_they_led_to(desk):
    apart = desk.controller.proposals.apart
    proposal = desk.controller.proposals.wanted
    first = next(index for index, run in enumerate(proposal.runs) if run.variation == 0)
    apart.choose_variation(proposal.id, (first + 1) % 3)
    apart.step_frame(-1)
    assert desk.controller.proposals.wanted.shown == first
    assert desk.messages[-1].endswith(f", variation {first + 1}.")
    apart.discard_variation(proposal.id, first)
    assert steps_lead_to(desk.controller.proposals.wanted) is None


def test_a_run_elsewhere_takes_no_pins(desk):
    proposals = desk.controller.proposals
    proposals.apart.pin_variation(proposals.wanted.id, 1, on=True)
    desk.settings["infill.variations"] = 1
    desk.fill("five")
    desk.allow(4)
    assert sorted(len(proposal.variations) for proposal in proposals.pending) == [1, 3]
