"""Where the holes of a training sample are cut: at character offsets, as a user selects text.

Code gives lines, expressions, blocks and function bodies; prose gives words, phrases, sentences and paragraphs; both
give spans that begin and end anywhere. One cut in six is moved by a few characters, into a word if need be: where
most holes end at the end of a line or sentence, a small model learns to end its own there.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np

Span: TypeAlias = tuple[int, int]
"""Half-open range of code points in a window."""
Cutter: TypeAlias = Callable[[str, np.random.Generator], Span | None]

MAX_HOLE = 640
"""Characters; about 150 tokens."""
_JITTER = 1 / 6

_LINE = re.compile(r"[^\n]*\S[^\n]*")
_SENTENCE_END = re.compile(r"[.!?\n](?:(?<=\n)\n*|(?<!\n)[\"”’')]*(?=\s))")
"""An end mark with quotes that close, or line ends: written so that the search can leap to the first character."""
_EXPRESSION = re.compile(r"(?<=[ (])(?:(?<== )[^\n]+|(?<=return )[^\n]+|(?<=\()[^()\n]+(?=\))|(?<=if )[^\n:]+(?=:))")
_DEFINITION = re.compile(r"^[ \t]*(?:async )?def [^\n]*:\n|^[ \t]*\) ?(?:->[^\n]*)?:\n", re.MULTILINE)


def one_hole(text: str, is_code: bool, generator: np.random.Generator, longest: int = MAX_HOLE) -> Span:
    """A hole in `text`, never empty (the text must not be) and at most `longest` characters."""
    cutters, shares = _CODE if is_code else _PROSE
    for _ in range(4):
        cutter = cutters[bisect_left(shares, generator.random())]
        span = cutter(text, generator)
        if span is not None and span[1] > span[0]:
            if cutter is not any_span and generator.random() < _JITTER:
                span = _jittered(span, len(text), generator)
            return span[0], min(span[1], span[0] + longest)
    start, end = any_span(text, generator)
    return start, min(end, start + longest)


def several_holes(text: str, is_code: bool, generator: np.random.Generator) -> list[Span]:
    """Two to four short holes with context between them (fewer where the text is too short)."""
    found: list[Span] = []
    for _ in range(int(generator.integers(2, 5)) + 2):
        start, end = one_hole(text, is_code, generator, longest=200)
        if all(end + 2 < other[0] or other[1] + 2 < start for other in found):
            found.append((start, end))
    return sorted(found[:4])


def any_span(text: str, generator: np.random.Generator) -> Span:
    """Any characters at all, 1 to 500, short spans likelier."""
    length = min(len(text), int(np.exp(generator.uniform(0, np.log(500)))))
    start = int(generator.integers(0, len(text) - length + 1))
    return start, start + length


def lines(text: str, generator: np.random.Generator) -> Span | None:
    """One to a few whole lines, with or without the first one's indentation, without the last line end."""
    matches = _matches(_LINE, text)
    if not matches:
        return None
    first = int(generator.integers(len(matches)))
    count = 1 if generator.random() < 0.75 else int(generator.integers(2, 7))
    last = matches[min(first + count, len(matches)) - 1]
    match = matches[first]
    indentation = len(match[0]) - len(match[0].lstrip())
    skip = indentation if generator.random() < 0.6 else 0
    return match.start() + skip, last.end()


def expression(text: str, generator: np.random.Generator) -> Span | None:
    """What stands after = or return, in parentheses, or in a condition."""
    return _one_of(_EXPRESSION, text, generator)


def block(text: str, generator: np.random.Generator) -> Span | None:
    """A line and all that follow with at least its indentation."""
    matches = _matches(_LINE, text)
    return _block_from(matches, int(generator.integers(len(matches)))) if matches else None


def body(text: str, generator: np.random.Generator) -> Span | None:
    """The body of a function."""
    definition = _one_of(_DEFINITION, text, generator)
    if definition is None:
        return None
    return _block_from(list(_LINE.finditer(text, definition[1])), 0)


def words(text: str, generator: np.random.Generator) -> Span | None:
    """One to three words."""
    return _words(text, generator, 1, 3)


def phrase(text: str, generator: np.random.Generator) -> Span | None:
    """Three to fifteen words."""
    return _words(text, generator, 3, 15)


def sentence(text: str, generator: np.random.Generator) -> Span | None:
    """One to three sentences."""
    ends = _matches(_SENTENCE_END, text)
    if len(ends) < 2:
        return None
    first = int(generator.integers(len(ends) - 1))
    count = 1 if generator.random() < 0.7 else int(generator.integers(2, 4))
    start, end = ends[first].end(), ends[min(first + count, len(ends) - 1)].end()
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def paragraph(text: str, generator: np.random.Generator) -> Span | None:
    """A line of prose, which is a paragraph in our corpus."""
    return _one_of(_LINE, text, generator)


def _words(text: str, generator: np.random.Generator, least: int, most: int) -> Span | None:
    count = len(text.split())
    if not count:
        return None
    first = int(generator.integers(count))
    number = min(int(generator.integers(least, most + 1)), count - first)
    start = len(text) - len(_after_words(text, first))
    after = _after_words(text[start:], number)
    return start, start + len(text[start : len(text) - len(after)].rstrip())


def _after_words(text: str, number: int) -> str:
    """What follows so many words and the white space behind them."""
    parts = text.split(None, number)
    return parts[number] if len(parts) > number else ""


def _one_of(pattern: re.Pattern[str], text: str, generator: np.random.Generator) -> Span | None:
    matches = _matches(pattern, text)
    return matches[int(generator.integers(len(matches)))].span() if matches else None


@lru_cache(maxsize=8)
def _matches(pattern: re.Pattern[str], text: str) -> Sequence[re.Match[str]]:
    """All matches; those of the last texts are kept, as several holes are cut into one text."""
    return tuple(pattern.finditer(text))


def _block_from(matches: Sequence[re.Match[str]], first: int) -> Span | None:
    if first >= len(matches):
        return None
    depth = _depth(matches[first])
    end = matches[first].end()
    for match in matches[first + 1 :]:
        if _depth(match) < depth or match.end() - matches[first].start() > MAX_HOLE:
            break
        end = match.end()
    return matches[first].start() + depth, end


def _depth(match: re.Match[str]) -> int:
    return len(match[0]) - len(match[0].lstrip())


def _jittered(span: Span, length: int, generator: np.random.Generator) -> Span:
    start = min(max(0, span[0] + int(generator.integers(-6, 7))), length - 1)
    end = min(max(start + 1, span[1] + int(generator.integers(-6, 7))), length)
    return start, end


_CODE: tuple[tuple[Cutter, ...], list[float]] = (
    (lines, expression, block, body, any_span),
    np.cumsum([0.55, 0.15, 0.12, 0.08]).tolist(),
)
_PROSE: tuple[tuple[Cutter, ...], list[float]] = (
    (words, phrase, sentence, paragraph, any_span),
    np.cumsum([0.15, 0.25, 0.40, 0.08]).tolist(),
)
"""Kinds of holes and the cumulated shares of all but the last."""
