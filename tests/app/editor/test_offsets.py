from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editor import offsets
from app.editor.offsets import OffsetIndex

characters = st.text(st.sampled_from("ab\r\n\0é日😀\u0301\ufffe"), max_size=30)


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    """Blocks so small that characters are cut by their borders."""
    before, offsets.BLOCK = offsets.BLOCK, 5
    yield
    offsets.BLOCK = before


class Text:
    """A text of bytes with its index."""

    def __init__(self, text):
        self.data = text.encode()
        self.index = OffsetIndex(lambda start, end: self.data[start:end])
        self.index.load(self.data)

    def replace(self, start, end, new):
        removed, self.data = self.data[start:end], self.data[:start] + self.data[end:]
        self.index.deleted(start, removed)
        self.data = self.data[:start] + new + self.data[start:]
        self.index.inserted(start, new)

    def check(self):
        text = self.data.decode()
        assert self.index.length == len(text)
        for offset in range(len(text) + 1):
            pos = len(text[:offset].encode())
            assert self.index.pos(offset) == pos
            assert self.index.offset(pos) == offset
        assert self.index.pos(len(text) + 5) == len(self.data)
        assert self.index.pos(-1) == 0


@given(characters)
def test_positions_and_offsets_of_a_text_answer_each_other(text):
    Text(text).check()


@given(characters, st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), characters), max_size=6))
def test_counts_stay_right_through_edits(text, edits):
    it = Text(text)
    for first, second, new in edits:
        now = it.data.decode()
        start, end = sorted((min(first, len(now)), min(second, len(now))))
        it.replace(len(now[:start].encode()), len(now[:end].encode()), new.encode())
        it.check()


@given(characters, st.integers(0, 40), st.integers(0, 6), characters)
def test_counts_stay_right_even_when_an_edit_cuts_characters_in_between(text, start, removed, new):
    it = Text(text)
    start = min(start, len(it.data))
    before = it.data
    it.replace(start, start + removed, b"")
    removed_bytes = before[start : start + removed]
    it.replace(start, start, removed_bytes)
    it.replace(start, start, b"")
    it.check()
