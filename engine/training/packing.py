"""Documents to samples: windows, tasks, holes with their slack, tokenized piece by piece.

1. A document is drawn by size and weight, half the samples from code; a window of it is cut at characters.
2. A task: one hole, two to four, continuation, a hole at the start, or uniform random masking at any rate.
3. Prefix, holes and what lies between are tokenized apart, as the editor will tokenize them.
4. Each hole gets a capacity: a tenth exactly its length, the rest up to 128 more, often up to the next grid position,
   so that capacity tells nothing about length.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.errors import TrainingError
from engine.tokenization import Tokenizer
from engine.training.corpus import Document
from engine.training.encoding import BulkEncoder
from engine.training.holes import one_hole, several_holes
from engine.training.samples import Piece, Records, Sample, records_of

_CHARACTERS_PER_TOKEN = 3.9
_BATCH = 2000
_MANY = 5 * _BATCH
"""So many samples are worth starting processes for."""


@dataclass(frozen=True, slots=True)
class PackingRules:
    """What samples look like.

    Attributes:
        windows: (positions, share) of window sizes. context_length: no sample is longer.
        code_share: share of the samples that are code, where there is any.
        suffix_grid, max_slack: as in the checkpoint's config.
        tasks: shares of one hole, several holes, continuation, hole at the start, random masking.
    """

    windows: tuple[tuple[int, float], ...] = ((128, 0.1), (256, 0.5), (384, 0.2), (512, 0.16), (1024, 0.04))
    context_length: int = 1024
    code_share: float = 0.5
    suffix_grid: int = 64
    max_slack: int = 128
    tasks: tuple[float, float, float, float, float] = (0.47, 0.31, 0.08, 0.04, 0.10)


@dataclass(slots=True)
class _Cut:
    """A window before tokenization: `texts` and whether each is a hole."""

    texts: list[str]
    holes: list[bool]
    starts: bool
    ends: bool
    open_end: bool = False
    """The last hole goes on past the window: its capacity is its text."""
    masked: bool = False
    """Uniform random masking: `texts` is the whole window, cut into pieces after tokenization."""


_CutBatch: TypeAlias = tuple[list[_Cut], np.random.Generator]
"""Some windows, and the random numbers that their capacities come from."""


def pack(
    documents: Sequence[Document], tokenizer: Tokenizer, count: int, rules: PackingRules, seed: int
) -> Iterator[list[Sample]]:
    """Yields `count` samples in all, in lists. The same arguments give the same samples.

    Raises:
        TrainingError: no document is long enough.
    """
    batches = _cut_batches(documents, count, rules, seed)
    encoder = BulkEncoder(tokenizer)
    for batch in batches:
        yield _tokenized(batch, encoder, rules)


def pack_records(
    documents: Sequence[Document],
    tokenizer: Tokenizer,
    count: int,
    rules: PackingRules,
    seed: int,
    *,
    processes: int | None = None,
) -> Iterator[Records]:
    """The samples of `pack` as records, made by several processes: this one cuts, the others tokenize.

    Args:
        processes: None starts one per core where there is much to do, and none where there is little.

    Raises:
        TrainingError: no document is long enough.
    """
    if processes is None:
        processes = (os.cpu_count() or 1) if count >= _MANY else 0
    if not processes:
        yield from map(records_of, pack(documents, tokenizer, count, rules, seed))
        return
    batches = _cut_batches(documents, count, rules, seed)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_prepare_there, initargs=(tokenizer, rules)) as executor:
        waiting: deque[Future[Records]] = deque()
        try:
            for batch in batches:
                waiting.append(executor.submit(_records_there, batch))
                if len(waiting) > 2 * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise TrainingError("A process that tokenizes has ended: is there too little memory?") from error
        finally:
            executor.shutdown(cancel_futures=True)


_there: list[tuple[BulkEncoder, PackingRules]] = []
"""In a process that tokenizes: its encoder."""


def _prepare_there(tokenizer: Tokenizer, rules: PackingRules) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal's Ctrl+C: the process that packs ends this one
    _there[:] = [(BulkEncoder(tokenizer), rules)]


def _records_there(batch: _CutBatch) -> Records:
    return records_of(_tokenized(batch, *_there[0]))


def _cut_batches(documents: Sequence[Document], count: int, rules: PackingRules, seed: int) -> Iterator[_CutBatch]:
    """Steps 1 and 2 of all samples. Every batch has random numbers of its own."""
    pools = [_Pool([entry for entry in documents if entry.is_code == code]) for code in (False, True)]
    if not any(pool.documents for pool in pools):
        raise TrainingError("There is no document long enough to train on.")
    for first in range(0, count, _BATCH):
        generator = np.random.default_rng((seed, first))
        cuts = []
        for _ in range(min(_BATCH, count - first)):
            code = bool(pools[1].documents) and (not pools[0].documents or generator.random() < rules.code_share)
            cuts.append(_cut(pools[code].draw(generator), rules, generator))
        yield cuts, generator


class _Pool:
    """Documents, drawn by size times weight."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = [document for document in documents if len(document.text.strip()) >= 40]
        self._ends: NDArray[np.float64] = np.cumsum([len(entry.text) * entry.weight for entry in self.documents])

    def draw(self, generator: np.random.Generator) -> Document:
        return self.documents[int(np.searchsorted(self._ends, generator.random() * self._ends[-1], side="right"))]


def _cut(document: Document, rules: PackingRules, generator: np.random.Generator) -> _Cut:
    """Steps 1 and 2."""
    sizes, shares = zip(*rules.windows, strict=True)
    positions = sizes[bisect_left(list(accumulate(shares))[:-1], generator.random() * sum(shares))]
    width = min(len(document.text), int(positions * _CHARACTERS_PER_TOKEN * generator.uniform(0.75, 1.0)))
    start = int(generator.integers(-width // 2, len(document.text) - width // 2))
    start = min(max(0, start), len(document.text) - width)
    if start and generator.random() < 0.5:
        start = document.text.rfind("\n", 0, start) + 1 if start - document.text.rfind("\n", 0, start) < 200 else start
    text = document.text[start : start + width]
    starts, ends = start == 0, start + width >= len(document.text)
    task = bisect_left(list(accumulate(rules.tasks)), generator.random())
    if task == 4:
        return _Cut([text], [False], starts, ends, masked=True)
    if task == 2:
        longest = max(1, min(len(text) - 1, int(np.exp(generator.uniform(np.log(30), np.log(800))))))
        return _Cut([text[:-longest], text[-longest:]], [False, True], starts, ends, open_end=not ends)
    if task == 3:
        spans = [(0, min(len(text), int(np.exp(generator.uniform(np.log(10), np.log(500))))))]
    else:
        several = task == 1
        spans = (
            several_holes(text, document.is_code, generator)
            if several
            else [one_hole(text, document.is_code, generator)]
        )
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    texts = [text[left:right] for left, right in pairwise(edges)]
    return _Cut(texts, [index % 2 == 1 for index in range(len(texts))], starts, ends)


def _tokenized(batch: _CutBatch, encoder: BulkEncoder, rules: PackingRules) -> list[Sample]:
    """Steps 3 and 4."""
    cuts, generator = batch
    encoded = encoder.encode_batch([text for cut in cuts for text in cut.texts])
    edges = [0, *accumulate(len(cut.texts) for cut in cuts)]
    samples = []
    for cut, first, last in zip(cuts, edges, edges[1:], strict=False):
        parts = encoded[first:last]
        if cut.masked:
            pieces = _masked_pieces(parts[0][: rules.context_length - 2], generator)
        else:
            pieces = _pieces(cut, parts, rules, generator)
        sample = _fitted(Sample(tuple(pieces), cut.starts, cut.ends and not cut.open_end), rules.context_length)
        if sample is not None:
            samples.append(sample)
    return samples


def _pieces(
    cut: _Cut, parts: Sequence[Sequence[int]], rules: PackingRules, generator: np.random.Generator
) -> list[Piece]:
    position = int(cut.starts)
    pieces = []
    for index, (ids, hole) in enumerate(zip(parts, cut.holes, strict=True)):
        capacity = 0
        if hole:
            exact = cut.open_end and index == len(parts) - 1
            capacity = len(ids) if exact else _capacity(len(ids), position, rules, generator)
        if hole or ids:
            pieces.append(Piece(tuple(ids), capacity, hole))
        position += capacity if hole else len(ids)
    return pieces


def _capacity(length: int, position: int, rules: PackingRules, generator: np.random.Generator) -> int:
    """Step 4, for a hole that begins at `position`."""
    draw = generator.random()
    if draw < 0.1:
        return max(1, length)
    slack = int(generator.integers(0, (16 if draw < 0.4 else rules.max_slack) + 1))
    end = position + length + slack
    if generator.random() < 0.5:
        end = -(-end // rules.suffix_grid) * rules.suffix_grid
    return max(1, end - position)


def _masked_pieces(ids: Sequence[int], generator: np.random.Generator) -> list[Piece]:
    """Every token of a region of at most 160 masked with one probability; runs of masks are holes without slack."""
    width = min(len(ids), int(generator.integers(16, 161)))
    first = int(generator.integers(0, len(ids) - width + 1))
    rate = generator.random()
    masked = np.zeros(len(ids), dtype=bool)
    masked[first : first + width] = generator.random(width) < rate
    if width and not masked.any():
        masked[first] = True
    edges = [0, *(np.flatnonzero(np.diff(masked)) + 1).tolist(), len(ids)]
    pieces = []
    for left, right in pairwise(edges):
        if right > left:
            hole = bool(masked[left])
            pieces.append(Piece(tuple(ids[left:right]), (right - left) * hole, hole))
    return pieces


def _fitted(sample: Sample, longest: int) -> Sample | None:
    """Shortens a sample's outer context until it fits; None where that is not enough or there is no hole."""
    if not any(piece.is_hole for piece in sample.pieces):
        return None
    excess = sample.length - longest
    if excess <= 0:
        return sample
    pieces, starts, ends = list(sample.pieces), sample.starts, sample.ends
    if not pieces[0].is_hole:
        dropped = min(excess, len(pieces[0].ids))
        pieces[0] = Piece(pieces[0].ids[dropped:])
        starts, excess = False, excess - dropped - starts
    if excess > 0 and not pieces[-1].is_hole:
        dropped = min(excess, len(pieces[-1].ids))
        pieces[-1] = Piece(pieces[-1].ids[: len(pieces[-1].ids) - dropped])
        ends, excess = False, excess - dropped - ends
    return Sample(tuple(pieces), starts, ends) if excess <= 0 else None
