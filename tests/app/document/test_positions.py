"""Byte, code point and UTF-16 positions agree with what Python's codecs say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.document import positions
from app.document.positions import PositionIndex

SAMPLE = "naïve café 日本 😀 end"
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)
long_texts = st.builds(lambda text, times: text * times, texts, st.integers(1, 400))


def test_the_sample_of_the_editors_notes_is_counted_in_all_three_units():
    data = SAMPLE.encode()
    assert (len(data), positions.offset_of_pos(data, len(data)), positions.utf16_of_offset(SAMPLE, 19)) == (28, 19, 20)


@given(long_texts, st.data())
def test_an_offset_goes_to_its_byte_and_back(text, data):
    offset = data.draw(st.integers(0, len(text)))
    utf8 = text.encode()
    index = PositionIndex(utf8)
    assert index.pos(offset) == len(text[:offset].encode()) == positions.pos_in_text(text, offset)
    assert index.offset(index.pos(offset)) == offset
    assert positions.pos_of_offset(utf8, offset) == index.pos(offset)
    assert positions.offset_of_pos(utf8, index.pos(offset)) == offset


@given(long_texts, st.data())
def test_a_byte_inside_a_character_counts_as_the_characters_start(text, data):
    utf8 = text.encode()
    pos = data.draw(st.integers(0, len(utf8)))
    start = positions.floor_pos(utf8, pos)
    assert start <= pos <= positions.ceil_pos(utf8, pos)
    assert PositionIndex(utf8).offset(pos) == len(utf8[:start].decode()) == positions.offset_of_pos(utf8, pos)
    assert utf8[: positions.ceil_pos(utf8, pos)].decode()[: len(utf8[:start].decode())] == utf8[:start].decode()


@given(texts, st.data())
def test_an_offset_goes_to_its_utf16_unit_and_back(text, data):
    offset = data.draw(st.integers(0, len(text)))
    assert positions.offset_of_utf16(text, positions.utf16_of_offset(text, offset)) == offset


def test_a_unit_inside_a_surrogate_pair_counts_as_the_pairs_start():
    assert positions.offset_of_utf16("a😀b", 2) == 1


def test_positions_out_of_range_are_taken_to_the_nearest_end():
    index = PositionIndex("é".encode())
    assert [index.pos(-3), index.pos(9), index.offset(-3), index.offset(9)] == [0, 2, 0, 1]
    assert [PositionIndex(b"").pos(5), PositionIndex(b"abc").pos(9), PositionIndex(b"abc").offset(9)] == [0, 3, 3]
