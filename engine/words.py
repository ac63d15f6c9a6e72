"""The words of a text as its tokens hold them, and which of the likelier ones are told. Knows no model."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.types import Candidate, TextSpan

ALIKE = 0.8
"""How much (`difflib`) a likelier word must look like the one that stands there to be the same one without its typo."""

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_CANDIDATE = re.compile(r"\w+(?:['’]\w+)*(?: \w+(?:['’]\w+)*)?")


@dataclass(frozen=True, slots=True)
class Word:
    """A word text[start:end], and the tokens [first, last) of its passage that touch it.

    `lead` and `trail` are what these tokens hold beside it: mostly the space before the word.
    """

    start: int
    end: int
    first: int
    last: int
    text: str
    lead: str
    trail: str

    @property
    def size(self) -> int:
        """How many tokens it has."""
        return self.last - self.first

    def instead(self, written: str, text: str) -> str | None:
        """What would stand in its place, if these characters of tokens are a whole word or two between the same
        neighbors. `text`: all of it."""
        if not written.startswith(self.lead) or not written.endswith(self.trail):
            return None
        written = written[len(self.lead) : len(written) - len(self.trail)]
        if written == self.text or not _CANDIDATE.fullmatch(written):
            return None
        # The first letter of a longer word, unless the text has such a word.
        parts = [part for part in written.split() if len(part) == 1]
        return written if all(re.search(rf"\b{part}\b", text) for part in parts) else None


def words_of(text: str, span: TextSpan, ranges: Sequence[tuple[int, int]]) -> list[Word]:
    """The span's words that share no token with another one."""
    found: list[Word] = []
    index = 0
    for match in _WORD.finditer(text, span.start, span.end):
        while index < len(ranges) and ranges[index][1] <= match.start():
            index += 1
        last = index
        while last < len(ranges) and ranges[last][0] < match.end():
            last += 1
        if last == index or (found and found[-1].last > index):
            continue
        lead, trail = text[ranges[index][0] : match.start()], text[match.end() : ranges[last - 1][1]]
        found.append(Word(match.start(), match.end(), index, last, match[0], lead, trail))
    return found


def best_of(word: str, candidates: Sequence[Candidate], most: int) -> tuple[Candidate, ...]:
    """The likeliest candidates, each once, the likeliest first; the one that looks most like the word is among them."""
    likeliest: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=lambda candidate: -candidate.log_likelihood):
        likeliest.setdefault(candidate.text, candidate)
    ranked = list(likeliest.values())
    alike = max(ranked, key=lambda candidate: _likeness(word, candidate.text), default=None)
    best = ranked[:most]
    if alike is not None and alike not in best and _likeness(word, alike.text) >= ALIKE:
        best = [*best[: most - 1], alike]
    return tuple(best)


def _likeness(one: str, other: str) -> float:
    if other.endswith(f" {one}"):  # something was missing before it
        return 1.0
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()
