"""Answers judged: missing lines of Python, and sentences with a wrong word, by any way to write or to score.

Nothing here knows how the answers come about; `engine.training.answering` does.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.tokenization import Tokenizer
from engine.training.questions import MissingLine, WrongWord

LINE_CAPACITY = 64
"""Positions a missing line gets: more than any has, so that the hole says nothing about it."""
LEAST_LIKELY = 5

Answer = Callable[[MissingLine, int], str]
"""(question, capacity) -> what is written there, greedily."""
Scores = Callable[[WrongWord], Sequence[tuple[int, int, float]]]
"""question -> (start, end, log-likelihood) of each token of its sentence; code points of `question.text`."""


@dataclass(frozen=True, slots=True)
class LineShares:
    """Shares of missing lines, in [0, 1]: found again exactly; that leave the file parsing; whose length is right."""

    exact: float
    parses: float
    length: float


def judge_lines(lines: Sequence[MissingLine], tokenizer: Tokenizer, answer: Answer) -> LineShares:
    """Shares of the missing lines that come back exactly, that leave the file parsing, and that are within 20 % of the
    true length (in characters) when the hole's capacity is twice the true one (in tokens)."""
    exact = parsing = length = 0
    for question in lines:
        text = answer(question, LINE_CAPACITY)
        exact += text.strip() == question.line.strip()
        parsing += _parses(question.filled(text))
        double = answer(question, 2 * len(tokenizer.encode(question.line)))
        length += abs(len(double) - len(question.line)) <= 0.2 * len(question.line)
    count = max(1, len(lines))
    return LineShares(*(round(found / count, 4) for found in (exact, parsing, length)))


def judge_words(questions: Sequence[WrongWord], scores: Scores) -> float:
    """Share of the sentences whose wrong word is among the five least likely; a word is as likely as its least likely
    token."""
    hits = 0
    for question in questions:
        tokens = scores(question)
        values = [
            min(score for left, right, score in tokens if left < word_end and right > word_start)
            for word_start, word_end in question.words
        ]
        hits += question.wrong in sorted(range(len(values)), key=values.__getitem__)[:LEAST_LIKELY]
    return round(hits / max(1, len(questions)), 4)


def chance(questions: Sequence[WrongWord]) -> float:
    """What guessing would reach in `judge_words`."""
    shares = [min(1.0, LEAST_LIKELY / len(question.words)) for question in questions]
    return round(sum(shares) / max(1, len(shares)), 4)


def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True
