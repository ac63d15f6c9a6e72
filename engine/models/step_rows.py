"""A step's rows as plain numbers, padded to a few sizes, so that a step can be the same operations on the same memory
every time.

A row of a step is told by six integers: its token, its position, the cache row that takes its key and value, the end
of what it sees of the order, and whose it is. That covers the ordinary step, a batch of variations and a likelihood
along an order. Padding writes to a cache row that nothing ever sees.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.cache import SHARED
from engine.canvas import Placed
from engine.models.base import Feed

ROW_COUNTS = (2, 4, 8, 16, 32, 64, 128, 256)
"""Rows that a step is padded to. (Two at least: with one, CUDA's scans and products take other paths.)"""
LEAST_COLUMNS = 256

IDS, POSITIONS, PLACES, UNTIL, OWNERS, WANTED = range(6)
"""Rows of what `StepRows.packed` returns."""


@dataclass(frozen=True, slots=True)
class StepRows:
    """One step's rows, in the order they are fed: clean tokens first, then masks.

    Attributes:
        until: a row sees the cache rows before this one, and its own.
        owners: the variation a row belongs to: it sees rows of its own variation and shared ones. SHARED sees all.
        clean: how many rows are clean tokens; the logits of the others are wanted.
        start: the cache row of the first of them.
    """

    ids: list[int]
    positions: list[int]
    until: list[int]
    owners: list[int]
    clean: int
    start: int

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def masked(self) -> int:
        """Rows whose logits are wanted."""
        return len(self.ids) - self.clean

    def packed(self, count: int, spill: int) -> Tensor:
        """(6, count) integers on the CPU; padding writes to the cache row `spill` and sees the first cache row."""
        pad = count - len(self.ids)
        places = range(self.start, self.start + len(self.ids))
        return torch.tensor(
            [
                [*self.ids, *[0] * pad],
                [*self.positions, *[0] * pad],
                [*places, *[spill] * pad],
                [*self.until, *[1] * pad],
                [*self.owners, *[SHARED] * pad],
                [*range(self.clean, len(self.ids)), *[0] * (count - self.masked)],
            ]
        )


def rows_of_step(
    start: int,
    clean: Sequence[Placed],
    masked: Sequence[int],
    *,
    mask: int,
    seen: Sequence[int] | None,
    masks_see_masks: bool,
) -> StepRows:
    """The rows of `ModelAdapter.step` on a cache that holds `start` tokens."""
    count = len(clean)
    if seen is not None:
        until = [start + number for number in seen]
    elif masks_see_masks:
        until = [start + count + index for index in range(len(masked))]
    else:
        until = [start + count] * len(masked)
    return StepRows(
        ids=[*(placed.token for placed in clean), *[mask] * len(masked)],
        positions=[*(placed.position for placed in clean), *masked],
        until=[*range(start, start + count), *until],
        owners=[SHARED] * (count + len(masked)),
        clean=count,
        start=start,
    )


def rows_of_batch(start: int, feeds: Sequence[Feed], *, mask: int, masks_see_masks: bool) -> StepRows:
    """The rows of `ModelAdapter.step_batch`: all clean tokens, then all masks, told apart by their owners."""
    rows = rows_of_step(
        start,
        [placed for feed in feeds for placed in feed.clean],
        [position for feed in feeds for position in feed.masked],
        mask=mask,
        seen=None,
        masks_see_masks=masks_see_masks,
    )
    clean = [feed.variation for feed in feeds for _ in feed.clean]
    rows.owners[:] = [*clean, *(feed.variation for feed in feeds for _ in feed.masked)]
    return rows


def padded_rows(rows: int) -> int:
    """The size that so many rows are padded to; more than the largest stay as they are."""
    index = bisect_left(ROW_COUNTS, rows)
    return ROW_COUNTS[index] if index < len(ROW_COUNTS) else rows


def padded_columns(columns: int, room: int) -> int:
    """How many cache rows a step looks at that needs `columns` of them: 256 times 1, 1.5, 2, 3, 4, 6 …, or all."""
    size = LEAST_COLUMNS
    while size < columns:
        size = size * 3 // 2 if size & (size - 1) == 0 else size * 4 // 3
    return min(size, room)
