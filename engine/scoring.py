"""From a text to the likelihood of its tokens, with the code points each of them covers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from engine.canvas import Piece
from engine.config import Attention
from engine.errors import RequestError
from engine.framing import frame
from engine.likelihood import Lease, bound_span, nelbo_span, score_span, score_tokens
from engine.types import Bounds, InfillRequest, Mode, ScoreRequest, TextSpan, TokenScore

if TYPE_CHECKING:
    from engine.models.base import ModelAdapter


def score(adapter: ModelAdapter, lease: Lease, request: ScoreRequest) -> Iterator[tuple[TokenScore, ...]]:
    """Scores the request's text or span, a part at a time (the caller may stop between two).

    Raises:
        RequestError: there is nothing to score, or the span is outside the text or too large for the model.
    """
    span = request.span or TextSpan(0, len(request.text))
    if not 0 <= span.start < span.end <= len(request.text):
        raise RequestError("There is nothing to score: choose a span of at least one character inside the text.")
    ids, ranges = tokens_with_ranges(adapter, request.text, span)
    if request.span is None:
        begin = adapter.config.special_tokens.begin if request.starts_document else None
        done = 0
        for part in score_tokens(adapter, lease(()), ids, begin=begin):
            yield _scores(ranges[done : done + len(part)], part)
            done += len(part)
        return
    pieces, index = _pieces_of_span(adapter, request, span)
    yield _scores(ranges, score_span(adapter, lease, pieces, index, adapter.config.context_orders[0]))


def bound(
    adapter: ModelAdapter, lease: Lease, request: ScoreRequest, check: Callable[[], None] = lambda: None
) -> Bounds | None:
    """What `Bounds` says of the request's span, over `request.orders` random orders; None where it asks for none.

    `check` is called between passes and may raise to stop.
    """
    import torch

    if request.orders < 1:
        return None
    if request.span is None:
        raise RequestError("Bounds over orders need a span: choose the part of the text to be judged.")
    pieces, index = _pieces_of_span(adapter, request, request.span)
    order, size = adapter.config.context_orders[0], _size(request.text, request.span.start, request.span.end)
    low, high = adapter.config.trained_alpha_0
    alpha_0 = low if low == high else 1.0  # a model that knows all of them knows every order
    weighted = None
    if adapter.config.attention is Attention.CAUSAL or alpha_0 == 0.0:
        weighted = bound_span(
            adapter, lease, pieces, index, order,
            orders=request.orders, alpha_0=alpha_0, generator=torch.Generator().manual_seed(0), check=check,
        )  # fmt: skip
    nelbo = nelbo_span(
        adapter, lease, pieces, index, order,
        samples=request.orders, alpha_0=alpha_0, generator=torch.Generator().manual_seed(0), check=check,
    )  # fmt: skip
    unit = -math.log(2) * size  # nats into bits a byte
    return Bounds(None if weighted is None else weighted / unit, nelbo / unit)


def bits_per_byte(text: str, scores: Sequence[TokenScore]) -> float:
    """Negative log-likelihood in bits over the UTF-8 bytes of what was scored."""
    size = _size(text, scores[0].start, scores[-1].end)
    return -math.fsum(score.log_likelihood for score in scores) / math.log(2) / size


def _size(text: str, start: int, end: int) -> int:
    return len(text[start:end].replace("\r\n", "\n").encode("utf-8", errors="surrogatepass"))


def _pieces_of_span(adapter: ModelAdapter, request: ScoreRequest, span: TextSpan) -> tuple[list[Piece], int]:
    """The request's canvas, and the index of the span's piece on it."""
    infill = InfillRequest(
        request.text,
        (span,),
        mode=Mode.REFINE,
        starts_document=request.starts_document,
        ends_document=request.ends_document,
    )
    pieces = frame(infill, adapter.config, adapter.tokenizer)
    return pieces, next(index for index, piece in enumerate(pieces) if piece.span == 0)


def tokens_with_ranges(adapter: ModelAdapter, text: str, span: TextSpan) -> tuple[list[int], list[tuple[int, int]]]:
    """Ids of the span's text with line ends as the model sees them, and the code points of `text` each covers."""
    part = text[span.start : span.end]
    ids, ranges = adapter.tokenizer.encode_with_offsets(part.replace("\r\n", "\n"))
    origin = [span.start + index for index, _ in _kept_characters(part)] + [span.end]
    return ids, [(origin[start], origin[end]) for start, end in ranges]


def _scores(ranges: Sequence[tuple[int, int]], values: Sequence[float]) -> tuple[TokenScore, ...]:
    return tuple(TokenScore(start, end, value) for (start, end), value in zip(ranges, values, strict=True))


def _kept_characters(part: str) -> Iterator[tuple[int, str]]:
    """(index, character) of what is left when every "\\r\\n" is read as one newline, which starts at its "\\r"."""
    index = 0
    while index < len(part):
        is_pair = part.startswith("\r\n", index)
        yield index, "\n" if is_pair else part[index]
        index += 2 if is_pair else 1
