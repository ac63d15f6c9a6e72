"""How evaluation gets its answers: from the engine as the editor would, from the same network read purely left to right
with the suffix hidden, and from an n-gram model."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from engine.cache_pool import CachePool
from engine.framing import frame
from engine.likelihood import doubt_span, score_span
from engine.session import EngineSession, answer_of
from engine.tokenization import Tokenizer
from engine.training.judging import Answer, Scores
from engine.training.kneser_ney import KneserNey
from engine.training.questions import MissingLine, WrongWord
from engine.types import Finished, InfillRequest, Mode, Scored, ScoreRequest, TextSpan

if TYPE_CHECKING:
    from engine.models.base import ModelAdapter

SEED = 20_260
STEPS = 16


def fill(session: EngineSession, request: InfillRequest) -> str:
    """The first span's text as the engine writes it.

    Raises:
        EngineError: the engine cannot carry the request out; its sentence.
    """
    return answer_of(Finished, partial(session.submit, request)).variations[0].texts[0]


def score(session: EngineSession, request: ScoreRequest) -> float:
    """Exact bits per byte of what the request names.

    Raises:
        EngineError: the engine cannot carry the request out; its sentence.
    """
    return answer_of(Scored, partial(session.score, request)).bits_per_byte


def greedy(text: str, span: TextSpan, *, alpha_0: float, capacity: int, ends_document: bool = True) -> InfillRequest:
    """The request that every measure makes: the likeliest tokens, nothing random but the order."""
    return InfillRequest(
        text, (span,), alpha_0=alpha_0, temperature=0.0, top_p=1.0, capacity=capacity, seed=SEED, steps=STEPS,
        ends_document=ends_document,
    )  # fmt: skip


def answerer(session: EngineSession, alpha_0: float) -> Answer:
    """Fills a line greedily through the engine's own door, as the editor would."""

    def answer(question: MissingLine, capacity: int) -> str:
        span = TextSpan(question.start, question.end)
        return fill(session, greedy(question.text, span, alpha_0=alpha_0, capacity=capacity))

    return answer


def forward_answerer(session: EngineSession) -> Answer:
    """Goes on from the prefix alone, left to right, and stops at the first line end: what a model without a suffix does
    for a missing line."""

    def answer(question: MissingLine, capacity: int) -> str:
        span = TextSpan(question.start, question.start)
        prefix = question.text[: question.start]
        text = fill(session, greedy(prefix, span, alpha_0=0.0, capacity=capacity, ends_document=False))
        return text.split("\n", 1)[0]

    return answer


def doubts(adapter: ModelAdapter, *, suffix: bool) -> Scores:
    """Likelihoods of a sentence's tokens: given all around them, or from left to right with the suffix hidden."""
    pool = CachePool(adapter.new_cache)
    order = adapter.config.context_orders[0]

    def scores(question: WrongWord) -> list[tuple[int, int, float]]:
        text = question.text if suffix else question.text[: question.end]
        request = InfillRequest(text, (TextSpan(question.start, question.end),), mode=Mode.REFINE, ends_document=suffix)
        pieces = frame(request, adapter.config, adapter.tokenizer)
        index = next(index for index, piece in enumerate(pieces) if piece.span == 0)
        measure = doubt_span if suffix else score_span
        values = measure(adapter, pool.lease, pieces, index, order)
        return _placed(adapter.tokenizer, question, values)

    return scores


def ngram_doubts(model: KneserNey, tokenizer: Tokenizer) -> Scores:
    """Likelihoods of a sentence's tokens by an n-gram model, from left to right."""

    def scores(question: WrongWord) -> list[tuple[int, int, float]]:
        before = tokenizer.encode(question.text[: question.start])
        inside = tokenizer.encode(question.text[question.start : question.end])
        values = model.log2_probabilities(np.array([*before, *inside], dtype=np.uint16), len(before))
        return _placed(tokenizer, question, values.tolist())

    return scores


def _placed(tokenizer: Tokenizer, question: WrongWord, values: list[float]) -> list[tuple[int, int, float]]:
    _, ranges = tokenizer.encode_with_offsets(question.text[question.start : question.end])
    return [
        (question.start + left, question.start + right, value)
        for value, (left, right) in zip(values, ranges, strict=True)
    ]
