"""Words of a proposed text that are locked or masked again: what another run leaves alone and what it writes. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.editor.edits import merged
from engine.types import TextSpan

_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]+")


class Mark(StrEnum):
    """What is done with words."""

    LOCK = "lock"
    """They stay as they are."""
    MASK = "mask"
    """They are written anew."""
    CLEAR = "clear"
    """Nothing is said of them."""


@dataclass(frozen=True, slots=True)
class WordMarks:
    """Of one text: disjoint ranges of whole words, ascending."""

    locked: tuple[TextSpan, ...] = ()
    masked: tuple[TextSpan, ...] = ()

    def marked(self, text: str, span: TextSpan, mark: Mark) -> WordMarks:
        """With the words that a range touches marked so; they had another mark before, or none."""
        words = [TextSpan(*found.span()) for found in _WORD.finditer(text) if _touches(span, found)]
        if not words:
            return self
        whole = TextSpan(words[0].start, words[-1].end)
        locked, masked = _less(self.locked, whole), _less(self.masked, whole)
        if mark is Mark.LOCK:
            locked.append(whole)
        elif mark is Mark.MASK:
            masked.append(whole)
        return WordMarks(tuple(merged(locked)), tuple(merged(masked)))


def rewritten(texts: Sequence[str], marks: Sequence[WordMarks]) -> list[list[TextSpan]]:
    """For each text the ranges that a run writes anew: the masked words; without any, all that is not locked.

    A word goes with the space before it, as a model's tokens do.
    """
    if any(one.masked for one in marks):
        return [[_with_space(text, span) for span in one.masked] for text, one in zip(texts, marks, strict=True)]
    return [
        [span for span in _between(text, [_with_space(text, it) for it in one.locked]) if _is_written(text, span)]
        for text, one in zip(texts, marks, strict=True)
    ]


def _touches(span: TextSpan, found: re.Match[str]) -> bool:
    if span.start == span.end:
        return found.start() <= span.start <= found.end()
    return found.start() < span.end and span.start < found.end()


def _less(spans: Sequence[TextSpan], taken: TextSpan) -> list[TextSpan]:
    rest = []
    for span in spans:
        rest += [TextSpan(span.start, min(span.end, taken.start)), TextSpan(max(span.start, taken.end), span.end)]
    return [span for span in rest if span.start < span.end]


def _between(text: str, spans: Sequence[TextSpan]) -> list[TextSpan]:
    ends = [0, *(span.end for span in spans)]
    starts = [*(span.start for span in spans), len(text)]
    return [TextSpan(end, start) for end, start in zip(ends, starts, strict=True)]


def _with_space(text: str, span: TextSpan) -> TextSpan:
    return TextSpan(span.start - 1, span.end) if span.start and text[span.start - 1] == " " else span


def _is_written(text: str, span: TextSpan) -> bool:
    return bool(text[span.start : span.end].strip())
