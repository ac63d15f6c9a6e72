"""From a request to a canvas: tokenizes the text apart at the spans' borders, cuts a window, gives holes their size.

Cut at *characters*, as in training: prefix, span and suffix are tokenized apart, so what is inside a span never leaks
into a token of its surroundings. Line ends are shown to the model as "\\n".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.canvas import Canvas, Piece, lay_out
from engine.config import CheckpointConfig
from engine.errors import RequestError
from engine.tokenization import Tokenizer
from engine.types import ContextOrder, InfillRequest, Mode

WINDOW_STEP = 64
"""A window's borders move by this many tokens at once, so that typing does not shift every position."""
CONTINUE_CAPACITY = 48
LEAST_CAPACITY = 16
MOST_STEPS = 10_000
"""More parallel steps than any hole has positions; a run with many more would plan for minutes before its first one."""
LENGTH_SLACK = 0.2
"""How far the length of a text that is to be longer or shorter may be from what was asked for."""

Doubt = Callable[[Sequence[Piece], int], Sequence[float]]
"""(pieces, index of a span's piece) -> log-likelihood of each of its tokens, for refine to choose the masks by."""


@dataclass(frozen=True, slots=True)
class _Segments:
    """Token ids around and in the spans: outside[i], inside[i], outside[i + 1]."""

    outside: list[list[int]]
    inside: list[list[int]]
    capacities: list[int]


def check_request(request: InfillRequest) -> None:
    """Refuses what cannot be carried out.

    Raises:
        RequestError: one sentence that names the field and its limits.
    """
    if not request.spans:
        raise RequestError("Nothing is selected: select the text to rewrite, or put the caret where text is to go.")
    previous = 0
    for span in request.spans:
        if not 0 <= span.start <= span.end <= len(request.text):
            raise RequestError(
                f"The span {span.start}:{span.end} is outside the text of {len(request.text)} characters."
            )
        if span.start < previous:
            raise RequestError("Two of the selected spans overlap; select each piece of text once.")
        previous = span.end
    limits = (
        (0.0 <= request.alpha_0 <= 1.0, "alpha_0 must be between 0 and 1"),
        (1 <= request.steps <= MOST_STEPS, f"steps must be at least 1 and at most {MOST_STEPS:,}"),
        (0.0 < request.strength <= 1.0, "strength must be above 0 and at most 1"),
        (0.0 <= request.temperature <= 10.0, "temperature must be between 0 and 10"),
        (0.0 < request.top_p <= 1.0, "top_p must be above 0 and at most 1"),
        (request.top_k >= 0, "top_k must be 0 (all tokens) or more"),
        (0.0 <= request.min_p <= 1.0, "min_p must be between 0 and 1"),
        (1.0 <= request.repetition_penalty <= 10.0, "repetition_penalty must be between 1 (off) and 10"),
        (request.capacity is None or request.capacity >= 1, "capacity must be at least 1"),
        (request.length_factor is None or 0.1 <= request.length_factor <= 4.0, "length_factor must be from 0.1 to 4"),
        (request.context_tokens is None or request.context_tokens >= 1, "context_tokens must be at least 1"),
        (request.least_tokens is None or request.least_tokens >= 0, "least_tokens must be 0 or more"),
        (0 <= request.correction_passes <= 16, "correction_passes must be between 0 and 16"),
        (1 <= request.variations <= 64, "variations must be between 1 and 64"),
        (0 <= request.seed < 2**63, "the seed must be a whole number from 0 up"),
    )
    for holds, sentence in limits:
        if not holds:
            raise RequestError(f"This cannot be run: {sentence}.")
    if request.mode is Mode.REFINE and all(span.start == span.end for span in request.spans):
        raise RequestError("There is nothing to refine: select some text first.")


def frame(request: InfillRequest, config: CheckpointConfig, tokenizer: Tokenizer) -> list[Piece]:
    """The pieces of the canvas for fill and continue; for refine the spans' tokens as clean pieces of their span.

    Raises:
        RequestError: the holes and the text between them do not fit the model's context.
    """
    check_request(request)
    segments = _tokenize(request, tokenizer, can_end=config.special_tokens.empty is not None)
    room = min(request.context_tokens or config.context_length, config.context_length)
    starts, ends = _cut_window(request, segments, room, config)
    if request.mode is Mode.CONTINUE and not request.text[request.spans[-1].end :].strip():
        # The document is to go on here: neither its end nor white space before it says that it is over.
        segments.outside[-1].clear()
        ends = False
    pieces = []
    special = config.special_tokens
    for index, ids in enumerate(segments.outside):
        if index == 0 and starts and special.begin is not None:
            ids = [special.begin, *ids]
        if index == len(segments.outside) - 1 and ends and special.end is not None:
            ids = [*ids, special.end]
        if ids:
            pieces.append(Piece(ids=tuple(ids)))
        if index < len(segments.inside):
            pieces.append(_span_piece(request, segments, index))
    return pieces


def canvas_of(pieces: Sequence[Piece], request: InfillRequest, config: CheckpointConfig) -> Canvas:
    """Positions and order for the pieces, as the checkpoint was trained for.

    An order that the checkpoint does not know is replaced by its first.
    """
    order = request.context_order if request.context_order in config.context_orders else config.context_orders[0]
    padded = order is ContextOrder.SUFFIX_FIRST and request.mode is not Mode.REFINE
    grid = config.suffix_grid if padded else 1
    return lay_out(pieces, order=order, grid=grid, empty=config.special_tokens.empty)


def mask_doubtful(pieces: Sequence[Piece], strength: float, doubt: Doubt) -> list[Piece]:
    """Refine: turns the least likely share `strength` of every span's tokens (at least one) into holes of one position
    each; runs of masked tokens become one hole."""
    result: list[Piece] = []
    for index, piece in enumerate(pieces):
        if piece.span is None or piece.hole or not piece.ids:
            result.append(piece)
            continue
        scores = doubt(pieces, index)
        count = max(1, round(strength * len(piece.ids)))
        masked = set(sorted(range(len(piece.ids)), key=lambda i: (scores[i], i))[:count])
        result.extend(_runs(piece, masked))
    return result


def _runs(piece: Piece, masked: set[int]) -> list[Piece]:
    runs: list[Piece] = []
    start = 0
    for i in range(1, len(piece.ids) + 1):
        if i == len(piece.ids) or (i in masked) != (start in masked):
            if start in masked:
                runs.append(Piece(ids=piece.ids[start:i], span=piece.span, hole=True, capacity=i - start))
            else:
                runs.append(Piece(ids=piece.ids[start:i], span=piece.span))
            start = i
    return runs


def _span_piece(request: InfillRequest, segments: _Segments, index: int) -> Piece:
    if request.mode is Mode.REFINE:
        return Piece(ids=tuple(segments.inside[index]), span=index)
    capacity = segments.capacities[index]
    least = min(capacity, _least(request, len(segments.inside[index])))
    # What the grid adds to the capacity is not for text.
    return Piece(span=index, hole=True, capacity=capacity, limit=capacity, least=least)


def _tokenize(request: InfillRequest, tokenizer: Tokenizer, *, can_end: bool) -> _Segments:
    borders = [0, *(offset for span in request.spans for offset in (span.start, span.end)), len(request.text)]
    texts = [request.text[start:end].replace("\r\n", "\n") for start, end in itertools.pairwise(borders)]
    encoded = [tokenizer.encode(text) for text in texts]
    inside = encoded[1::2]
    sizes = [_capacity(request, len(ids), can_end=can_end) for ids in inside]
    if request.mode is Mode.REFINE:
        sizes = [len(ids) for ids in inside]
    return _Segments(encoded[0::2], inside, sizes)


def _capacity(request: InfillRequest, span_tokens: int, *, can_end: bool) -> int:
    """Automatic capacity leaves room for text half as long again; the empty token ends a hole before that, and where
    there is none, a hole is as long as its text."""
    bounds = _bounds(request, span_tokens)
    if bounds is not None:
        most = bounds[1] if can_end else sum(bounds) // 2
        return min(most, request.capacity or most)
    if request.capacity is not None:
        return request.capacity
    if span_tokens == 0:
        return CONTINUE_CAPACITY
    return max(LEAST_CAPACITY, math.ceil(1.5 * span_tokens) + 8)


def _least(request: InfillRequest, span_tokens: int) -> int:
    """Who selects a paragraph does not ask for a word: automatic capacity also asks for half of what it replaces. Who
    gives a capacity leaves the length to the model."""
    bounds = _bounds(request, span_tokens)
    if bounds is not None:
        return bounds[0]
    if request.least_tokens is not None:
        return request.least_tokens
    return max(1, span_tokens // 2) if request.capacity is None else 0


def _bounds(request: InfillRequest, span_tokens: int) -> tuple[int, int] | None:
    """Fewest and most tokens of a text that is to be longer or shorter; it is really so, where that is possible."""
    factor = request.length_factor
    if factor is None or request.mode is not Mode.FILL or span_tokens == 0:
        return None
    low = max(1, math.ceil((1 - LENGTH_SLACK) * factor * span_tokens))
    high = max(1, int((1 + LENGTH_SLACK) * factor * span_tokens))
    if factor > 1:
        low = max(low, span_tokens + 1)
    elif factor < 1:
        high = max(1, min(high, span_tokens - 1))
    return (low, max(low, high)) if factor > 1 else (min(low, high), high)


def _cut_window(request: InfillRequest, segments: _Segments, room: int, config: CheckpointConfig) -> tuple[bool, bool]:
    """Shortens the first and last outside segment in place so that all fits; returns whether the document's own begin
    and end are still inside."""
    holes = sum(segments.capacities)
    slack = (config.suffix_grid - 1) * len(segments.capacities)
    between = sum(len(ids) for ids in segments.outside[1:-1])
    room -= holes + slack + between + 2  # begin and end
    if room < 0:
        needed = holes + slack + between + 2
        allowed = ", or allow more context" if request.context_tokens is not None else ""
        raise RequestError(
            f"The selection is too large: it and what lies between its parts need {needed} of {room + needed} tokens. "
            f"Select less, or lower the capacity{allowed}."
        )
    prefix, suffix = segments.outside[0], segments.outside[-1]
    least_suffix = min(len(suffix), room // 3)
    spare = max(0, room - least_suffix - len(prefix)) // WINDOW_STEP * WINDOW_STEP
    keep_after = min(len(suffix), least_suffix + spare)
    ends = request.ends_document and keep_after == len(suffix)
    del suffix[keep_after:]
    excess = len(prefix) - (room - keep_after)
    dropped = max(0, math.ceil(excess / WINDOW_STEP)) * WINDOW_STEP
    starts = request.starts_document and dropped <= 0
    del prefix[: min(dropped, len(prefix))]
    return starts, ends
