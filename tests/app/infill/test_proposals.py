"""Several proposals at once, as the user meets them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from app.editor.indicators import Indicator
from app.infill.proposals import Display
from app.infill.record import Acceptance
from engine.types import TextSpan

from .conftest import deliver

TEXT = "one two three.\nfour five six.\nseven eight nine.\n"
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def desk(make_desk):
    """Two proposals wait: TWO THREE and EIGHT."""
    desk = make_desk(TEXT)
    for text in ("two three", "eight"):
        desk.fill(text)
        desk.allow(4)
    return desk


def proposals(desk):
    return desk.controller.proposals


def put_caret(desk, text):
    start = desk.view.text().index(text)
    desk.view.select([TextSpan(start, start)])


def test_a_new_run_elsewhere_leaves_a_pending_proposal_alone(desk):
    assert desk.shown() == TEXT.replace("two three", "TWO THREE").replace("eight", "EIGHT")
    assert desk.view.text() == TEXT
    assert "2 proposals wait" in desk.messages[-1]


def test_pending_proposals_are_shown_beside_the_draft_of_a_run(desk):
    desk.fill("five")
    desk.allow(2)
    assert "TWO THREE" in desk.shown()
    assert "EIGHT" in desk.shown()
    assert "five" not in desk.shown()


def test_a_run_over_a_pending_span_replaces_what_was_proposed_there(desk):
    desk.session.answer = lambda request: ["zwei drei"]
    desk.fill("two three")
    assert len(proposals(desk)) == 1
    desk.allow(4)
    assert desk.shown() == TEXT.replace("two three", "zwei drei").replace("eight", "EIGHT")


def test_when_nothing_comes_of_that_run_the_old_proposal_is_back(desk):
    desk.fill("two three")
    desk.allow(1)
    desk.session.run.fail()
    desk.qtbot.waitUntil(lambda: not desk.controller.is_running)
    assert len(proposals(desk)) == 2
    assert "TWO THREE" in desk.shown()


def test_a_newer_run_elsewhere_brings_it_back_too(desk):
    desk.fill("two three")
    desk.fill("five")
    desk.allow(4)
    assert len(proposals(desk)) == 3


def test_f8_goes_around_and_scrolls(make_desk):
    lines = "".join(f"line {number:03} word\n" for number in range(300))
    desk = make_desk(lines)
    for text in ("line 010", "line 250"):
        desk.fill(text)
        desk.allow(4)
    desk.view.go_to(1, 1)
    proposals(desk).step(1)
    assert desk.view.caret_offset() == lines.index("line 010")
    proposals(desk).step(1)
    assert desk.view.caret_offset() == lines.index("line 250")
    preview = desk.view.preview
    first = preview.firstVisibleLine()
    assert first <= 250 < first + preview.linesOnScreen()
    proposals(desk).step(1)
    assert desk.view.caret_offset() == lines.index("line 010")
    proposals(desk).step(-1)
    assert desk.view.caret_offset() == lines.index("line 250")
    assert "Proposal 2 of 2" in desk.messages[-1]


def test_tab_accepts_the_proposal_at_the_caret_only(desk, qtbot):
    put_caret(desk, "two")
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Tab)
    assert desk.view.text() == TEXT.replace("two three", "TWO THREE")
    assert len(proposals(desk)) == 1
    assert desk.view.overlay.is_shown, "the other one stays on the screen"
    desk.view.undo()
    assert desk.view.text() == TEXT


def test_all_are_accepted_in_one_undo_step(desk):
    assert proposals(desk).accept_all()
    assert desk.view.text() == TEXT.replace("two three", "TWO THREE").replace("eight", "EIGHT")
    assert desk.controller.state == "idle"
    desk.view.undo()
    assert desk.view.text() == TEXT
    assert not desk.view.surface.canUndo()


def test_one_span_of_a_proposal_can_be_accepted_and_the_other_discarded(make_desk):
    desk = make_desk(TEXT)
    desk.fill("two", "eight")
    desk.allow(4)
    put_caret(desk, "eight")
    proposals(desk).accept_span()
    assert desk.view.text() == TEXT.replace("eight", "EIGHT")
    put_caret(desk, "two")
    proposals(desk).reject_span()
    assert desk.view.text() == TEXT.replace("eight", "EIGHT")
    assert desk.controller.state == "idle"


def test_words_are_taken_one_by_one_and_the_rest_stays_pending(desk, qtbot):
    put_caret(desk, "two")
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Right, CONTROL)
    assert desk.view.text() == TEXT.replace("two", "TWO")
    assert desk.view.caret_offset() == len("one TWO")
    assert "TWO THREE" in desk.shown()
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Right, CONTROL)
    assert desk.view.text() == TEXT.replace("two three", "TWO THREE")
    desk.view.undo()
    assert desk.view.text() == TEXT.replace("two", "TWO")
    desk.view.undo()
    assert desk.view.text() == TEXT


def test_ctrl_right_goes_a_word_to_the_right_anywhere_else(desk, qtbot):
    desk.view.go_to(2, 1)
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Right, CONTROL)
    assert desk.view.text() == TEXT
    assert desk.view.caret_offset() == TEXT.index("five")


def test_ctrl_down_takes_the_next_line(make_desk, qtbot):
    desk = make_desk(TEXT, answer=lambda request: ["uno\ndos\n"])
    desk.view.go_to(2, 1)
    desk.controller.continue_at_caret()
    desk.allow(4)
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Down, CONTROL)
    assert desk.view.text() == TEXT.replace("four", "uno\nfour")
    assert "uno\ndos\nfour" in desk.shown()


def test_an_early_tab_does_nothing_but_say_so(make_desk, qtbot):
    desk = make_desk(TEXT)
    desk.fill("two three")
    for _ in range(3):
        qtbot.keyClick(desk.view.surface, Qt.Key.Key_Tab)
        assert desk.view.text() == TEXT
        assert "Still writing" in desk.messages[-1]
        desk.allow(1)
    assert desk.controller.is_running
    desk.view.go_to(2, 1)
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Tab)
    assert desk.view.text() == TEXT.replace("four", "    four")


def test_escape_discards_only_the_proposal_at_the_caret(desk, qtbot):
    desk.view.go_to(2, 1)
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Escape)
    assert len(proposals(desk)) == 2
    put_caret(desk, "two")
    qtbot.keyClick(desk.view.surface, Qt.Key.Key_Escape)
    assert [spot.text for spot in proposals(desk).pending.spots] == ["EIGHT"]
    proposals(desk).reject_all()
    assert not desk.view.overlay.is_shown


def test_a_span_that_was_edited_is_marked_and_comes_back_with_undo(desk, qtbot):
    put_caret(desk, "wo three")
    qtbot.keyClicks(desk.view.surface, "xxx")
    deliver()
    assert desk.view.surface.indicatorValueAt(Indicator.STALE, 4)
    assert "Undo brings it back" in desk.messages[-1]
    desk.pause_typing()
    assert desk.shown() == desk.view.text().replace("eight", "EIGHT")
    for place in range(4, 4 + len("txxxwo three")):
        assert desk.view.preview.indicatorValueAt(Indicator.STALE, place)
    assert not desk.view.preview.markerGet(0) & 1
    assert not desk.controller.proposals.can_accept
    assert not desk.controller.proposals.accept()
    assert (len(proposals(desk)), proposals(desk).count) == (2, 1)
    desk.view.undo()
    desk.pause_typing()
    assert "TWO THREE" in desk.shown()
    deliver()
    assert not desk.view.surface.indicatorValueAt(Indicator.STALE, 4)


def test_a_stale_span_can_be_filled_again_where_it_is(desk, qtbot):
    put_caret(desk, "wo three")
    qtbot.keyClicks(desk.view.surface, "x")
    desk.controller.fill()
    assert desk.session.run.request.spans == (TextSpan(4, 14),)
    desk.allow(4)
    proposals(desk).accept()
    assert desk.view.text() == TEXT.replace("two three", "TXWO THREE")


def test_the_old_text_can_be_looked_at(desk):
    proposals(desk).show_as(Display.BEFORE)
    assert desk.shown() == TEXT
    assert desk.view.preview.indicatorValueAt(Indicator.BEFORE, 4)
    proposals(desk).show_as(Display.AFTER)
    assert "TWO THREE" in desk.shown()
    assert desk.view.text() == TEXT


def test_a_new_result_is_seen_even_if_the_old_text_was_looked_at(desk):
    proposals(desk).show_as(Display.BEFORE)
    desk.fill("five")
    desk.allow(4)
    assert "FIVE" in desk.shown()


def test_words_that_change_are_shown_both_ways(desk):
    proposals(desk).show_as(Display.DIFF)
    assert "two threeTWO THREE" in desk.shown()
    preview = desk.view.preview
    assert preview.indicatorValueAt(Indicator.REMOVED, 5)
    assert preview.indicatorValueAt(Indicator.ADDED, 4 + len("two three"))
    assert not preview.indicatorValueAt(Indicator.REMOVED, 4 + len("two three"))


def test_the_unified_diff_is_that_of_all_proposals(desk):
    diff = proposals(desk).unified_diff("a.txt")
    assert "-one two three.\n" in diff
    assert "+one TWO THREE.\n" in diff
    assert "+seven EIGHT nine.\n" in diff


def test_another_variation_is_what_is_shown_and_accepted(desk):
    from dataclasses import replace

    spot = proposals(desk).pending.spots[0]
    first, run = spot.proposal.variations[0], spot.proposal.run
    other = replace(first, texts=("2 3",), spans=(replace(first.spans[0], cells=()),), seed=9)
    other = replace(other, spans=(type(first.spans[0])((replace(first.spans[0].cells[0], text="2 3"),)),))
    proposals(desk).add(replace(spot.proposal, variations=(first, other), runs=(run, replace(run, variation=1))))
    proposals(desk).apart.show_variation(spot.proposal.id, 1)
    assert "one 2 3." in desk.shown()
    told: list[Acceptance] = []
    desk.controller.accepted.connect(told.append)
    put_caret(desk, "two")
    proposals(desk).accept()
    assert desk.view.text() == TEXT.replace("two three", "2 3")
    assert told[0].run.variation == 1


def test_the_frames_of_the_run_are_kept_with_the_proposal(desk):
    frames = proposals(desk).pending.spots[0].proposal.frames
    assert len(frames) == 4
    assert all(len(frame) == 1 for frame in frames)


def test_with_nothing_pending_every_command_says_so(make_desk):
    desk = make_desk(TEXT)
    it = proposals(desk)
    for act in (it.accept, it.accept_all, it.accept_word, it.reject, it.reject_span, lambda: it.step(1)):
        desk.messages.clear()
        act()
        assert desk.messages == ["No proposal is waiting."]


def test_with_several_pending_the_caret_must_tell_which(desk):
    desk.view.go_to(2, 1)
    for act in (proposals(desk).accept, proposals(desk).accept_word, proposals(desk).reject):
        act()
        assert "F8" in desk.messages[-1]
    assert desk.view.text() == TEXT
    assert len(proposals(desk)) == 2


@pytest.mark.parametrize("answer", ["uno dos", "TWO THREE", "x", "two uno dos tres"])
def test_what_was_accepted_in_part_is_proposed_again_when_it_is_undone(make_desk, answer):
    desk = make_desk(TEXT, answer=lambda request: [answer])
    desk.fill("two three")
    desk.allow(4)
    put_caret(desk, "two")
    count = len(answer.split())
    for _ in range(count - 1):
        proposals(desk).accept_word()
    whole = TEXT.replace("two three", answer)
    assert desk.shown() == whole
    for _ in range(count - 1):
        desk.view.undo()
        desk.pause_typing()
        assert desk.shown() == whole
    assert desk.view.text() == TEXT
    assert [spot.text for spot in proposals(desk).pending.live_spots] == [answer]
    proposals(desk).accept()
    assert desk.view.text() == whole


def test_words_of_a_continuation_are_proposed_again_too(make_desk):
    desk = make_desk("one ", answer=lambda request: ["two three"])
    desk.view.go_to(1, 9)
    desk.controller.continue_at_caret()
    desk.allow(4)
    proposals(desk).accept_word()
    assert desk.view.text() == "one two"
    desk.view.undo()
    assert desk.view.text() == "one "
    desk.pause_typing()
    assert desk.shown() == "one two three"
    (spot,) = proposals(desk).pending.live_spots
    assert (spot.text, spot.place.span) == ("two three", TextSpan(4, 4))
