"""What of the document goes to the engine: the spans and a window of text around them. Pure.

The window is cut where typing before a span does not move it at every key, so that the engine's cache stays of use.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from app.editor.edits import merged
from app.settings import Settings
from engine.types import ContextOrder, InfillRequest, Mode, TextSpan

MOST_BEFORE = 12_000
"""Characters before the first span, at most."""

MOST_AFTER = 6_000
"""Characters after the last span, at most."""

MOST_SPANNED = 60_000
"""Characters from the start of the first span to the end of the last one, at most."""

MOST_READ = MOST_BEFORE + MOST_AFTER
"""Characters around the spans, at most."""

LEAST_READ = 200
"""Characters around the spans that are read however few are wished for: less is no context."""

JOINING_TOKENS = 8
"""Fewest tokens of a passage that joins two others: a word or two join nothing."""

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
    "variations",
    "correction_passes",
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
        banned=tuple(word.strip() for word in settings["infill.banned"].split(",") if word.strip()),
        context_order=ContextOrder(settings["infill.context_order"]),
        **{name: settings[f"infill.{name}"] for name in _SAME_NAMES},
    )


def next_seed(settings: Settings) -> int:
    """The seed of the next run: the locked one, or one that is drawn now and noted in the settings."""
    if not settings["infill.seed_locked"]:
        settings["infill.seed"] = secrets.randbelow(2**31)
    return int(settings["infill.seed"])


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done, beside the settings.

    Attributes:
        at_caret: at the caret, whatever is selected. joins: only where text stands on both sides of it.
        length_factor, least_tokens: as in an InfillRequest. strength: likewise; None takes the setting's.
    """

    mode: Mode
    at_caret: bool = False
    joins: bool = False
    length_factor: float | None = None
    least_tokens: int | None = None
    strength: float | None = None


FILL = Wish(Mode.FILL)
REFINE = Wish(Mode.REFINE)
REWRITE = Wish(Mode.REFINE, strength=1.0)
"""Every token of the spans anew, and no more of them than there were."""
CONTINUE = Wish(Mode.CONTINUE, at_caret=True)
INSERT = Wish(Mode.FILL, at_caret=True)
JOIN = Wish(Mode.FILL, at_caret=True, joins=True, least_tokens=JOINING_TOKENS)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request, and where its spans are in the document."""

    request: InfillRequest
    spans: tuple[TextSpan, ...]


def prepare(
    source: TextSource,
    selections: Sequence[TextSpan],
    caret: int,
    wish: Wish,
    options: InfillRequest,
    extent: int = 0,
) -> Prepared:
    """The request for these selections, or for the caret. Raises NothingToFillError.

    Args:
        extent: characters around the spans to be read, at most; 0 reads as many as a model could use.
    """
    spans = _wanted_spans(source, selections, caret, wish)
    start, end = _window(source, spans[0].start, spans[-1].end, extent)
    request = replace(
        options,
        text=source.text_range(start, end),
        spans=tuple(TextSpan(span.start - start, span.end - start) for span in spans),
        mode=wish.mode,
        length_factor=wish.length_factor,
        strength=options.strength if wish.strength is None else wish.strength,
        least_tokens=wish.least_tokens,
        starts_document=start == 0,
        ends_document=end == source.length,
    )
    return Prepared(request, tuple(spans))


def _wanted_spans(source: TextSource, selections: Sequence[TextSpan], caret: int, wish: Wish) -> list[TextSpan]:
    if wish.at_caret:
        place = caret - 1 if _splits_line_end(source, caret) else caret
        if wish.joins and not _stands_between(source, place):
            raise NothingToFillError("Put the caret between the two passages that are to be joined.")
        return [TextSpan(place, place)]
    spans = merged(_without_half_line_ends(source, span) for span in selections)
    if not spans:
        raise NothingToFillError("Select the text to rewrite first; to write on at the caret, use Continue.")
    if spans[-1].end - spans[0].start > MOST_SPANNED:
        what = "The selected spans are too far apart" if len(spans) > 1 else "The selection is too long"
        raise NothingToFillError(f"{what}: at most {MOST_SPANNED:,} characters can be worked on at once.")
    return [_without_last_line_end(source, span) for span in spans]


def _stands_between(source: TextSource, place: int) -> bool:
    before = source.text_range(max(0, place - _LINE_SEARCH), place)
    after = source.text_range(place, min(source.length, place + _LINE_SEARCH))
    return bool(before.strip() and after.strip())


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


def _window(source: TextSource, first: int, last: int, extent: int) -> tuple[int, int]:
    before, after = MOST_BEFORE, MOST_AFTER
    if extent:
        extent = max(LEAST_READ, extent)
        before, after = min(before, 2 * extent // 3), min(after, extent // 3)
    start, end = max(0, first - before), min(source.length, last + after)
    if start > 0:
        grid = min(_GRID, before // 2)
        start = _line_start_after(source, -(-start // grid) * grid, first, min(_LINE_SEARCH, before // 4))
    if end < source.length:
        end = _line_end_before(source, end, last, min(_LINE_SEARCH, after // 2))
    return start, end


def _line_start_after(source: TextSource, anchor: int, first: int, reach: int) -> int:
    """The first line start behind a fixed multiple: typing later in the text changes neither."""
    found = source.text_range(anchor, min(first, anchor + reach)).find("\n")
    if found >= 0:
        return anchor + found + 1
    return anchor + 1 if _splits_line_end(source, anchor) else anchor


def _line_end_before(source: TextSource, end: int, last: int, reach: int) -> int:
    """The last line end in reach, counted from the span: it moves with the text after the span."""
    start = max(last, end - reach)
    found = source.text_range(start, end).rfind("\n")
    if found >= 0:
        return start + found + 1
    return end - 1 if _splits_line_end(source, end) and end - 1 > last else end
