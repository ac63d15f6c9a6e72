"""What evaluation asks, drawn from held-out documents: missing lines of Python, sentences with a wrong word.

Nothing here looks at a model.
"""

from __future__ import annotations

import io
import random
import re
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass

from engine.training.documents import Document

_SENTENCE = re.compile(r"(?<=[.!?] )[A-Z][^.!?\n]*[.!?](?=\s)")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_AROUND = 1500
"""Characters of context on each side of a sentence."""
_NO_CODE = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.STRING}
)


@dataclass(frozen=True, slots=True)
class MissingLine:
    """A line of a file, from its first character that is no white space to its end: `text[start:end]`."""

    text: str
    start: int
    end: int

    @property
    def line(self) -> str:
        """What is to be found again."""
        return self.text[self.start : self.end]

    def filled(self, answer: str) -> str:
        """The file with `answer` in the line's place."""
        return self.text[: self.start] + answer + self.text[self.end :]


@dataclass(frozen=True, slots=True)
class WrongWord:
    """A sentence text[start:end] in which word number `wrong` was replaced; `words` are ranges in `text`."""

    text: str
    start: int
    end: int
    words: tuple[tuple[int, int], ...]
    wrong: int


def missing_lines(documents: Sequence[Document], count: int, seed: int) -> list[MissingLine]:
    """Lines of code (no comments, no lines of strings) of 8 to 100 characters, drawn evenly over all such lines."""
    found = []
    for document in documents:
        if document.is_code:
            found += [MissingLine(document.text, *span) for span in _code_lines(document.text)]
    return random.Random(seed).sample(found, min(count, len(found)))


def wrong_words(documents: Sequence[Document], count: int, seed: int) -> list[WrongWord]:
    """Sentences of 10 to 40 words from prose, one lower-case word of at least three letters replaced by one from
    another sentence (so as often as words are used), drawn evenly over the documents."""
    generator = random.Random(seed)
    prose = [document.text for document in documents if not document.is_code]
    sentences = [(text, match.span()) for text in prose for match in _SENTENCE.finditer(text)]
    sentences = [entry for entry in sentences if 10 <= len(_WORD.findall(entry[0], *entry[1])) <= 40]
    chosen = generator.sample(sentences, min(count, len(sentences)))
    pool = [word for text, span in chosen for word in _WORD.findall(text, *span) if _can_change(word)]
    found = []
    for text, (start, end) in chosen:
        words = [match.span() for match in _WORD.finditer(text, start, end)]
        places = [place for place, span in enumerate(words) if _can_change(text[slice(*span)])]
        if not places or not pool:
            continue
        place = generator.choice(places)
        left, right = words[place]
        others = [word for word in generator.choices(pool, k=50) if word != text[left:right]]
        if not others:
            continue
        window = max(0, start - _AROUND)
        changed = text[window:left] + others[0] + text[right : end + _AROUND]
        moved, grown = -window, len(others[0]) - (right - left)
        spans = [
            (a + moved + grown * (number > place), b + moved + grown * (number >= place))
            for number, (a, b) in enumerate(words)
        ]
        found.append(WrongWord(changed, start + moved, end + moved + grown, tuple(spans), place))
    return found


def _can_change(word: str) -> bool:
    return len(word) >= 3 and word.islower() and word.isalpha()


def _code_lines(text: str) -> list[tuple[int, int]]:
    """Ranges of the lines that hold code, without their indentation."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    inside = {line for token in tokens if token.type == tokenize.STRING and token.start[0] != token.end[0]
              for line in range(token.start[0], token.end[0] + 1)}  # fmt: skip
    wanted = {token.start[0] for token in tokens if token.type not in _NO_CODE} - inside
    spans, offset = [], 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        stripped = line.strip()
        if number in wanted and 8 <= len(stripped) <= 100 and sum(map(str.isalnum, stripped)) >= 4:
            start = offset + len(line) - len(line.lstrip())
            spans.append((start, offset + len(line.rstrip("\n"))))
        offset += len(line)
    return spans
