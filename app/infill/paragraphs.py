"""Paragraphs of a text, and what is judged of them: a window of text with one paragraph in it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from app.infill.context import TextSource
from engine.types import DoubtRequest, TextSpan

LARGEST = 1_200
"""Characters of a paragraph; a longer one is cut between words."""
BEFORE, AFTER = 1_000, 600
"""Characters around a paragraph that its words are judged by."""

_BLOCK = re.compile(r"[^\S\r\n]*\S(?:[^\r\n]|\r?\n(?!\s*?\r?\n))*")
_PART = re.compile(rf"\s*\S[\s\S]{{0,{LARGEST - 1}}}(?!\S)|\S{{1,{LARGEST}}}")


def paragraphs(source: TextSource, spans: Sequence[TextSpan]) -> list[TextSpan]:
    """The paragraphs in these spans, ascending: what stands between blank lines."""
    found: list[TextSpan] = []
    for span in spans:
        text = source.text_range(span.start, span.end)
        parts = (part for block in _BLOCK.finditer(text) for part in _PART.finditer(text, block.start(), block.end()))
        found += [TextSpan(span.start + part.start(), span.start + part.end()) for part in parts]
    return found


def nearest_first(found: Iterable[TextSpan], first: int) -> list[TextSpan]:
    """The paragraphs from the one at offset `first` on, then those before it, from there upwards."""
    ordered = sorted(found, key=lambda span: span.start)
    after = [span for span in ordered if span.end > first]
    return after + ordered[: len(ordered) - len(after)][::-1]


def request_for(source: TextSource, paragraph: TextSpan, threshold: float) -> DoubtRequest:
    """What to ask of the engine for a paragraph. Equal requests have equal answers, so it is the answer's key too."""
    start = max(0, paragraph.start - BEFORE)
    end = min(source.length, paragraph.end + AFTER)
    return DoubtRequest(
        source.text_range(start, end),
        TextSpan(paragraph.start - start, paragraph.end - start),
        threshold=threshold,
        starts_document=start == 0,
        ends_document=end == source.length,
    )
