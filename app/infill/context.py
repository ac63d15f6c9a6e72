"""What of the document goes to the engine: the spans and a window of text around them. Pure.

The window is cut where typing before a span does not move it at every key, so that the engine's cache stays of use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from app.editor.edits import merged
from engine.types import ContextOrder, InfillRequest, Mode, TextSpan

MOST_BEFORE = 12_000
"""Characters before the first span, at most."""

MOST_AFTER = 6_000
"""Characters after the last span, at most."""

MOST_SPANNED = 60_000
"""Characters from the start of the first span to the end of the last one, at most."""

_SAME_NAMES = (
    "steps",
    "alpha_0",
    "strength",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repetition_penalty",
    "sampler",
    "schedule",
)
"""Settings that are fields of a request under the same name."""

_GRID = 2_000
_LINE_SEARCH = 1_000


class TextSource(Protocol):
    """A text of which ranges can be read, like an EditorView."""

    @property
    def length(self) -> int:
        """Code points in all."""

    def text_range(self, start: int, end: int) -> str:
        """The text between two offsets."""


class NothingToFillError(ValueError):
    """There is nothing that could be asked of the engine; str() is the sentence for the user."""


class _Settings(Protocol):
    def __getitem__(self, key: str) -> Any: ...


def read_options(settings: _Settings | Mapping[str, Any], seed: int) -> InfillRequest:
    """A request without text or spans, with the settings as they are now and this seed."""
    return InfillRequest(
        text="",
        spans=(),
        seed=seed,
        capacity=settings["infill.capacity"] or None,
        context_order=ContextOrder(settings["infill.context_order"]),
        **{name: settings[f"infill.{name}"] for name in _SAME_NAMES},
    )


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request, and where its spans are in the document."""

    request: InfillRequest
    spans: tuple[TextSpan, ...]


def prepare(
    source: TextSource, selections: Sequence[TextSpan], caret: int, mode: Mode, options: InfillRequest
) -> Prepared:
    """The request for these selections (or for the caret, to continue). Raises NothingToFillError."""
    spans = _wanted_spans(source, selections, caret, mode)
    start, end = _window(source, spans[0].start, spans[-1].end)
    request = replace(
        options,
        text=source.text_range(start, end),
        spans=tuple(TextSpan(span.start - start, span.end - start) for span in spans),
        mode=mode,
        starts_document=start == 0,
        ends_document=end == source.length,
    )
    return Prepared(request, tuple(spans))


def _wanted_spans(
    source: TextSource, selections: Sequence[TextSpan], caret: int, mode: Mode
) -> list[TextSpan]:  # fmt: skip
    if mode is Mode.CONTINUE:
        place = caret - 1 if _splits_line_end(source, caret) else caret
        return [TextSpan(place, place)]
    spans = merged(_without_half_line_ends(source, span) for span in selections)
    if not spans:
        raise NothingToFillError("Select the text to rewrite first; to write on at the caret, use Continue.")
    if spans[-1].end - spans[0].start > MOST_SPANNED:
        what = "The selected spans are too far apart" if len(spans) > 1 else "The selection is too long"
        raise NothingToFillError(f"{what}: at most {MOST_SPANNED:,} characters can be worked on at once.")
    return [_without_last_line_end(source, span) for span in spans]


def _without_half_line_ends(source: TextSource, span: TextSpan) -> TextSpan:
    """A span that begins or ends between CR and LF leaves the whole line end alone."""
    start = span.start + 1 if _splits_line_end(source, span.start) else span.start
    end = span.end - 1 if _splits_line_end(source, span.end) else span.end
    return TextSpan(start, max(start, end))


def _without_last_line_end(source: TextSource, span: TextSpan) -> TextSpan:
    """Who selects whole lines wants other lines there, not the next one drawn up to them."""
    text = source.text_range(span.start, span.end)
    return TextSpan(span.start, span.start + (len(text.rstrip("\r\n")) or len(text)))


def _splits_line_end(source: TextSource, offset: int) -> bool:
    return 0 < offset < source.length and source.text_range(offset - 1, offset + 1) == "\r\n"


def _window(source: TextSource, first: int, last: int) -> tuple[int, int]:
    start, end = max(0, first - MOST_BEFORE), min(source.length, last + MOST_AFTER)
    if start > 0:
        start = _line_start_after(source, -(-start // _GRID) * _GRID, first)
    if end < source.length:
        end = _line_end_before(source, end, last)
    return start, end


def _line_start_after(source: TextSource, anchor: int, first: int) -> int:
    """The first line start behind a fixed multiple: typing later in the text changes neither."""
    found = source.text_range(anchor, min(first, anchor + _LINE_SEARCH)).find("\n")
    if found >= 0:
        return anchor + found + 1
    return anchor + 1 if _splits_line_end(source, anchor) else anchor


def _line_end_before(source: TextSource, end: int, last: int) -> int:
    """The last line end in reach, counted from the span: it moves with the text after the span."""
    start = max(last, end - _LINE_SEARCH)
    found = source.text_range(start, end).rfind("\n")
    if found >= 0:
        return start + found + 1
    return end - 1 if _splits_line_end(source, end) and end - 1 > last else end
