from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.infill.context import (
    CONTINUE,
    FILL,
    INSERT,
    JOIN,
    LEAST_READ,
    MOST_AFTER,
    MOST_BEFORE,
    NothingToFillError,
    Wish,
    prepare,
    read_options,
)
from app.settings import Settings
from engine.types import InfillRequest, Mode, TextSpan

OPTIONS = InfillRequest(text="", spans=(), seed=7)
LONG = "".join(f"line {number} of a long text\n" for number in range(4000))


@dataclass
class Text:
    """A text that notes how much of it was read."""

    text: str
    read: list[int] = field(default_factory=list)

    @property
    def length(self) -> int:
        return len(self.text)

    def text_range(self, start: int, end: int) -> str:
        assert 0 <= start <= end <= len(self.text)
        self.read.append(end - start)
        return self.text[start:end]


def ask(text, *spans, wish=FILL, caret=0, extent=0):
    return prepare(Text(text), [TextSpan(*span) for span in spans], caret, wish, OPTIONS, extent)


def test_a_short_text_goes_along_as_a_whole():
    prepared = ask("one two three", (4, 7))
    assert prepared.request.text == "one two three"
    assert prepared.request.spans == (TextSpan(4, 7),)
    assert prepared.request.starts_document
    assert prepared.request.ends_document
    assert prepared.spans == (TextSpan(4, 7),)


@given(st.text(st.sampled_from("ab\r\n日😀"), max_size=60), st.data())
def test_the_request_names_the_same_text_as_the_document(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    try:
        prepared = ask(text, (start, end))
    except NothingToFillError:
        assert start == end or text[start:end] in {"\r", "\n"}
        return
    for inner, outer in zip(prepared.request.spans, prepared.spans, strict=True):
        assert prepared.request.text[inner.start : inner.end] == text[outer.start : outer.end]
        assert text[outer.start - 1 : outer.start + 1] != "\r\n" or outer.start == 0
        assert text[outer.end - 1 : outer.end + 1] != "\r\n"


@given(st.integers(0, len(LONG)), st.integers(0, 200))
def test_a_long_text_is_cut_around_the_span_at_line_ends(start, length):
    end = min(len(LONG), start + length)
    if start == end:
        return
    prepared = ask(LONG, (start, end))
    request = prepared.request
    span = request.spans[0]
    assert request.text[span.start : span.end] == LONG[start:end].rstrip("\n") or LONG[start:end] == "\n"
    assert span.start <= MOST_BEFORE
    assert len(request.text) - span.end <= MOST_AFTER
    assert request.text.startswith("line ")
    assert request.text.endswith("\n")
    assert request.starts_document == LONG.startswith(request.text)
    assert request.ends_document == LONG.endswith(request.text)


def test_typing_before_the_span_hardly_ever_moves_the_window():
    text, starts, ends = LONG, set(), set()
    for at in range(60_000, 60_500):
        request = ask(text, (at, at + 10)).request
        starts.add(request.text[:40])
        ends.add(request.text[request.spans[0].end :])
        text = text[:at] + "x" + text[at:]
    assert len(starts) <= 2
    assert len(ends) == 1


def test_only_what_is_sent_is_read():
    source = Text(LONG * 10)
    prepare(source, [TextSpan(500_000, 500_100)], 0, FILL, OPTIONS)
    assert sum(source.read) < MOST_BEFORE + MOST_AFTER + 4_000


def test_a_text_without_line_ends_is_cut_all_the_same():
    text = "日" * 50_000
    request = ask(text, (25_000, 25_010)).request
    assert request.spans[0].start <= MOST_BEFORE
    assert len(request.text) <= MOST_BEFORE + 10 + MOST_AFTER
    assert not request.starts_document
    assert not request.ends_document


def test_several_spans_become_ascending_and_merged():
    prepared = ask("0123456789", (7, 9), (1, 3), (2, 5))
    assert prepared.spans == (TextSpan(1, 5), TextSpan(7, 9))


def test_nothing_selected_is_a_sentence():
    with pytest.raises(NothingToFillError, match="Select the text to rewrite first"):
        ask("text", (2, 2))


def test_a_selection_that_is_too_long_is_a_sentence():
    with pytest.raises(NothingToFillError, match="The selection is too long"):
        ask(LONG, (0, 90_000))
    with pytest.raises(NothingToFillError, match="too far apart"):
        ask(LONG, (0, 10), (90_000, 90_010))


def test_half_a_line_end_is_left_alone():
    text = "one\r\ntwo\r\nthree"
    assert ask(text, (4, 9)).spans == (TextSpan(5, 8),)


@pytest.mark.parametrize(
    ("text", "span", "wanted"),
    [
        ("one\ntwo\nthree\n", (4, 8), (4, 7)),
        ("one\r\ntwo\r\n", (0, 5), (0, 3)),
        ("one\r\n\r\ntwo\r\n", (0, 7), (0, 3)),
        ("one\n\n\ntwo\n", (3, 5), (3, 5)),
    ],
)
def test_the_line_end_of_the_last_selected_line_stays(text, span, wanted):
    assert ask(text, span).spans == (TextSpan(*wanted),)


def test_continue_asks_at_the_caret_and_not_inside_a_line_end():
    assert ask("one\r\ntwo", caret=2, wish=CONTINUE).spans == (TextSpan(2, 2),)
    assert ask("one\r\ntwo", caret=4, wish=CONTINUE).spans == (TextSpan(3, 3),)


def test_the_options_are_those_of_the_settings(qapp):
    settings = Settings()
    settings["infill.steps"] = 9
    settings["infill.capacity"] = 0
    options = read_options(settings, seed=5)
    assert (options.steps, options.capacity, options.seed) == (9, None, 5)
    settings["infill.capacity"] = 40
    request = prepare(Text("abc"), [TextSpan(0, 1)], 0, FILL, read_options(settings, 5)).request
    assert request.capacity == 40


def test_the_number_of_variations_and_of_corrections_are_part_of_the_request(qapp):
    settings = Settings()
    settings["infill.variations"], settings["infill.correction_passes"] = 3, 2
    options = read_options(settings, 0)
    assert (options.variations, options.correction_passes) == (3, 2)


@pytest.mark.parametrize("extent", [1, 200, 900, 3_000, 18_000])
def test_less_text_is_read_where_less_is_wished_for(extent):
    first = LONG.index("line 2000")
    request = ask(LONG, (first, first + 9), extent=extent).request
    around = len(request.text) - 9
    before = request.spans[0].start
    assert around <= max(extent, LEAST_READ)
    assert before >= max(extent, LEAST_READ) // 8
    assert request.text[before : before + 9] == "line 2000"
    assert not request.starts_document


def test_typing_before_the_span_seldom_moves_the_window_of_a_small_extent():
    first = LONG.index("line 2000")
    starts = set()
    for typed in range(40):
        text = LONG[: first - 5] + "x" * typed + LONG[first - 5 :]
        place = first + typed
        starts.add(place - ask(text, (place, place + 4), extent=1_500).request.spans[0].start)
    assert len(starts) <= 2


def test_more_than_can_be_read_at_most_is_no_more():
    first = LONG.index("line 2000")
    assert ask(LONG, (first, first + 4), extent=10**6) == ask(LONG, (first, first + 4))


def test_longer_and_shorter_are_asked_for_by_a_factor():
    request = ask("one two three", (4, 7), wish=Wish(Mode.FILL, length_factor=1.6)).request
    assert (request.mode, request.length_factor) == (Mode.FILL, 1.6)


def test_inserting_and_joining_fill_an_empty_span_at_the_caret_whatever_is_selected():
    inserted = ask("one two three", (4, 7), caret=3, wish=INSERT)
    assert inserted.spans == (TextSpan(3, 3),)
    assert inserted.request.mode is Mode.FILL
    joined = ask("One.\n\nTwo.", caret=5, wish=JOIN).request
    assert joined.spans == (TextSpan(5, 5),)
    assert joined.least_tokens is not None
    assert joined.least_tokens > 1


@pytest.mark.parametrize(("text", "caret"), [("One.\n\n", 5), ("\n Two.", 1), ("", 0)])
def test_only_two_passages_can_be_joined(text, caret):
    with pytest.raises(NothingToFillError, match="between the two passages"):
        ask(text, caret=caret, wish=JOIN)
