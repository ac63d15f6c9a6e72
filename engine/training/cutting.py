"""Steps 1 and 2 of packing: documents are drawn, windows of them cut, and holes cut into those."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TypeAlias

import numpy as np

from engine.errors import TrainingError
from engine.training.documents import Document
from engine.training.holes import one_hole, several_holes

_CHARACTERS_PER_TOKEN = 3.9
_BATCH = 2000


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
class Cut:
    """A window before tokenization: `texts` and whether each is a hole."""

    texts: list[str]
    holes: list[bool]
    starts: bool
    ends: bool
    open_end: bool = False
    """The last hole goes on past the window: its capacity is its text."""
    masked: bool = False
    """Uniform random masking: `texts` is the whole window, cut into pieces after tokenization."""


CutBatch: TypeAlias = tuple[list[Cut], np.random.Generator]
"""Some windows, and the random numbers that their capacities come from."""


def cut_batches(documents: Sequence[Document], count: int, rules: PackingRules, seed: int) -> Iterator[CutBatch]:
    """Steps 1 and 2 of `count` samples. Every batch has random numbers of its own.

    Raises:
        TrainingError: no document is long enough.
    """
    pools = [_Pool([entry for entry in documents if entry.is_code == code]) for code in (False, True)]
    if not any(pool.documents for pool in pools):
        raise TrainingError("There is no document long enough to train on.")
    scissors = _Scissors(rules)
    for first in range(0, count, _BATCH):
        generator = np.random.default_rng((seed, first))
        cuts = []
        for _ in range(min(_BATCH, count - first)):
            code = bool(pools[1].documents) and (not pools[0].documents or generator.random() < rules.code_share)
            cuts.append(scissors.cut(pools[code].draw(generator), generator))
        yield cuts, generator


class _Pool:
    """Documents, drawn by size times weight."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = [document for document in documents if len(document.text.strip()) >= 40]
        self._ends: list[float] = np.cumsum([len(entry.text) * entry.weight for entry in self.documents]).tolist()

    def draw(self, generator: np.random.Generator) -> Document:
        return self.documents[bisect_right(self._ends, generator.random() * self._ends[-1])]


class _Scissors:
    """Cuts windows, and holes into them, by the shares of the rules."""

    def __init__(self, rules: PackingRules) -> None:
        self._sizes, shares = zip(*rules.windows, strict=True)
        self._size_ends = list(accumulate(shares))[:-1]
        self._size_sum = sum(shares)
        self._task_ends = list(accumulate(rules.tasks))

    def cut(self, document: Document, generator: np.random.Generator) -> Cut:
        text, starts, ends = self._window(document.text, generator)
        task = bisect_left(self._task_ends, generator.random())
        if task == 4:
            return Cut([text], [False], starts, ends, masked=True)
        if task == 2:
            longest = max(1, min(len(text) - 1, _any_length(generator, 30, 800)))
            return Cut([text[:-longest], text[-longest:]], [False, True], starts, ends, open_end=not ends)
        if task == 3:
            spans = [(0, min(len(text), _any_length(generator, 10, 500)))]
        elif task == 1:
            spans = several_holes(text, document.is_code, generator)
        else:
            spans = [one_hole(text, document.is_code, generator)]
        edges = [0, *(edge for span in spans for edge in span), len(text)]
        texts = [text[left:right] for left, right in pairwise(edges)]
        return Cut(texts, [index % 2 == 1 for index in range(len(texts))], starts, ends)

    def _window(self, text: str, generator: np.random.Generator) -> tuple[str, bool, bool]:
        """A part of a document, and whether it begins and ends where that does; half of those within begin a line."""
        positions = self._sizes[bisect_left(self._size_ends, generator.random() * self._size_sum)]
        width = min(len(text), int(positions * _CHARACTERS_PER_TOKEN * generator.uniform(0.75, 1.0)))
        start = int(generator.integers(-width // 2, len(text) - width // 2))
        start = min(max(0, start), len(text) - width)
        if start and generator.random() < 0.5:
            line = text.rfind("\n", 0, start)
            start = line + 1 if start - line < 200 else start
        return text[start : start + width], start == 0, start + width >= len(text)


def _any_length(generator: np.random.Generator, least: int, most: int) -> int:
    """Characters, shorter ones likelier."""
    return int(np.exp(generator.uniform(np.log(least), np.log(most))))
