"""A training sample as it lies on disk: the pieces of one window of a document, tokenized apart.

Everything random that may differ from one epoch to the next (order, alpha_0, reveal order, corruption) is drawn later,
by engine.training.objective; a sample only fixes the text, the holes and their capacities.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import cast

import numpy as np

from engine.errors import TrainingError

_STARTS, _ENDS = 1, 2
_FILES = ("samples.bin", "offsets.npy", "rows.npy")


@dataclass(frozen=True, slots=True)
class Piece:
    """Context or a hole. `capacity` is 0 for context, and at least `len(ids)` for a hole, the positions it has."""

    ids: tuple[int, ...]
    capacity: int = 0
    is_hole: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """One window: pieces from left to right. `starts` / `ends`: whether it begins / ends where its document does."""

    pieces: tuple[Piece, ...]
    starts: bool
    ends: bool

    @property
    def length(self) -> int:
        """Positions of the whole canvas, begin and end included."""
        places = sum(piece.capacity if piece.is_hole else len(piece.ids) for piece in self.pieces)
        return places + self.starts + self.ends

    @property
    def clean_rows(self) -> int:
        """Tokens of the text and the special ones (empties not counted)."""
        return sum(len(piece.ids) for piece in self.pieces) + self.starts + self.ends

    @property
    def hole_rows(self) -> int:
        """Tokens of the holes' text."""
        return sum(len(piece.ids) for piece in self.pieces if piece.is_hole)


class SampleStore:
    """Memory-mapped samples (uint16). A sample is [flags, pieces, (hole?, length, capacity) each, ids...]."""

    def __init__(self, folder: Path) -> None:
        """Opens what `write_samples` wrote.

        Raises:
            TrainingError: a file is missing or does not fit the others.
        """
        try:
            self._offsets = np.load(folder / _FILES[1], allow_pickle=False)
            self._rows = np.load(folder / _FILES[2], allow_pickle=False)
            self._data = np.memmap(folder / _FILES[0], dtype=np.uint16, mode="r")
        except (OSError, ValueError) as error:
            raise TrainingError(f"The packed samples in {folder} cannot be read: {error}.") from error
        if len(self._rows) != len(self) or int(self._offsets[-1]) != len(self._data):
            raise TrainingError(f"The packed samples in {folder} are damaged: delete the folder and pack again.")

    def __len__(self) -> int:
        """Number of samples."""
        return len(self._offsets) - 1

    def rows(self, index: int) -> tuple[int, int]:
        """(clean rows, hole rows) of a sample, without reading it."""
        clean, hole = self._rows[index]
        return int(clean), int(hole)

    def total_rows(self) -> tuple[int, int]:
        """(clean rows, hole rows) of all samples together."""
        clean, hole = self._rows.astype(np.int64).sum(axis=0)
        return int(clean), int(hole)

    def __getitem__(self, index: int) -> Sample:
        """Reads one sample."""
        return _sample(self._data[self._offsets[index] : self._offsets[index + 1]].tolist())


@dataclass(frozen=True, slots=True)
class Records:
    """Samples as they lie on disk: `data` (uint16) of all, and of each its length and its (clean, hole) rows.

    `text_bytes`: UTF-8 bytes of the text that they were made from, where that is known.
    """

    data: bytes
    lengths: list[int]
    rows: list[tuple[int, int]]
    text_bytes: int = 0

    @property
    def least_rows(self) -> int:
        """Rows of the network that a run needs for these samples, whatever it draws: the clean tokens."""
        return sum(clean for clean, _ in self.rows)


def records_of(samples: Sequence[Sample]) -> Records:
    """The records of some samples."""
    lengths: list[int] = []
    numbers: list[int] = []
    for sample in samples:
        before = len(numbers)
        numbers += _record(sample)
        lengths.append(len(numbers) - before)
    rows = [(sample.clean_rows, sample.hole_rows) for sample in samples]
    return Records(np.array(numbers, dtype=np.uint16).tobytes(), lengths, rows)


def samples_of(records: Records) -> list[Sample]:
    """The samples of some records."""
    numbers = np.frombuffer(records.data, dtype=np.uint16).tolist()
    edges = pairwise([0, *accumulate(records.lengths)])
    return [_sample(numbers[first:last]) for first, last in edges]


def record_head(starts: bool, ends: bool, pieces: Iterable[tuple[bool, int, int]]) -> list[int]:
    """What stands before the ids of a sample whose pieces are (hole?, length, capacity)."""
    numbers = list(chain.from_iterable(pieces))
    return [_STARTS * starts + _ENDS * ends, len(numbers) // 3, *numbers]


def write_samples(folder: Path, batches: Iterable[Sequence[Sample] | Records], about: dict[str, object]) -> int:
    """Writes samples as they come, with `about` as about.json beside them; returns how many there are.

    Raises:
        TrainingError: there are none, or the disk is full.
    """
    lengths: list[int] = []
    rows: list[tuple[int, int]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / _FILES[0]).open("wb") as stream:
            for batch in batches:
                records = batch if isinstance(batch, Records) else records_of(batch)
                stream.write(records.data)
                lengths += records.lengths
                rows += records.rows
        if not rows:
            raise TrainingError("There is no document long enough to train on.")
        np.save(folder / _FILES[1], np.cumsum([0, *lengths], dtype=np.int64))
        np.save(folder / _FILES[2], np.array(rows, dtype=np.int32))
        (folder / "about.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise TrainingError(f"The packed samples cannot be written to {folder}: {error}.") from error
    return len(rows)


def read_about(folder: Path) -> dict[str, object]:
    """What `write_samples` noted about the samples; empty when there are none yet."""
    try:
        return cast(dict[str, object], json.loads((folder / "about.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _record(sample: Sample) -> list[int]:
    pieces = [(piece.is_hole, len(piece.ids), piece.capacity) for piece in sample.pieces]
    record = record_head(sample.starts, sample.ends, pieces)
    for piece in sample.pieces:
        record += piece.ids
    return record


def _sample(record: list[int]) -> Sample:
    flags, count = record[0], record[1]
    place = 2 + 3 * count
    pieces = []
    for number in range(count):
        hole, length, capacity = record[2 + 3 * number : 5 + 3 * number]
        pieces.append(Piece(tuple(record[place : place + length]), capacity, bool(hole)))
        place += length
    return Sample(tuple(pieces), bool(flags & _STARTS), bool(flags & _ENDS))
