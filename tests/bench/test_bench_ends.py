"""That the benchmark of ends still runs, in miniature."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.training.documents import Document
from engine.training.questions import MissingLine
from tests.bench.bench_ends import Way, breaks_word, ends_unknown, measure
from tests.engine.tiny import load_tiny, write_checkpoint

PROSE = "The old house stood at the end of the lane. Nobody had lived there for many years, or so they said. " * 8
CODE = "first_name = 1\nsecond_name = first_name + 1\nthird_name = second_name\n"


@pytest.mark.bench
def test_every_kind_of_text_has_a_row_for_each_way(tmp_path: Path) -> None:
    adapter = load_tiny(write_checkpoint(tmp_path / "tiny", context_length=1024))
    documents = [Document("text", "a", PROSE), Document("python", "b", CODE)]
    rows = measure(adapter, documents, 1, 2, Way(redraw=True, steps=4))
    ways = ("drawn once", "drawn again", "true text")
    assert [(row["text"], row["ends"]) for row in rows] == [(text, way) for text in ("prose", "Python") for way in ways]
    assert [row["holes"] for row in rows] == [3, 3, 3, 2, 2, 2]
    assert rows[5]["parses_percent"] == rows[2]["near_length_percent"] == 100.0


def test_a_word_that_is_joined_with_the_next_is_broken() -> None:
    question = MissingLine("one two three", 4, 8)
    assert breaks_word(question, "f")
    assert not breaks_word(question, "for ")
    assert ends_unknown(question, "for f", frozenset({"for", "three"}))
    assert not ends_unknown(question, "for ", frozenset({"for", "three"}))
