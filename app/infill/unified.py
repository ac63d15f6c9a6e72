"""Changes of a text as a unified diff. Pure; difflib's, on the lines around the changes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

_CONTEXT = 3
_LINE_END = re.compile(r"\r\n|\r|\n")
_HEAD = re.compile(r"^@@ -(\d+)((?:,\d+)?) \+(\d+)((?:,\d+)?) @@")
_NO_LINE_END = "\n\\ No newline at end of file\n"


def unified_diff(text: str, changes: Sequence[tuple[int, int, str]], name: str) -> str:
    """What the changes (start, end, new text; ascending, disjoint) do to a file of this name.

    Lines end with LF in the diff, as the editor shows them; a last line without an end is marked as git does.
    """
    if not changes:
        return ""
    starts = [0, *(found.end() for found in _LINE_END.finditer(text, 0, changes[0][0]))]
    skipped = max(0, len(starts) - 1 - _CONTEXT)
    start, end = starts[skipped], _lines_ahead(text, changes[-1][1])
    before, after = text[start:end], _changed(text, changes, start, end)
    lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}", n=_CONTEXT)
    return "".join(_shifted(line, skipped) for line in lines)


def _changed(text: str, changes: Sequence[tuple[int, int, str]], start: int, end: int) -> str:
    parts, done = [], start
    for first, last, new in changes:
        parts += [text[done:first], new]
        done = last
    return "".join([*parts, text[done:end]])


def _lines(text: str) -> list[str]:
    """Lines with their ends as LF; only these end a line, not the other characters that `splitlines` takes for ends."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = plain.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _shifted(line: str, skipped: int) -> str:
    """A line of the diff, with the numbers of a head counted from the start of the whole text."""
    head = _HEAD.match(line)
    if head is not None:
        return f"@@ -{int(head[1]) + skipped}{head[2]} +{int(head[3]) + skipped}{head[4]} @@\n"
    return line if line.endswith("\n") else line + _NO_LINE_END


def _lines_ahead(text: str, place: int) -> int:
    """Where the last line of context behind `place` ends."""
    for _ in range(_CONTEXT + 1):
        found = _LINE_END.search(text, place)
        if found is None:
            return len(text)
        place = found.end()
    return place
