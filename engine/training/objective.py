"""Any-order autoregression in one pass.

A sequence of a batch is [clean tokens in their order | a mask copy of every predicted token]. Clean row i
sees clean rows 0..i. The mask copy of the token with place r in the order stands at that token's position, sees clean
rows 0..r-1 and itself, and predicts the token: what the sampler computes when r tokens are clean.

Hole tokens (empties included) always have a copy. Two things teach a small model language faster than these alone, for
the rows of the context have to be run anyway. In a share of the samples the context's tokens have copies too: the same
objective over a longer order. And a share of the clean rows predict the token that stands at the next position, where
that comes next in the order: plain autoregression, which no sampler asks for, at the price of the head alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.config import SpecialTokens
from engine.training import reveal
from engine.training.extent import Extent
from engine.training.flex import Blocks, blocks_of
from engine.training.reveal import Order
from engine.training.samples import Sample


class TargetKind(IntEnum):
    """Why a row predicts a token."""

    HOLE = 0
    CONTEXT = 1
    CORRECTION = 2
    NEXT = 3


_WEIGHTS = {TargetKind.HOLE: 1.0, TargetKind.CONTEXT: 1.0, TargetKind.CORRECTION: 0.1, TargetKind.NEXT: 1.0}


@dataclass(frozen=True, slots=True)
class Row:
    """One sample, ordered. `predicted` are places in the order that have a mask copy; `corrected` are places whose
    *clean* row must give `truth` (CDLM); `leads` are places whose clean row must give the token after it. The first
    `context` places are context."""

    ids: list[int]
    positions: list[int]
    truth: list[int]
    predicted: list[int]
    corrected: list[int]
    context: int
    leads: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Rows that the network runs for it."""
        return len(self.ids) + len(self.predicted)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one forward pass, flat: sequence after sequence, each its clean tokens and then its mask copies.

    Attributes:
        ids, positions: (rows,), long. visible: (rows,), how many clean rows a mask copy sees; 0 for clean rows.
        extents: where each sequence lies.
        rows: (targets,) the rows that predict something. targets: (targets,) what they predict.
        weights: (targets,) float32. kinds: (targets,) what kind of target each is, a `TargetKind`.
        blocks: who sees whom, for FlexAttention; None where attention goes by `extents`. A batch with blocks is padded:
            with rows that see themselves, and with targets of weight 0.
        tokens: what the loss is a mean over; 0: the weights of the targets.
    """

    ids: Tensor
    positions: Tensor
    visible: Tensor
    extents: Sequence[Extent]
    rows: Tensor
    targets: Tensor
    weights: Tensor
    kinds: Tensor
    blocks: Blocks | None = None
    tokens: int = 0

    @property
    def total(self) -> float:
        """By what the summed loss is divided, together with all other batches of a step."""
        return float(self.tokens or self.weights.sum())

    @property
    def used_rows(self) -> int:
        """Rows that are not padding."""
        return sum(extent.clean + extent.copies for extent in self.extents)

    @property
    def predicted(self) -> int:
        """Number of mask copies."""
        return sum(extent.copies for extent in self.extents)

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device, without waiting where the memory is pinned."""
        return self._mapped(lambda part: part.to(device, non_blocking=True))

    def pinned(self) -> Batch:
        """The same batch in memory that a GPU can read by itself."""
        return self._mapped(Tensor.pin_memory)

    def blocked(self, rows_multiple: int) -> Batch:
        """The same batch for FlexAttention: rows, and targets too, padded to multiples of `rows_multiple`."""
        rows, targets = (-len(part) % rows_multiple for part in (self.ids, self.targets))
        pad = functional.pad
        return Batch(
            pad(self.ids, (0, rows)),
            pad(self.positions, (0, rows)),
            pad(self.visible, (0, rows)),
            self.extents,
            pad(self.rows, (0, targets)),
            pad(self.targets, (0, targets)),
            pad(self.weights, (0, targets)),
            pad(self.kinds, (0, targets), value=int(TargetKind.CORRECTION)),
            blocks_of(self.visible, self.extents, len(self.ids) + rows),
        )

    def arrays(self) -> dict[str, object]:
        """What `from_arrays` takes back in another process: plain arrays, which need no shared memory."""
        found: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        if self.blocks is not None:
            found["blocks"] = [part.numpy() for part in self.blocks.tensors()]
        return found | {name: value.numpy() for name, value in found.items() if isinstance(value, Tensor)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Any]) -> Batch:
        """A batch from another process."""
        blocks = arrays["blocks"] and Blocks(*map(torch.from_numpy, arrays["blocks"]))
        plain = {name: value for name, value in arrays.items() if name not in ("extents", "blocks", "tokens")}
        return cls(
            **{name: torch.from_numpy(value) for name, value in plain.items()},
            extents=arrays["extents"],
            blocks=blocks,
            tokens=arrays["tokens"],
        )

    def _mapped(self, function: Callable[[Tensor], Tensor]) -> Batch:
        parts = (self.ids, self.positions, self.visible, self.rows, self.targets, self.weights, self.kinds)
        ids, positions, visible, rows, targets, weights, kinds = map(function, parts)
        blocks = None if self.blocks is None else self.blocks.mapped(function)
        return Batch(ids, positions, visible, self.extents, rows, targets, weights, kinds, blocks, self.tokens)


def make_row(
    sample: Sample,
    special: SpecialTokens,
    generator: np.random.Generator,
    *,
    vocab_size: int,
    order: Order | None = None,
    alpha_0: float | None = None,
    context_targets: bool = False,
    corrupt: float = 0.0,
    next_targets: float = 0.0,
) -> Row:
    """Draws what is left to draw and puts a sample in its order.

    Args:
        order, alpha_0: fixed, or None to draw them as in training.
        context_targets: whether the context's tokens get mask copies too.
        corrupt: share of the context's tokens that is replaced by random ones.
        next_targets: share of the clean tokens whose own row predicts the token after it.
    """
    order = reveal.draw_order(generator) if order is None else order
    alpha_0 = reveal.draw_alpha_0(generator) if alpha_0 is None else alpha_0
    sequence = reveal.sequence_of(sample, special, order, alpha_0, generator)
    outside = {token for token in (special.begin, special.end) if token is not None}
    plain = [place for place in range(sequence.context) if sequence.ids[place] not in outside]
    ids = sequence.ids
    corrected: list[int] = []
    if corrupt > 0 and plain:
        ids, corrected = _corrupted(ids, plain, corrupt, vocab_size - len(special.ids()), generator)
    predicted = list(range(sequence.context, len(ids)))
    if context_targets:
        predicted = plain + predicted
    leads = _leads(sequence.positions, next_targets, generator) if next_targets > 0 else []
    leads = [place for place in leads if place not in corrected]  # a row is asked for one thing
    return Row(ids, sequence.positions, sequence.ids, predicted, corrected, sequence.context, leads)


def _leads(positions: list[int], share: float, generator: np.random.Generator) -> list[int]:
    """Places whose next in the order stands at the next position; a share of them."""
    found = [place for place, (one, two) in enumerate(pairwise(positions)) if two == one + 1]
    if share >= 1:
        return found
    draws = generator.random(len(found)).tolist()
    return [place for place, draw in zip(found, draws, strict=True) if draw < share]


def _corrupted(
    ids: list[int], plain: list[int], share: float, text_tokens: int, generator: np.random.Generator
) -> tuple[list[int], list[int]]:
    """Replaces a share of the places in `plain`, half by any token, half by one from elsewhere in the sample; returns
    the ids and the places to be corrected: the replaced ones and as many untouched."""
    count = max(1, round(share * len(plain)))
    chosen = generator.choice(plain, size=min(2 * count, len(plain)), replace=False).tolist()
    changed = list(ids)
    for place in chosen[: (len(chosen) + 1) // 2]:
        local = generator.random() < 0.5
        changed[place] = ids[plain[generator.integers(len(plain))]] if local else int(generator.integers(text_tokens))
    return changed, sorted(chosen)


class Columns:
    """The rows of a batch as lists, while sequences are joined to it."""

    def __init__(self, special: SpecialTokens) -> None:
        self._mask = special.mask
        self.ids: list[int] = []
        self.positions: list[int] = []
        self.visible: list[int] = []
        self.extents: list[Extent] = []
        self.indices: list[int] = []
        self.targets: list[int] = []

    def add(self, ids: Sequence[int], positions: Sequence[int], visible: Sequence[int], extent: Extent) -> None:
        """A sequence's clean tokens and mask copies.

        Args:
            ids: of its clean tokens. positions: of its clean tokens and its copies.
            visible: how many clean rows each copy sees. extent: where it lies: behind all that is there.
        """
        self.ids += ids
        self.ids += [self._mask] * extent.copies
        self.positions += positions
        self.visible += [0] * extent.clean
        self.visible += visible
        self.extents.append(extent)
        self.indices += range(extent.first + extent.clean, extent.first + extent.clean + extent.copies)

    def batch(self, weights: Tensor, kinds: Tensor, tokens: int = 0) -> Batch:
        """All of it on the CPU, with a weight and a kind for each target."""
        return Batch(
            _long(self.ids),
            _long(self.positions),
            _long(self.visible),
            self.extents,
            _long(self.indices),
            _long(self.targets),
            weights,
            kinds,
            tokens=tokens,
        )


def collate(rows: Sequence[Row], special: SpecialTokens) -> Batch:
    """Joins rows to one batch on the CPU."""
    columns, kinds = Columns(special), list[int]()
    for row in rows:
        first, copies = len(columns.ids), len(row.predicted)
        places = [row.positions[place] for place in row.predicted]
        columns.add(row.ids, row.positions + places, row.predicted, Extent(first, len(row.ids), copies))
        columns.indices += [first + place for place in (*row.corrected, *row.leads)]
        columns.targets += [row.truth[place] for place in (*row.predicted, *row.corrected)]
        columns.targets += [row.truth[place + 1] for place in row.leads]
        in_context = sum(place < row.context for place in row.predicted)
        kinds += [TargetKind.CONTEXT] * in_context + [TargetKind.HOLE] * (copies - in_context)
        kinds += [TargetKind.CORRECTION] * len(row.corrected) + [TargetKind.NEXT] * len(row.leads)
    chosen = _long(kinds)
    return columns.batch(torch.tensor([_WEIGHTS[kind] for kind in TargetKind])[chosen], chosen)


def _long(values: list[int]) -> Tensor:
    """A tensor by way of numpy, which reads lists three times as fast as torch."""
    return torch.from_numpy(np.array(values, dtype=np.int64))
