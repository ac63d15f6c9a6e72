"""The canvas: token ids by position, which of them are masked, which are clean, and the order in which they became so.

Words: a *position* is a place on the canvas (it drives the rotary embedding); the *order* is the sequence in which
clean tokens were fed, context first, then whatever was accepted. A *hole* (`MaskedSpan`) is a run of positions to be
written; it has a capacity and an end. The end comes down to the first accepted empty token; it goes up again only where
that empty token is remasked, to the next empty token that stands in the hole, or to the end that the hole began with.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import NamedTuple

from engine.types import ContextOrder


class Placed(NamedTuple):
    """A clean token at its position."""

    token: int
    position: int


@dataclass(slots=True)
class MaskedSpan:
    """A hole: positions [start, start + capacity), written up to `end` (exclusive).

    `span` is the index of the request's span it belongs to; refine makes several holes of one span.
    """

    span: int
    start: int
    capacity: int
    end: int
    can_shrink: bool = True
    last_written: int = -1
    """The highest position that holds accepted text; an empty token cannot stand before it."""
    limit: int = -1
    """The end that the hole began with; -1: `end`."""
    least: int = 0
    """Positions that must hold text."""

    def __post_init__(self) -> None:
        if self.limit < 0:
            self.limit = self.end

    def may_end_at(self, position: int) -> bool:
        """Whether an empty token at `position` would contradict no accepted text and leave the hole long enough."""
        return self.can_shrink and position > self.last_written and position >= self.start + self.least


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of the canvas by position: clean ids, or a hole (whose ids, if any, are what stood there before).

    `span` is None for context and the request's span otherwise (refine keeps some of a span's tokens).
    """

    ids: tuple[int, ...] = ()
    span: int | None = None
    hole: bool = False
    capacity: int = 0
    limit: int | None = None
    """Most tokens to be written into the hole, where that is less than its capacity."""
    least: int = 0
    """Fewest tokens to be written into it."""


@dataclass(frozen=True, slots=True)
class Written:
    """What the run put at a position: the token, its probability, the step."""

    token: int
    probability: float
    step: int


@dataclass(slots=True)
class Canvas:
    """See the module. Made by `lay_out`; changed by `accept`, `remask`, `put_last` and `end_hole` alone.

    Attributes:
        context: clean tokens before the run, in the order they are fed.
        pieces: (position of its first token, piece), ascending.
        accepted: clean tokens added by the run, in order.
    """

    context: tuple[Placed, ...]
    pieces: tuple[tuple[int, Piece], ...]
    holes: tuple[MaskedSpan, ...]
    empty: int | None
    accepted: list[Placed] = field(default_factory=list)
    written: dict[int, Written] = field(default_factory=dict)
    _hole_at: dict[int, MaskedSpan] = field(default_factory=dict)
    _masked: list[int] = field(default_factory=list)  # kept up to date: every step asks for it

    def __post_init__(self) -> None:
        for hole in self.holes:
            for position in range(hole.start, hole.start + hole.capacity):
                self._hole_at[position] = hole
        self._look_again()

    @property
    def length(self) -> int:
        """Positions from the first to the end of the last piece."""
        start, piece = self.pieces[-1]
        return start + (piece.capacity if piece.hole else len(piece.ids))

    def hole_of(self, position: int) -> MaskedSpan:
        """The hole that `position` belongs to."""
        return self._hole_at[position]

    def is_masked(self, position: int) -> bool:
        """Whether `position` is still to be written."""
        hole = self._hole_at.get(position)
        return hole is not None and position < hole.end and position not in self.written

    def token_at(self, position: int) -> int | None:
        """The clean text token at `position`, of the context or written; None where there is none."""
        if position in self.written:
            return self.written[position].token
        index = bisect_right(self.pieces, position, key=itemgetter(0)) - 1
        if index < 0:
            return None
        start, piece = self.pieces[index]
        return piece.ids[position - start] if not piece.hole and position < start + len(piece.ids) else None

    def masked(self) -> list[int]:
        """All masked positions, ascending."""
        return self._masked.copy()

    def accept(self, position: int, written: Written) -> bool:
        """Makes a masked position clean. Returns False (and changes nothing) where that would contradict what was
        accepted before: the position is past its hole's end by now, or an empty token stands before accepted text."""
        hole = self._hole_at[position]
        if position >= hole.end or position in self.written:
            return False
        if written.token == self.empty:
            if not hole.may_end_at(position):
                return False
            self.end_hole(hole, position)
        else:
            self.written[position] = written
            del self._masked[bisect_left(self._masked, position)]
            hole.last_written = max(hole.last_written, position)
        self.accepted.append(Placed(written.token, position))
        return True

    def remask(self, positions: Iterable[int]) -> None:
        """Makes accepted positions masked again; what stays accepted keeps its order.

        Ends stay consistent: without its empty token a hole opens again up to the next empty token that stands in it or
        to where it began (never before accepted text, which always stands before all of them).
        """
        gone = set(positions)
        self.accepted = [placed for placed in self.accepted if placed.position not in gone]
        for position in gone:
            self.written.pop(position, None)
        for hole in {id(hole): hole for hole in map(self.hole_of, gone)}.values():
            inside = range(hole.start, hole.start + hole.capacity)
            hole.last_written = max((position for position in inside if position in self.written), default=-1)
            ends = [p.position for p in self.accepted if p.token == self.empty and p.position in inside]
            hole.end = min([*ends, hole.limit])
        self._look_again()

    def put_last(self, hole: MaskedSpan) -> int:
        """Moves what was accepted in a hole to the end of the order: its text from left to right, then its empty
        tokens. Returns how many accepted tokens stand before it."""
        inside = range(hole.start, hole.start + hole.capacity)
        text = [Placed(self.written[p].token, p) for p in inside if p in self.written]
        others = [placed for placed in self.accepted if placed.position not in inside]
        ends = [placed for placed in self.accepted if placed.position in inside and placed.token == self.empty]
        self.accepted = [*others, *text, *ends]
        return len(others)

    def end_hole(self, hole: MaskedSpan, position: int) -> None:
        """Lets the hole end before `position`: it and all masked positions after it are unused from now on."""
        unused = slice(bisect_left(self._masked, position), bisect_left(self._masked, hole.end))
        del self._masked[unused]
        hole.end = min(hole.end, position)

    def _look_again(self) -> None:
        self._masked = [p for hole in self.holes for p in range(hole.start, hole.end) if p not in self.written]

    def log_likelihood(self) -> float:
        """Log-probability (nats) that the model gave the accepted text, each token at the step it was accepted in."""
        return math.fsum(math.log(max(written.probability, 1e-30)) for written in self.written.values())

    def order(self) -> list[Placed]:
        """The clean tokens in order: context, then what was accepted."""
        return [*self.context, *self.accepted]


def lay_out(
    pieces: Sequence[Piece],
    *,
    order: ContextOrder,
    grid: int,
    empty: int | None,
) -> Canvas:
    """Gives every piece its positions.

    What follows a hole starts at a multiple of `grid` (design: the text after the hole does not move while one types
    before it), so a hole's real capacity is `capacity` plus at most grid - 1. Runs of one span (refine) are not padded.

    Order of the context: SUFFIX_FIRST feeds the pieces after the first hole, then those before it; PREFIX_FIRST feeds
    all by position. A span's own kept tokens come last in both, so that the context's cache serves fill and refine.
    """
    placed: list[tuple[int, Piece]] = []
    holes: list[MaskedSpan] = []
    position = 0
    for index, piece in enumerate(pieces):
        if not piece.hole:
            placed.append((position, piece))
            position += len(piece.ids)
            continue
        end = position + piece.capacity
        following = pieces[index + 1] if index + 1 < len(pieces) else None
        if following is not None and following.span != piece.span:
            end = -(-end // grid) * grid
        placed.append((position, replace(piece, capacity=end - position)))
        holes.append(
            MaskedSpan(piece.span or 0, position, end - position, end, can_shrink=empty is not None, least=piece.least)
        )
        position = end
    canvas = Canvas(tuple(_context_order(placed, order)), tuple(placed), tuple(holes), empty)
    _apply_limits(canvas)
    return canvas


def _context_order(placed: Sequence[tuple[int, Piece]], order: ContextOrder) -> Iterator[Placed]:
    first_hole = next((index for index, (_, piece) in enumerate(placed) if piece.hole), len(placed))
    before, after = placed[:first_hole], placed[first_hole:]
    context: Iterable[tuple[int, Piece]] = (
        [*before, *after] if order is ContextOrder.PREFIX_FIRST else [*after, *before]
    )
    context = [entry for entry in context if not entry[1].hole]
    for wanted_kept in (False, True):
        for start, piece in context:
            if (piece.span is not None) == wanted_kept:
                yield from (Placed(token, start + offset) for offset, token in enumerate(piece.ids))


def _apply_limits(canvas: Canvas) -> None:
    """A hole with a limit below its capacity ends there; the model is told by an empty token, as in training."""
    told: list[Placed] = []
    for hole, (start, piece) in zip(canvas.holes, (e for e in canvas.pieces if e[1].hole), strict=True):
        if piece.limit is not None and piece.limit < hole.capacity and canvas.empty is not None:
            canvas.end_hole(hole, start + piece.limit)
            hole.limit = hole.end
            told.append(Placed(canvas.empty, start + piece.limit))
    canvas.context = (*canvas.context, *told)
