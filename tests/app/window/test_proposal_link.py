"""The proposal panel, in a window."""

from __future__ import annotations

import pytest

from engine.types import TextSpan

TEXT = "one two three.\nfour five six.\n"
WORDS = {0: "zwei eins", 1: "deux un", 2: "due uno"}


@pytest.fixture
def desk(desk):
    """Three variations wait, the panel is open; “deux un” is the likeliest."""
    desk.window.settings["infill.variations"] = 3
    desk.window.settings["infill.seed_locked"] = True
    desk.window.settings["infill.seed"] = 10
    desk.session.answer = lambda request: [WORDS[request.seed % 10]] if request.text == TEXT else [" XY"]
    desk.session.sureness = (0.2, 0.9, 0.5)
    desk.open("a.txt", TEXT)
    desk.fill("two three")
    desk.allow(4)
    desk.do("proposal.panel")
    return desk


def proposal(desk):
    return desk.tab.controller.proposals.wanted


def rows(desk):
    panel = desk.window.proposal_panel.list
    return [panel.item(index).text() for index in range(panel.count())]


def select(desk, words):
    text = proposal(desk).texts[0]
    start = text.index(words)
    desk.window.proposal_panel.words.select(0, TextSpan(start, start + len(words)))


def test_variations_stand_side_by_side_with_likelihood_and_seed(desk):
    assert rows(desk) == [
        "90 % a token · seed 11: deux un",
        "50 % a token · seed 12: due uno",
        "20 % a token · seed 10: zwei eins",
    ]
    assert desk.window.proposal_panel.title.text() == "Proposal · 3 variations"


def test_choosing_a_row_shows_it_in_the_text_and_the_key_moves_the_row(desk):
    panel = desk.window.proposal_panel
    panel.list.setCurrentRow(2)
    assert proposal(desk).texts == ("zwei eins",)
    assert desk.window.status.message.text() == "Variation 3 of 3, likelihood 20 % a token, seed 10."
    desk.do("proposal.next_variation")
    assert panel.list.currentRow() == 0


def test_keep_pin_and_discard(desk):
    panel = desk.window.proposal_panel
    panel.list.setCurrentRow(1)
    panel.pin.click()
    assert rows(desk)[1] == "50 % a token · seed 12 · pinned: due uno"
    panel.list.setCurrentRow(0)
    assert not panel.pin.isChecked()
    panel.discard.click()
    assert len(rows(desk)) == 2
    panel.keep.click()
    assert rows(desk) == ["50 % a token · seed 12 · pinned: due uno"]
    assert not panel.keep.isEnabled()


def test_selected_words_are_locked_or_masked_and_run_again(desk):
    panel = desk.window.proposal_panel
    select(desk, "un")
    desk.do("proposal.lock")
    assert len(panel.words.extraSelections()) == 1
    desk.do("proposal.mask")
    desk.window.settings["infill.variations"] = 1
    panel.rewrite.click()
    request = desk.session.run.request
    assert [request.text[span.start : span.end] for span in request.spans] == [" un"]
    desk.session.run.allow(4)


def test_the_slider_goes_through_the_steps_and_one_can_be_taken(desk):
    panel = desk.window.proposal_panel
    assert (panel.slider.maximum(), panel.slider.value()) == (4, 4)
    first = next(index for index, run in enumerate(proposal(desk).runs) if run.variation == 0) + 1
    assert panel.step.text() == f"The result; the steps kept are of variation {first}"
    panel.slider.setValue(1)
    assert panel.step.text() == f"Step 2 of 4 of variation {first}"
    panel.slider.setValue(4)
    assert panel.step.text() == "The result"
    panel.slider.setValue(1)
    assert desk.tab.controller.proposals.apart.frame is not None
    panel.take.click()
    assert proposal(desk).run.is_partial
    assert len(rows(desk)) == 4
    assert desk.tab.view.text() == TEXT


def test_without_a_proposal_it_says_what_to_do(desk):
    desk.do("proposal.reject_all")
    panel = desk.window.proposal_panel
    assert panel.body.isHidden()
    assert not panel.note.isHidden()
    desk.do("proposal.panel")
    assert not desk.window.docks.proposal_shown()


def test_it_is_gone_while_the_model_is_off(desk):
    desk.window.settings["engine.enabled"] = False
    assert not desk.window.docks.proposal_shown()
    desk.window.settings["engine.enabled"] = True
    assert desk.window.docks.proposal_shown()
