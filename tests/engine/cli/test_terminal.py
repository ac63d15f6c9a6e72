"""Drafts in a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from engine.cli.terminal import LiveDisplay, draft_in_context, draft_text, stats_line, visible
from engine.types import Cell, CellState, Frame, InfillRequest, RunStats, SpanDraft, TextSpan

DRAFT = SpanDraft((
    Cell("The ", CellState.KEPT, 1.0),
    Cell("", CellState.MASKED),
    Cell("sea ", CellState.DOUBTFUL, 0.1),
    Cell("was", CellState.REVEALED, 0.9),
))  # fmt: skip


def test_masks_are_blocks_and_every_state_has_its_own_style():
    text = draft_text(DRAFT)
    assert text.plain == "The ░sea was"
    styles = {text.plain[span.start : span.end]: str(span.style) for span in text.spans}
    assert styles == {"The ": "italic", "░": "dim", "sea ": "underline", "was": "bold"}


def test_a_draft_stands_between_its_nearest_lines():
    document = "one\ntwo\nthree old four\nfive\nsix\n"
    start = document.index("old")
    shown = draft_in_context(document, TextSpan(start, start + 3), DRAFT)
    assert shown.plain == "two\nthree The ░sea was four\nfive\n"


def test_a_live_frame_shows_draft_and_step_and_is_wiped_at_the_end():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, height=20, color_system=None)
    request = InfillRequest("before old after", (TextSpan(7, 10),))
    with LiveDisplay(console, request) as display:
        display.loading("mini", 0.5)
        display.frame(Frame(1, 3, 16, (DRAFT,), RunStats(nfe=3)))
        shown = stream.getvalue()
    assert "loading mini … 50%" in shown
    assert "before The ░sea was after" in shown
    assert "step 3/16" in shown
    assert stream.getvalue() != shown


def test_figures_are_those_of_the_run():
    stats = RunStats(nfe=4, written_tokens=10, reused_tokens=7, computed_tokens=3, elapsed_ms=600.0, prefill_ms=100.0)
    assert stats_line(stats) == "4 forward passes · 20 tokens/s · 600 ms · context: 7 tokens reused, 3 computed"


def test_control_characters_are_shown_and_not_sent():
    assert visible("a\x1b[2J\tb\r\nc\x7f\x9b") == "a␛[2J\tb\nc␡\ufffd"
