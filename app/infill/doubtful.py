"""Judged paragraphs, which of their words are marked, and where they end up after edits. Pure values."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from app.editor.edits import Edit
from engine.types import TextSpan, WordDoubt

LEAST_DOUBT = 8.0
"""Nats (`WordDoubt.doubt`) below which no word is marked, however unlikely it is."""
LEVELS = (10.0, 13.0)
"""Nats from which a word has heat 2, and 3."""
ONE_IN = 20
"""Of so many words at most one is marked: a small model doubts many words that are right."""
ALWAYS = 3
"""But so many may be, in however short a text."""


@dataclass(frozen=True, slots=True)
class DoubtfulWord:
    """A word of the document at `span`, with what the engine says of it."""

    span: TextSpan
    word: WordDoubt

    @property
    def level(self) -> int:
        """Its heat: 1, 2 or 3."""
        return 1 + sum(self.word.doubt >= limit for limit in LEVELS)


@dataclass(frozen=True, slots=True)
class JudgedParagraph:
    """A paragraph of the document, how many words it has, and which of them might be marked."""

    span: TextSpan
    count: int
    words: tuple[DoubtfulWord, ...]

    @classmethod
    def of(cls, span: TextSpan, origin: int, words: Sequence[WordDoubt], threshold: float) -> JudgedParagraph:
        """Args: origin: where the judged text begins in the document. threshold: a probability."""
        doubtful = tuple(
            DoubtfulWord(TextSpan(origin + word.start, origin + word.end), word)
            for word in words
            if word.log_likelihood < math.log(threshold) and word.doubt >= LEAST_DOUBT
        )
        return cls(span, len(words), doubtful)

    def with_only(self, words: Collection[DoubtfulWord]) -> JudgedParagraph:
        """The paragraph without its other doubtful words."""
        return replace(self, words=tuple(word for word in self.words if word in words))

    def after(self, edit: Edit) -> JudgedParagraph | None:
        """The paragraph after an edit, or None when the edit was in it or at its border."""
        if edit.start <= self.span.end and edit.end >= self.span.start:
            return None
        return self._moved(edit, self.words)

    def with_word_replaced(self, edit: Edit) -> JudgedParagraph:
        """The paragraph after a doubtful word in it was replaced: its other words keep their marks."""
        if edit.start > self.span.end or edit.end < self.span.start:
            return self._moved(edit, self.words)
        kept = tuple(word for word in self.words if not edit.touches(word.span))
        return replace(
            self,
            span=TextSpan(self.span.start, self.span.end + edit.growth),
            words=tuple(replace(word, span=edit.moved(word.span)) for word in kept),
        )

    def _moved(self, edit: Edit, words: Iterable[DoubtfulWord]) -> JudgedParagraph:
        moved = tuple(replace(word, span=edit.moved(word.span)) for word in words)
        return replace(self, span=edit.moved(self.span), words=moved)


def marked(judged: Iterable[JudgedParagraph]) -> list[DoubtfulWord]:
    """The words to mark, ascending: the most doubtful ones, one in `ONE_IN` words or `ALWAYS`."""
    every = list(judged)
    most = max(ALWAYS, math.ceil(sum(paragraph.count for paragraph in every) / ONE_IN))
    words = [word for paragraph in every for word in paragraph.words]
    chosen = sorted(words, key=lambda word: -word.word.doubt)[:most]
    return sorted(chosen, key=lambda word: word.span.start)
