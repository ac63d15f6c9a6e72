"""Which characters of a text came from the model, through edits, undo and redo. Pure; offsets are code points."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.editor.edits import Edit, merged
from engine.types import TextSpan

_REMEMBERED = 4096
"""Changes of one undo step that an acceptance can be traced to, at most."""


class Origin(StrEnum):
    """What made a change of the text."""

    USER = "user"
    """Whoever works in it now; also an acceptance."""
    UNDO = "undo"
    REDO = "redo"
    LOAD = "load"
    """Another text altogether; there is nothing to undo behind it."""


@dataclass(frozen=True, slots=True)
class _Change:
    index: int
    edit: Edit


class Provenance:
    """The ranges that came from the model and were not edited since.

    The rule: a character is generated if it was inserted by an acceptance and has stood there ever since, or came back
    by undo or redo. What is typed, pasted or moved is the user's; an edit in a range splits it. To that end every
    change is numbered as the editor's undo history numbers it, and remembers the ranges in what it removed (an undo
    brings them back) and in what it inserted (a redo does).
    """

    def __init__(self) -> None:
        self._ranges: list[TextSpan] = []
        self._removed: dict[int, tuple[TextSpan, ...]] = {}
        self._inserted: dict[int, tuple[TextSpan, ...]] = {}
        self._at = 0
        self._step: deque[_Change] = deque(maxlen=_REMEMBERED)

    @property
    def ranges(self) -> tuple[TextSpan, ...]:
        """The generated ranges, ascending; no two of them meet."""
        return tuple(self._ranges)

    @property
    def size(self) -> int:
        """Generated characters in all."""
        return sum(span.end - span.start for span in self._ranges)

    def within(self, span: TextSpan) -> list[TextSpan]:
        """The parts of the ranges that are in a span."""
        return [_cut(each, span) for each in self._ranges[slice(*self._meeting(span))]]

    def put(self, ranges: Iterable[TextSpan], length: int, edits: Sequence[Edit] = ()) -> None:
        """Takes over ranges that were known of the text `edits` ago; `length` is the text's length now."""
        spans = merged(ranges)
        for edit in edits:
            spans = _edited(spans, edit)
        self._ranges = [span for span in spans if span.start >= 0 and span.end <= length]

    def change(self, edit: Edit, origin: Origin, *, begins_step: bool = True) -> None:
        """Follows a change of the text: an insertion or a deletion, or with LOAD the whole of it."""
        if origin is Origin.LOAD:
            self._begin()
        elif origin is Origin.UNDO:
            self._at -= 1
            self._apply(edit, self._removed.get(self._at, ()))
            self._step.clear()
        elif origin is Origin.REDO:
            self._apply(edit, self._inserted.get(self._at, ()))
            self._at += 1
            self._step.clear()
        else:
            self._new_change(edit, begins_step=begins_step)

    def accept(self, spans: Iterable[TextSpan]) -> None:
        """What the last undo step has inserted in these spans came from the model."""
        wanted = [(span, 0) for span in merged(spans)]  # each with how far it was moved by the changes looked at
        for change in reversed(self._step):
            edit, left = change.edit, []
            new = TextSpan(edit.start, edit.start + edit.inserted)
            for span, moved in wanted:
                inside = _cut(span, new)
                if inside.end > inside.start:
                    relative = TextSpan(inside.start - edit.start, inside.end - edit.start)
                    known = self._inserted.get(change.index, ())
                    self._inserted[change.index] = tuple(merged((*known, relative)))
                    self._ranges = merged((*self._ranges, TextSpan(inside.start + moved, inside.end + moved)))
                before = TextSpan(span.start, min(span.end, new.start))
                behind = TextSpan(max(span.start, new.end), span.end)
                left.append((before, moved))
                left.append((TextSpan(behind.start - edit.growth, behind.end - edit.growth), moved + edit.growth))
            wanted = [(span, moved) for span, moved in left if span.end > span.start]

    def _begin(self) -> None:
        self._ranges, self._removed, self._inserted, self._at = [], {}, {}, 0
        self._step.clear()

    def _new_change(self, edit: Edit, *, begins_step: bool) -> None:
        for known in (self._removed, self._inserted):
            if known and max(known) >= self._at:  # what could have been redone no longer can
                for index in [index for index in known if index >= self._at]:
                    del known[index]
        if edit.removed:
            lost = self.within(TextSpan(edit.start, edit.end))
            if lost:
                self._removed[self._at] = tuple(
                    TextSpan(span.start - edit.start, span.end - edit.start) for span in lost
                )
        if begins_step:
            self._step.clear()
        self._step.append(_Change(self._at, edit))
        self._apply(edit, ())
        self._at += 1

    def _apply(self, edit: Edit, returning: Iterable[TextSpan]) -> None:
        if self._ranges and edit.start < self._ranges[-1].end:
            self._ranges = _edited(self._ranges, edit)
        back = [TextSpan(edit.start + span.start, edit.start + span.end) for span in returning]
        if back and edit.inserted:
            self._ranges = merged((*self._ranges, *back))

    def _meeting(self, span: TextSpan) -> tuple[int, int]:
        first = bisect_right(self._ranges, span.start, key=lambda each: each.end)
        return first, max(first, bisect_left(self._ranges, span.end, key=lambda each: each.start))


def _cut(span: TextSpan, by: TextSpan) -> TextSpan:
    return TextSpan(max(span.start, by.start), min(span.end, by.end))


def _edited(spans: Sequence[TextSpan], edit: Edit) -> list[TextSpan]:
    """What is left of the ranges after an edit: what it replaced is out, what it inserted is not in."""
    moved: list[TextSpan] = []
    for span in spans:
        if span.end <= edit.start:
            moved.append(span)
        elif span.start >= edit.end:
            moved.append(TextSpan(span.start + edit.growth, span.end + edit.growth))
        else:
            moved.append(TextSpan(span.start, edit.start))
            moved.append(TextSpan(edit.end + edit.growth, span.end + edit.growth))
    return merged(moved)
