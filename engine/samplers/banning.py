"""Words that are never written: single tokens, and runs of tokens that no step may complete.

A canvas is not written from left to right, so a run is held back wherever its last missing token would be drawn. Of
several tokens of a run that are drawn in one step only the last position is watched, which is enough.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.canvas import Canvas
from engine.tokenization import Tokenizer


@dataclass(frozen=True, slots=True)
class Bans:
    """Ids that are never written, and runs of ids (two or more) that never stand side by side."""

    tokens: tuple[int, ...] = ()
    runs: tuple[tuple[int, ...], ...] = ()


def bans_of(tokenizer: Tokenizer, words: Sequence[str]) -> Bans:
    """What must not be written for `words` never to appear, in this spelling, at the start of a line or after a space.

    A word counts as whole: to ban "art" leaves "party" alone, as far as one token holds all of it.
    """
    wanted = [word.strip() for word in words if word.strip()]
    if not wanted:
        return Bans()
    pattern = re.compile("|".join(_whole(word) for word in wanted))
    pieces = tokenizer.decode_pieces(range(tokenizer.vocab_size))
    tokens = [index for index, piece in enumerate(pieces) if pattern.search(piece.decode("utf-8", errors="replace"))]
    spelled = [tuple(tokenizer.encode(form)) for word in wanted for form in (word, f" {word}")]
    return Bans(tuple(tokens), tuple(dict.fromkeys(run for run in spelled if len(run) > 1)))


def forbidden_at(canvas: Canvas, positions: Sequence[int], runs: Sequence[tuple[int, ...]]) -> list[set[int]]:
    """For each of the positions that are drawn together: the tokens that would complete one of the runs there."""
    drawn = set(positions)
    found = []
    for position in positions:
        row = set()
        for run in runs:
            for index, token in enumerate(run):
                others = ((position - index + place, other) for place, other in enumerate(run) if place != index)
                if all(_may_hold(canvas, drawn, at, other, position) for at, other in others):
                    row.add(token)
        found.append(row)
    return found


def _may_hold(canvas: Canvas, drawn: set[int], at: int, token: int, watched: int) -> bool:
    """Whether `token` stands at a position, or may be drawn there in this step, before the watched one."""
    return canvas.token_at(at) == token or (at in drawn and at < watched)


def _whole(word: str) -> str:
    left = r"(?<!\w)" if word[0].isalnum() else ""
    right = r"(?!\w)" if word[-1].isalnum() else ""
    return f"{left}{re.escape(word)}{right}"
