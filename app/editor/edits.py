"""Edits of a text as values, and where offsets and spans end up after one. Pure; all offsets are code points."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.types import TextSpan


@dataclass(frozen=True, slots=True)
class Edit:
    """At `start`, `removed` code points were replaced by `inserted` ones."""

    start: int
    removed: int
    inserted: int

    @property
    def growth(self) -> int:
        """By how much the text became longer."""
        return self.inserted - self.removed

    @property
    def end(self) -> int:
        """Where the replaced text ended, in the text before the edit."""
        return self.start + self.removed

    def touches(self, span: TextSpan) -> bool:
        """Whether the edit is inside the span: typing right before or behind a non-empty one is not."""
        if span.start == span.end:
            return self.start <= span.start <= self.end
        if self.removed == 0:
            return span.start < self.start < span.end
        return self.start < span.end and span.start < self.end

    def moved(self, span: TextSpan) -> TextSpan:
        """Where a span that the edit does not touch stands after it."""
        shift = self.growth if self.end <= span.start else 0
        return TextSpan(span.start + shift, span.end + shift)


def merged(spans: Iterable[TextSpan]) -> list[TextSpan]:
    """The spans that are not empty, ascending; overlapping and adjoining ones become one."""
    result: list[TextSpan] = []
    for span in sorted((span for span in spans if span.end > span.start), key=lambda span: span.start):
        if result and span.start <= result[-1].end:
            result[-1] = TextSpan(result[-1].start, max(result[-1].end, span.end))
        else:
            result.append(span)
    return result


def with_eol(text: str, eol: str) -> str:
    """The text with all its line ends written as `eol`."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return plain if eol == "\n" else plain.replace("\n", eol)
