"""Which samples a step takes, and their batches, made one step ahead on a thread of its own.

1. The next samples of this round's order, until their rows (known from the store, empties aside) fill the step.
2. They are dealt out to groups of like size, one group a forward pass; the groups to the processes of the run.
3. Each process puts its own groups into rows and batches.

Sample i of round r is drawn from the same seed whoever makes it, so neither the number of processes nor that of threads
changes what a step learns from.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import torch
from numpy.typing import NDArray

from engine.config import SpecialTokens
from engine.training.config import TrainConfig
from engine.training.hybrid import collate_hybrid, draw_row, expected_rows, hybrid_of, window_of
from engine.training.objective import Batch, Row, collate, make_row
from engine.training.samples import SampleStore

_ROWS_MULTIPLE = 2048
"""Batches for a GPU are padded to a multiple of so many rows: a compiled network sees few sizes."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A step's samples: groups of indices into the store, and the place in the samples behind them.

    Attributes:
        groups: one forward pass each, for all processes. round: of every sample in them.
    """

    groups: list[list[tuple[int, int]]]
    cursor: int
    round: int


@dataclass(frozen=True, slots=True)
class Work:
    """What one process does in one step, and where the next step begins. Counts are this process's own."""

    batches: list[Batch]
    rows: int
    targets: int
    tokens: int
    cursor: int
    round: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """How batches are made of samples: all that a maker in another process needs.

    Attributes:
        blocked: batches are padded and have the block table of FlexAttention (engine.training.flex).
    """

    config: TrainConfig
    folder: Path
    special: SpecialTokens
    blocked: bool = False


class Feed:
    """A run's steps as `Work`. A context: its thread (and the makers' processes) end with it.

    Args:
        recipe: how batches are made. rank, size: which of the run's processes this is. passes: groups a process needs
            at least in a step. makers: processes that make batches; 0 makes them on the thread itself.
    """

    def __init__(self, recipe: Recipe, *, rank: int = 0, size: int = 1, passes: int = 1, makers: int = 0) -> None:
        self.store = SampleStore(recipe.folder)
        self._recipe = recipe
        self._rank, self._size, self._passes = rank, size, passes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._makers: Executor | None = None
        if makers:
            context = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
            self._makers = ProcessPoolExecutor(makers, context, initializer=_open_store, initargs=(recipe,))
        self._ahead: tuple[tuple[int, int, float], Future[Work]] | None = None
        self._permutation: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, dtype=np.int64))

    def __enter__(self) -> Feed:
        """The feed itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends the thread and the makers; what was made ahead is dropped."""
        for pool in (self._thread, self._makers):
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    def take(self, cursor: int, round_: int, share: float, next_share: float) -> Work:
        """The step that begins at sample `cursor` of `round_`; the one behind it is begun at once.

        `share`, `next_share`: of the run, by which these two steps' context targets are drawn.
        """
        wanted = (cursor, round_, share)
        if self._ahead is not None and self._ahead[0] == wanted:
            work = self._ahead[1].result()
        else:
            work = self._thread.submit(self._make, *wanted).result()
        ahead = (work.cursor, work.round, next_share)
        self._ahead = (ahead, self._thread.submit(self._make, *ahead))
        return work

    def plan(self, cursor: int, round_: int, share: float) -> Plan:
        """Steps 1 and 2, the same in every process."""
        config = self._recipe.config
        predict_context = _now(config.context_targets, share)
        chosen: list[tuple[int, int]] = []
        sizes: list[int] = []
        wanted = config.rows_per_step
        hybrid = hybrid_of(config)
        while wanted > 0:
            if cursor == len(self.store):
                cursor, round_ = 0, round_ + 1
            index = int(self._order(round_)[cursor])
            clean, hole = self.store.rows(index)
            in_context = _generator(config, round_, index).random() < predict_context
            chosen.append((round_, index))
            if hybrid is not None:
                sizes.append(expected_rows(hybrid, clean))
            else:
                sizes.append(2 * clean if in_context else clean + hole)
            wanted -= sizes[-1]
            cursor += 1
        at_least = self._size * self._passes * max(1, config.accumulate)
        groups = deal(sizes, config.rows_per_batch, at_least=at_least, multiple_of=self._size)
        return Plan([[chosen[member] for member in group] for group in groups], cursor, round_)

    def _make(self, cursor: int, round_: int, share: float) -> Work:
        """Steps 1 to 3, on the thread."""
        plan = self.plan(cursor, round_, share)
        own = [group for group in plan.groups[self._rank :: self._size] if group]
        if self._makers is not None:
            futures = [self._makers.submit(_make_batch_there, group, share) for group in own]
            batches = [Batch.from_arrays(future.result()) for future in futures]
        else:
            batches = [make_batch(self._recipe, self.store, group, share) for group in own]
        if self._recipe.blocked and torch.cuda.is_available():
            batches = [batch.pinned() for batch in batches]
        return Work(
            batches,
            sum(batch.used_rows for batch in batches),
            sum(batch.predicted for batch in batches),
            sum(extent.clean for batch in batches for extent in batch.extents),
            plan.cursor,
            plan.round,
        )

    def _order(self, round_: int) -> NDArray[np.int64]:
        """A round's order of the samples."""
        if self._permutation[0] != round_:
            generator = np.random.default_rng((self._recipe.config.seed, round_))
            self._permutation = (round_, generator.permutation(len(self.store)))
        return self._permutation[1]


def make_batch(recipe: Recipe, store: SampleStore, group: Sequence[tuple[int, int]], share: float) -> Batch:
    """Step 3: one batch of the samples (round, index) of a group, at `share` of the run."""
    config = recipe.config
    if (hybrid := hybrid_of(config)) is not None:
        windows = [window_of(store[index], recipe.special) for _, index in group]
        generators = [_generator(config, *place) for place in group]
        drawn = [draw_row(*pair, hybrid) for pair in zip(windows, generators, strict=True)]
        return collate_hybrid(drawn, recipe.special)
    rows: list[Row] = []
    predict_context, next_targets = _now(config.context_targets, share), _now(config.next_targets, share)
    for round_, index in group:
        generator = _generator(config, round_, index)
        in_context, corrupt = generator.random() < predict_context, generator.random() < config.corrupted
        rows.append(
            make_row(
                store[index],
                recipe.special,
                generator,
                vocab_size=config.vocab_size,
                context_targets=in_context,
                corrupt=config.corruption if corrupt else 0.0,
                next_targets=next_targets,
            )
        )
    batch = collate(rows, recipe.special)
    return batch.blocked(_ROWS_MULTIPLE) if recipe.blocked else batch


def grouped(rows: Sequence[Row], rows_per_batch: int, at_least: int = 1) -> list[list[Row]]:
    """Rows dealt out by `deal`."""
    groups = deal([row.size for row in rows], rows_per_batch, at_least=at_least)
    return [[rows[member] for member in group] for group in groups]


def deal(sizes: Sequence[int], rows_per_batch: int, *, at_least: int = 1, multiple_of: int = 1) -> list[list[int]]:
    """Step 2: indices of `sizes` dealt out, longest first, to as many groups as keep each near `rows_per_batch`; no
    fewer than `at_least`, and a multiple of `multiple_of` (but never an empty one while there are enough)."""
    count = max(at_least, -(-sum(sizes) // rows_per_batch))
    count = -(-min(len(sizes), count) // multiple_of) * multiple_of
    groups: list[list[int]] = [[] for _ in range(count)]
    totals = [0] * count
    for member in sorted(range(len(sizes)), key=lambda member: -sizes[member]):
        lightest = totals.index(min(totals))
        groups[lightest].append(member)
        totals[lightest] += sizes[member]
    return groups


def _now(ends: tuple[float, float], share: float) -> float:
    """What goes from `ends[0]` to `ends[1]` over a run, at `share` of it."""
    return ends[0] + (ends[1] - ends[0]) * share


def _generator(config: TrainConfig, round_: int, index: int) -> np.random.Generator:
    return np.random.default_rng((config.seed, round_, index))


_there: list[tuple[Recipe, SampleStore]] = []
"""In a maker's process: its recipe, and the store it has opened."""


def _open_store(recipe: Recipe) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal's Ctrl+C: the process that trains ends this one
    torch.set_num_threads(1)
    _there[:] = [(recipe, SampleStore(recipe.folder))]


def _make_batch_there(group: Sequence[tuple[int, int]], share: float) -> dict[str, object]:
    return make_batch(*_there[0], group, share).arrays()
