from __future__ import annotations

from itertools import pairwise

from app.editor.edits import Edit
from app.infill.context import Prepared
from app.infill.pending import PendingProposals
from app.infill.run import MOST_FRAMES, FrameLog, Run
from engine.session import Job
from engine.types import Cancelled, Cell, CellState, Finished, Frame, InfillRequest, RunStats, SpanDraft, TextSpan
from tests.fakes import FAKE_MODEL

from .proposing import Text, draft, propose, variation

TEXT = "x old y xy"
SPANS = (TextSpan(2, 5), TextSpan(8, 10))
MASK = Cell("", CellState.MASKED)
REQUEST = InfillRequest(TEXT, SPANS, seed=5)


def running():
    return Run.begin(Job(1, ""), Prepared(REQUEST, SPANS), Text(TEXT), PendingProposals())


def finished(*variations):
    return Finished(1, REQUEST, variations, RunStats(nfe=3, elapsed_ms=7.0), FAKE_MODEL)


def stopped(*drafts):
    return Cancelled(1, REQUEST, drafts, RunStats())


def test_a_result_replaces_the_spans_and_nothing_else():
    proposal = running().finished(finished(variation("new", "z", seed=5), variation("neu", "q", seed=6)), "\n")
    assert proposal is not None
    assert proposal.spans == SPANS
    assert proposal.texts == ("new", "z")
    assert [run.seed for run in proposal.runs] == [5, 6]
    assert [run.variation for run in proposal.runs] == [0, 1]
    assert (proposal.run.nfe, proposal.run.elapsed_ms, proposal.run.model) == (3, 7.0, "fake")


def test_a_result_equal_to_the_text_or_of_other_spans_is_no_proposal():
    assert running().finished(finished(variation("old", "xy")), "\n") is None
    assert running().finished(finished(variation("new")), "\n") is None
    assert running().finished(finished(), "\n") is None


def test_of_several_results_those_that_change_nothing_are_left_out():
    proposal = running().finished(finished(variation("old", "xy"), variation("neu", "q", seed=6)), "\n")
    assert proposal is not None
    assert proposal.texts == ("neu", "q")
    assert proposal.run.variation == 1


def test_a_stopped_run_proposes_what_was_written_without_its_masks():
    written = SpanDraft((Cell("a", CellState.ACCEPTED), MASK, Cell("b", CellState.REVEALED)))
    proposal = running().stopped(stopped(written, SpanDraft((MASK,))), "\n", "fake")
    assert proposal is not None
    assert (proposal.spans, proposal.texts) == ((SPANS[0],), ("ab",))
    assert proposal.run.is_partial
    assert proposal.run.after == ("ab", "xy")


def test_a_stopped_run_that_wrote_nothing_proposes_nothing():
    kept = SpanDraft((Cell("old", CellState.KEPT, 1.0), MASK))
    assert running().stopped(stopped(kept, SpanDraft((MASK,))), "\n", "fake") is None
    assert running().stopped(stopped(), "\n", "fake") is None


def test_only_the_first_variation_is_shown_while_it_is_written():
    run = running()
    drafts = (draft("n"), draft("z"))
    assert run.take(Frame(1, 1, 4, drafts, RunStats()))
    assert not run.take(Frame(1, 2, 4, (draft("q"), draft("q")), RunStats(), variation=1))
    assert not run.take(Frame(1, 2, 4, drafts[:1], RunStats()))
    assert run.drafts == drafts


def test_an_edit_moves_the_spans_and_what_they_displaced_and_one_inside_ends_the_run():
    source = Text(TEXT)
    run = running()
    run.displaced.put(propose(source, ("old", "new")))
    source.change(0, 0, "ab")
    assert run.follow(Edit(0, 0, 2), source)
    assert run.target.spans[0] == run.displaced.spots[0].place.span == TextSpan(4, 7)
    assert not run.follow(Edit(5, 0, 1), source)


def test_of_a_long_run_so_many_frames_are_kept_spread_evenly():
    log = FrameLog()
    for number in range(1000):
        log.add((draft(str(number)),))
    kept = [int(frame[0].text) for frame in log.all()]
    assert MOST_FRAMES // 2 <= len(kept) <= MOST_FRAMES
    assert kept[0] == 0
    assert len({later - earlier for earlier, later in pairwise(kept)}) == 1
