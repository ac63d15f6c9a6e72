from __future__ import annotations

from app.infill.paragraphs import AFTER, BEFORE, LARGEST, nearest_first, paragraphs, request_for
from engine.types import TextSpan


class Source:
    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def length(self) -> int:
        return len(self.text)

    def text_range(self, start: int, end: int) -> str:
        return self.text[start:end]


def texts(text: str, *spans: TextSpan) -> list[str]:
    found = paragraphs(Source(text), spans or [TextSpan(0, len(text))])
    return [text[span.start : span.end] for span in found]


def test_blank_lines_divide_paragraphs():
    assert texts("\n\none\nand on\n \t\n\n  two\r\nmore\r\n\r\nthree\n") == ["one\nand on", "  two\r\nmore", "three\n"]


def test_only_what_is_in_the_spans_counts():
    assert texts("one two\n\nthree four", TextSpan(4, 7), TextSpan(9, 14)) == ["two", "three"]


def test_a_long_paragraph_is_cut_between_words():
    parts = texts("word " * 1000)
    assert all(len(part) <= LARGEST + 1 for part in parts)
    assert "".join(parts).split() == ["word"] * 1000
    assert not any(part.strip().startswith("ord") for part in parts)


def test_the_visible_part_comes_first():
    spans = [TextSpan(0, 3), TextSpan(5, 8), TextSpan(10, 13), TextSpan(15, 18)]
    assert [span.start for span in nearest_first(spans, 10)] == [10, 15, 5, 0]


def test_a_request_holds_the_paragraph_and_a_window_around_it():
    text = "a" * 3000 + " here " + "b" * 3000
    request = request_for(Source(text), TextSpan(3001, 3005), 0.001)
    assert request.span is not None
    assert request.text[request.span.start : request.span.end] == "here"
    assert len(request.text) == BEFORE + 4 + AFTER
    assert not request.starts_document
    assert not request.ends_document
