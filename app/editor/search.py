"""Where a term stands in a text, and what would replace it. Pure, and of the standard library only: regular
expressions are tried in a process of their own (`app.editor.search_process`), which must start fast.

Patterns are Python's (`re`, with MULTILINE). They see every line end as one `\\n`; offsets are code points of the text
as it is.
"""

from __future__ import annotations

import re
import warnings
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

Range = tuple[int, int]
"""Half-open, in code points."""

_TOGETHER = 256
"""Found places between two steps of a search."""
_STRETCH = 32_768
"""Code points between two steps of a search for words."""
_LOOK_AHEAD = 4
"""At least so many code points behind a place decide whether it is a whole word."""
_NOT_IN_A_WORD_BEFORE = r"(?:(?!\w)|(?<!\w)(?!(?<=[nN]['’])[tT](?!\w)))"
_NOT_IN_A_WORD_BEHIND = r"(?:(?<!\w)|(?!\w)(?!(?<=[nN])['’][tT](?!\w)))"
"""An apostrophe ends a word, so that `Anna` is found in `Anna's`, but `n't` is never cut in two."""


class BadPatternError(ValueError):
    """A pattern or a replacement that cannot be understood; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for."""

    term: str
    match_case: bool = False
    whole_word: bool = False
    is_regex: bool = False


@dataclass(frozen=True, slots=True)
class SearchJob:
    """One search, with all that its result depends on but the text.

    Attributes:
        within: the ranges that are searched, ascending and disjoint; None searches everything. The end of one counts
            as the end of the text.
        template: asks for the text that replaces each found place; groups as `re` writes them for a regular expression.
        only: asks for this found place alone.
    """

    query: Query
    within: tuple[Range, ...] | None = None
    template: str | None = None
    only: Range | None = None


class Matches:
    """The found places of a text, ascending and disjoint; empty ones are possible."""

    def __init__(self, starts: array[int] | None = None, ends: array[int] | None = None) -> None:
        self.starts = starts if starts is not None else array("q")
        self.ends = ends if ends is not None else array("q")

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> Range:
        return self.starts[index], self.ends[index]

    def index_of(self, place: Range) -> int | None:
        """Which one is exactly there."""
        for index in range(bisect_left(self.starts, place[0]), len(self)):
            if self[index] == place:
                return index
            if self.starts[index] > place[0]:
                break
        return None

    def first_from(self, offset: int) -> int | None:
        """The first one that begins there or later."""
        index = bisect_left(self.starts, offset)
        return index if index < len(self) else None

    def last_before(self, offset: int) -> int | None:
        """The last one that ends there or earlier."""
        index = bisect_right(self.ends, offset) - 1
        return index if index >= 0 else None

    def between(self, start: int, end: int) -> range:
        """Those that have something in a range."""
        return range(bisect_right(self.ends, start), bisect_left(self.starts, end))


class Haystack:
    """A text as patterns see it."""

    def __init__(self, text: str) -> None:
        self.text, self._pairs = text, list[int]()
        if "\r" in text:
            self._pairs = [match.start() - count for count, match in enumerate(re.finditer("\r\n", text))]
            self.text = text.replace("\r\n", "\n").replace("\r", "\n")
        self._pairs_behind = [index + count + 2 for count, index in enumerate(self._pairs)]

    def offset(self, index: int) -> int:
        """Where a place of `text` is in the text as it is: never between CR and LF."""
        return index + bisect_left(self._pairs, index) if self._pairs else index

    def index(self, offset: int) -> int:
        """The reverse; between CR and LF counts as before both."""
        return self._index(offset) if self._pairs else offset

    def _index(self, offset: int) -> int:
        count = bisect_right(self._pairs_behind, offset)
        is_between = count < len(self._pairs) and offset == self._pairs_behind[count] - 1
        return offset - count - is_between


class Search:
    """A search on its way: `steps` does it, bit by bit."""

    def __init__(self, job: SearchJob, haystack: Haystack) -> None:
        """Raises BadPatternError for what is no pattern."""
        self._job, self._haystack = job, haystack
        self._pattern = compile_query(job.query)
        self.matches = Matches()
        self.texts: list[str] = []
        """What replaces each found place, if that was asked for."""

    def steps(self) -> Iterator[None]:
        """Finds some more places with every step. Raises BadPatternError for what is no replacement."""
        haystack, matches, template = self._haystack, self.matches, self._job.template
        for match in self._found():
            if match is not None:
                matches.starts.append(haystack.offset(match.start()))
                matches.ends.append(haystack.offset(match.end()))
                if template is not None:
                    self.texts.append(self._expanded(match, template))
            if match is None or len(matches) % _TOGETHER == 0:
                yield

    def run(self) -> Search:
        """All of it at once."""
        for _ in self.steps():
            pass
        return self

    def _found(self) -> Iterator[re.Match[str] | None]:
        """None: there may be more, but not in the stretch that was searched last."""
        index, only = self._haystack.index, self._job.only
        whole = ((0, self._haystack.offset(len(self._haystack.text))),)
        for start, end in self._job.within if self._job.within is not None else whole:
            if only is not None and not start <= only[0] <= only[1] <= end:
                continue
            first, last = index(only[0] if only is not None else start), index(end)
            for match in self._in_range(first, last):
                if match is not None and self._cuts_a_word(match, last):
                    continue
                if only is None or match is None:
                    yield match
                elif match.span() == (first, index(only[1])):
                    yield match
                    return
                elif match.start() > first:
                    return

    def _in_range(self, first: int, last: int) -> Iterator[re.Match[str] | None]:
        """Words are looked for in one stretch after the other: what is found of them is as long as they are."""
        text, query = self._haystack.text, self._job.query
        if query.is_regex:
            yield from self._pattern.finditer(text, first, last)
            return
        reach, at = len(query.term) + _LOOK_AHEAD, first
        while at < last:
            border = further = at + _STRETCH
            for match in self._pattern.finditer(text, at, min(last, border + reach)):
                if match.start() >= border:
                    break
                further = max(border, match.end())
                yield match
            at = further
            yield None

    def _cuts_a_word(self, match: re.Match[str], last: int) -> bool:
        """Whether the end of what is searched, behind which patterns cannot look, is the middle of a word."""
        text = self._haystack.text
        return self._job.query.whole_word and match.end() == last < len(text) and not _BEHIND.match(text, last)

    def _expanded(self, match: re.Match[str], template: str) -> str:
        if not self._job.query.is_regex:
            return template
        try:
            return match.expand(template)
        except (re.error, IndexError) as error:
            raise BadPatternError(f"This cannot be a replacement: {error}.") from error


_BEHIND = re.compile(_NOT_IN_A_WORD_BEHIND)


def compile_query(query: Query) -> re.Pattern[str]:
    """The pattern that finds it. Raises BadPatternError."""
    flags = re.MULTILINE if query.match_case else re.MULTILINE | re.IGNORECASE
    source = query.term if query.is_regex else re.escape(query.term)
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            plain = re.compile(source, flags)
            if not query.whole_word:
                return plain
            source = _LEADING_FLAGS.sub("", source)  # they are in `plain.flags`
            line_end = "\n" if plain.flags & re.VERBOSE else ""  # a comment may be last
            return re.compile(f"{_NOT_IN_A_WORD_BEFORE}(?:{source}{line_end}){_NOT_IN_A_WORD_BEHIND}", plain.flags)
    except (re.error, OverflowError, RecursionError, ValueError) as error:
        raise BadPatternError(f"This is no pattern: {_reason(error)}.") from error


_LEADING_FLAGS = re.compile(r"^(?:\(\?[aiLmsux]+\))+")


def _reason(error: Exception) -> str:
    if isinstance(error, re.error):
        what = error.msg.removesuffix(", unterminated subpattern")
        return what if error.pos is None else f"{what} (character {error.pos + 1})"
    if isinstance(error, ValueError):
        return str(error)
    return "it is too long" if isinstance(error, RecursionError) else "a number in it is too large"
