"""How likely each word of a text is where it stands, and what would be likelier there.

Every word is judged given *everything* around it: it alone is masked, all else is clean. One pass a word over all
other words would cost n² tokens. This costs n·log n (`_Judge`):

1. The words of a passage are split in halves.
2. The right half is fed into the cache, and the left one treated in the same way from 1 on.
3. The right half is forgotten, the left one fed, and the right one treated so.
4. Where one word is left, the cache holds everything but it, and one pass gives the exact likelihood of its tokens.

The cache is exact along any order (Eso-LM, arXiv 2506.01928, section 4), so two words differ in nothing but the order
in which the others were fed. All figures are natural logarithms (nats), for a text of as many tokens as stand there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.canvas import Piece, Placed, lay_out
from engine.config import Attention
from engine.denoise import prefill
from engine.errors import RequestError
from engine.framing import frame
from engine.likelihood import Lease
from engine.models.base import Feed
from engine.scoring import tokens_with_ranges
from engine.types import Candidate, DoubtRequest, InfillRequest, Mode, TextSpan, WordDoubt
from engine.words import Word, best_of, words_of

if TYPE_CHECKING:
    from torch import Tensor

    from engine.cache import CleanTokenCache
    from engine.models.base import ModelAdapter

PASSAGE = 600
"""Characters judged at once: 20 to 150 words."""
AROUND = 256
"""Tokens of context of a passage, at most. Among 60 held-out sentences a thousand found no more wrong words."""
LOOKED_AT, LOOKED_AT_FOR_TYPOS = 64, 2048
"""Tokens that are looked at for candidates, the likeliest first; more for words of several tokens (typos)."""
MISSING = 16
"""How many tokens are tried before a word, the likeliest ones: an article may be missing."""
NAME_BONUS = 6.0
"""Nats by which names, numbers and beginnings of sentences are doubted less: a model expects few of them."""


def doubt(adapter: ModelAdapter, lease: Lease, request: DoubtRequest) -> Generator[tuple[WordDoubt, ...], None, None]:
    """Judges every word of the request's span, a passage at a time (the caller may stop between two; empty parts come
    between the passages' words, so that it may stop there too).

    Raises:
        RequestError: the span is empty or outside the text.
    """
    span = request.span or TextSpan(0, len(request.text))
    if not 0 <= span.start < span.end <= len(request.text):
        raise RequestError("There is nothing to judge: choose a span of at least one character inside the text.")
    for passage in _passages(adapter, request.text, span, PASSAGE):
        yield from _Passage(adapter, lease, request, passage).judged()


class _Passage:
    """One passage of a request."""

    def __init__(self, adapter: ModelAdapter, lease: Lease, request: DoubtRequest, span: TextSpan) -> None:
        self._adapter, self._lease, self._request, self._span = adapter, lease, request, span
        self._ids, ranges = tokens_with_ranges(adapter, request.text, span)
        self._words = words_of(request.text, span, ranges)

    def judged(self) -> Iterator[tuple[WordDoubt, ...]]:
        """All words, and () after every one on the way."""
        if not self._words:
            return
        found: dict[Word, tuple[_Likelihood, list[Candidate]]] = {}
        for word, judge in self._visit(self._words, longer=0):
            likelihood = judge.likelihood(word)
            is_doubtful = self._is_doubtful(likelihood)
            found[word] = likelihood, judge.instead(word, likelihood, self._request.text) if is_doubtful else []
            yield ()
        doubtful = [word for word, (likelihood, _) in found.items() if self._is_doubtful(likelihood) and word.size == 1]
        for word, judge in self._visit(doubtful, longer=1):
            found[word][1].extend(judge.with_one_before(word, found[word][0], self._request.text))
            yield ()
        yield tuple(self._told(word, *found[word]) for word in self._words)

    def _visit(self, words: Sequence[Word], *, longer: int) -> Iterator[tuple[Word, _Judge]]:
        """Each word with a judge whose cache holds all else; what stands behind the word is `longer` positions away."""
        if not words:
            return
        request = InfillRequest(
            self._request.text,
            (self._span,),
            mode=Mode.REFINE,
            starts_document=self._request.starts_document,
            ends_document=self._request.ends_document,
            context_tokens=len(self._ids) + AROUND,
        )
        config = self._adapter.config
        pieces = frame(request, config, self._adapter.tokenizer)
        index = next(index for index, piece in enumerate(pieces) if piece.span == 0)
        hole = Piece(span=0, hole=True, capacity=len(self._ids) + longer)
        pieces = [*pieces[:index], hole, *pieces[index + 1 :]]
        canvas = lay_out(pieces, order=config.context_orders[0], grid=1, empty=None)
        cache = self._lease(canvas.context)
        for _ in prefill(self._adapter, cache, canvas.context):
            pass
        judge = _Judge(self._adapter, cache, self._ids, canvas.holes[0].start, longer)
        yield from judge.visit(words)

    def _is_doubtful(self, likelihood: _Likelihood) -> bool:
        request = self._request
        return likelihood.total < math.log(request.threshold) and likelihood.doubt >= request.least_doubt

    def _told(self, word: Word, likelihood: _Likelihood, candidates: list[Candidate]) -> WordDoubt:
        best = best_of(word.text, candidates, self._request.most_candidates)
        return WordDoubt(word.start, word.end, likelihood.total, likelihood.doubt, best)


@dataclass(frozen=True, slots=True)
class _Likelihood:
    """Of a word's tokens, along the word: their sum, and how much likelier the likeliest text would have been.

    `doubt` is the largest gap of one token to the likeliest there and half of all gaps: a wrong word is one large
    gap, a typo several. A balance: the likelihood alone finds more of the typos and fewer of the wrong words.
    """

    total: float
    doubt: float
    first: Tensor
    """(vocab) log-probabilities at the word's first position."""


class _Judge:
    """Walks over the words of a passage so that the cache holds all but the one it is at (see the module)."""

    def __init__(
        self, adapter: ModelAdapter, cache: CleanTokenCache, ids: Sequence[int], start: int, longer: int
    ) -> None:
        self._adapter, self._cache, self._longer = adapter, cache, longer
        self._ids, self._start = ids, start

    def visit(self, words: Sequence[Word]) -> Iterator[tuple[Word, _Judge]]:
        """Yields each word, in order, with this judge. Afterwards the cache holds the context alone."""
        length = len(self._cache)
        yield from self._halve(words, 0, len(self._ids))
        self._cache.truncate(length)

    def likelihood(self, word: Word) -> _Likelihood:
        """The exact likelihood of the word's tokens, from left to right."""
        import torch

        own = self._placed(word.first, word.last, 0)
        logits = self._adapter.step(self._cache, own, [placed.position for placed in own], seen=range(len(own)))
        self._cache.truncate(len(self._cache) - len(own))
        rows = logits.float().log_softmax(dim=-1)
        ids = torch.tensor([placed.token for placed in own], device=rows.device).unsqueeze(1)
        values = rows.gather(1, ids).squeeze(1)
        gaps = rows.max(dim=1).values - values
        bonus = 0.0 if word.text.islower() else NAME_BONUS
        doubt = max(0.0, float(gaps.max() + 0.5 * gaps.sum()) - bonus)
        return _Likelihood(float(values.sum()), doubt, rows[0])

    def instead(self, word: Word, likelihood: _Likelihood, text: str) -> list[Candidate]:
        """Likelier words of one token, the likeliest first, by their likelihood where the word's first token stands."""
        most = LOOKED_AT if word.size == 1 else LOOKED_AT_FOR_TYPOS
        values, ids = likelihood.first.topk(min(most, len(likelihood.first)))
        found = []
        for value, token in zip(values.tolist(), ids.tolist(), strict=True):
            written = self._fitting(word, [token], text)
            if value > likelihood.total and written is not None:
                found.append(Candidate(written, value))
        return found

    def with_one_before(self, word: Word, likelihood: _Likelihood, text: str) -> list[Candidate]:
        """Likelier texts of two tokens, the second of which is the word: something is missing before it."""
        place = self._start + word.first
        logits = self._adapter.step(self._cache, (), [place])
        values, ids = logits.float().log_softmax(dim=-1)[0].topk(MISSING)
        feeds = [Feed(number, [Placed(token, place)], [place + 1]) for number, token in enumerate(ids.tolist())]
        length = len(self._cache)
        answers: list[Tensor] = []
        is_shared = self._adapter.config.attention is Attention.CAUSAL  # else a batch holds a whole cache for each
        for group in [feeds] if is_shared else [[feed] for feed in feeds]:
            answers += self._adapter.step_batch(self._cache, group)
            self._cache.truncate(length)
        own = self._ids[word.first]
        found = []
        for value, token, answer in zip(values.tolist(), ids.tolist(), answers, strict=True):
            both = value + float(answer.float().log_softmax(dim=-1)[0, own])
            written = self._fitting(word, [token, own], text)
            if both > likelihood.total and written is not None:
                found.append(Candidate(written, both))
        return found

    def _halve(self, words: Sequence[Word], start: int, end: int) -> Iterator[tuple[Word, _Judge]]:
        """Steps 1 to 4 for the words among the tokens [start, end), of which none is fed yet."""
        length = len(self._cache)
        if len(words) == 1:
            self._feed(start, words[0].first, 0)
            self._feed(words[0].last, end, self._longer)
            yield words[0], self
        else:
            middle = words[len(words) // 2].first
            self._feed(middle, end, self._longer)
            yield from self._halve(words[: len(words) // 2], start, middle)
            self._cache.truncate(length)
            self._feed(start, middle, 0)
            yield from self._halve(words[len(words) // 2 :], middle, end)
        self._cache.truncate(length)

    def _feed(self, start: int, end: int, shift: int) -> None:
        if end > start:
            self._adapter.step(self._cache, self._placed(start, end, shift), ())

    def _placed(self, start: int, end: int, shift: int) -> list[Placed]:
        return [Placed(self._ids[index], self._start + index + shift) for index in range(start, end)]

    def _fitting(self, word: Word, ids: Sequence[int], text: str) -> str | None:
        """What would stand in the word's place, if these tokens are a whole word or two between the same neighbors."""
        if not self._adapter.tokenizer.special_ids.isdisjoint(ids):
            return None
        return word.instead(self._adapter.tokenizer.decode(ids), text)


def _passages(adapter: ModelAdapter, text: str, span: TextSpan, size: int) -> Iterator[TextSpan]:
    """The span in parts of at most `size` characters, cut between words, that fit half of the model's context."""
    part = re.compile(rf"[^\S\r\n]*\S[\s\S]{{0,{size - 1}}}(?!\S)|\S{{1,{size}}}")
    for match in part.finditer(text, span.start, span.end):
        tokens = len(adapter.tokenizer.encode(match[0]))
        if tokens > adapter.config.context_length // 2 and size > 1:
            yield from _passages(adapter, text, TextSpan(match.start(), match.end()), size // 2)
        else:
            yield TextSpan(match.start(), match.end())
