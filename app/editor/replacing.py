"""Many replacements at once: made fewer where that costs nothing, and where carets end up after them. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

Change = tuple[int, int, str]
"""Start and end in code points, and the new text."""

MOST_EDITS = 1_000
"""Of one undo step; each is told to all that follow the text."""


def gathered(
    changes: Sequence[Change], text: str, kept: Sequence[tuple[int, int]], most: int = MOST_EDITS
) -> list[Change]:
    """The same change of a text by fewer replacements, if there are more than `most`: neighbors are joined with what
    is between them, the nearest first, but never over one of the `kept` ranges.

    Args:
        changes: ascending and disjoint.
        kept: ranges that other things hold on to.
    """
    starts, ends = sorted(start for start, _ in kept), sorted(end for _, end in kept)
    result, reach = list(changes), 4
    while len(result) > most and reach < 4 * len(text):
        joined: list[tuple[int, int, list[str]]] = []
        for start, end, new in result:
            last = joined[-1][1] if joined else -1
            is_free = bisect_right(ends, last) >= bisect_left(starts, start)
            if joined and start - last <= reach and is_free:
                joined[-1][2].extend((text[last:start], new))
                joined[-1] = joined[-1][0], end, joined[-1][2]
            else:
                joined.append((start, end, [new]))
        result, reach = [(start, end, "".join(parts)) for start, end, parts in joined], 4 * reach
    return result


def carried(offsets: Sequence[int], changes: Sequence[Change]) -> list[int]:
    """Where these offsets are after the changes: inside a replaced place, behind its new text."""
    starts = [start for start, _, _ in changes]
    growths = list(accumulate((len(new) - (end - start) for start, end, new in changes), initial=0))
    result = []
    for offset in offsets:
        count = bisect_left(starts, offset)  # those that begin before it
        end = changes[count - 1][1] if count else 0
        result.append(max(offset, end) + growths[count])
    return result
