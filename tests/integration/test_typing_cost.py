"""Typing right before a hole in a long document, from the editor's window of text to the tokens that are computed."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.infill.context import FILL, prepare
from engine.cache import BLOCK
from engine.runner import Runner
from engine.session import Job
from engine.types import InfillRequest, Prewarmed, TextSpan
from tests.engine.tiny import load_tiny, write_checkpoint

LONG = "".join(f"line {number} of a text that no model's context holds\n" for number in range(2000))
TYPED = "a note, written here"


@dataclass(frozen=True)
class Text:
    text: str

    @property
    def length(self) -> int:
        return len(self.text)

    def text_range(self, start: int, end: int) -> str:
        return self.text[start:end]


@pytest.mark.parametrize("line", [300, 1000, 1999])
def test_a_letter_computes_a_block_at_most_and_the_window_moves_seldom(tmp_path: Path, line: int) -> None:
    runner = Runner(load_tiny(write_checkpoint(tmp_path / "model", context_length=1024, suffix_grid=64)))
    options = InfillRequest(text="", spans=(), capacity=32)
    start = LONG.index(f"line {line} ")
    end = LONG.index("\n", start)
    computed = []
    for count in range(len(TYPED) + 1):
        text = Text(LONG[:start] + TYPED[:count] + LONG[start:])
        request = prepare(text, [TextSpan(start + count, end + count)], 0, FILL, options).request
        warmed = runner.prewarm(Job(1, ""), request)
        assert isinstance(warmed, Prewarmed)
        assert warmed.stats.computed_tokens + warmed.stats.reused_tokens <= 1024
        computed.append(warmed.stats.computed_tokens)
    assert computed[0] > 600
    assert statistics.median(computed[1:]) <= BLOCK
    # 20 letters of one token each: a window moves by 64 tokens at once, and the text after the hole by 64 positions.
    assert sum(tokens > 2 * BLOCK for tokens in computed[1:]) <= 2
