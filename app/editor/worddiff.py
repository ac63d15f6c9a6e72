"""Two texts compared word by word. Pure; the matching is difflib's, on words, with white space as its junk."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

_NO_SPACES = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Scripts without spaces between words: each character counts as one."""
_WORD = rf"[{_NO_SPACES}]|(?:(?![{_NO_SPACES}])\w)+(?:['’]\w+)*"
_TOKEN = re.compile(rf"{_WORD}|\r\n|[^\S\r\n]+|\s|[^\w\s]")
_SPACED_WORD = re.compile(r"\s*\S+")
_NEXT_WORD = re.compile(rf"\s*(?:(?:{_WORD})[,.;:!?…]*|[^\w\s]+)(?:\s+\Z)?|\s+")
_NEXT_LINE = re.compile(r"\s*[^\r\n]*(?:\r\n|\r|\n)?")
_MOST_PAIRS = 2_000_000
"""Equal pairs of words above which the commonest words are left out of the matching, which would take seconds."""


@dataclass(frozen=True, slots=True)
class WordPiece:
    """A stretch of both texts: equal, or `old` was replaced by `new` (either may be empty)."""

    old: str
    new: str

    @property
    def is_equal(self) -> bool:
        """Whether both texts have it."""
        return self.old == self.new


@lru_cache(maxsize=128)
def diff_words(old: str, new: str) -> tuple[WordPiece, ...]:
    """The pieces in order: their `old` joined is the old text, their `new` the new one."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    matcher = SequenceMatcher(str.isspace, before, after, autojunk=_pairs(before, after) > _MOST_PAIRS)
    pieces = (
        WordPiece("".join(before[first:last]), "".join(after[start:end]))
        for _, first, last, start, end in matcher.get_opcodes()
    )
    return tuple(piece for piece in pieces if piece.old or piece.new)


def next_word(text: str) -> str:
    """The beginning of the text up to the end of its first word, with the punctuation that follows at once."""
    found = _NEXT_WORD.match(text)
    return found.group() if found else text


def next_line(text: str) -> str:
    """The beginning of the text up to the end of its first line that is not blank, with the line end."""
    found = _NEXT_LINE.match(text)
    return found.group() if found else text


def stands_for(old: str, new: str, taken: int) -> int:
    """How many first characters of `old` the first `taken` characters of `new` take the place of.

    Inside a stretch that was rewritten, word stands for word, and the stretch's last word for all that is left.
    """
    if taken >= len(new):
        return len(old)
    done_old = done_new = 0
    for piece in diff_words(old, new):
        left = taken - done_new
        if left <= 0:
            break
        if left < len(piece.new):
            return done_old + (left if piece.is_equal else _first_words(piece.old, piece.new[:left]))
        done_old += len(piece.old)
        done_new += len(piece.new)
    return done_old


def _first_words(old: str, taken: str) -> int:
    """The length of as many words of `old` as `taken` has."""
    ends = [found.end() for found in _SPACED_WORD.finditer(old)]
    count = min(len(_SPACED_WORD.findall(taken)), len(ends))
    return ends[count - 1] if count else 0


def _pairs(before: Sequence[str], after: Sequence[str]) -> int:
    counts = Counter(after)
    return sum(count * counts[word] for word, count in Counter(before).items() if not word.isspace())
