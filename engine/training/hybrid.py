"""The training objectives of the Eso-LM paper (arXiv 2506.01928, sections 3 and 4) and the two ends of their scale.

Each token x of a window is noised on its own: at time t in [0, 1] it is still there with probability
alpha_t = alpha_0 (1 - t) (log-linear). What is left at t = 0 is z_0. The bound on -log p(x), in nats, is

    E_t [ alpha_0 / (1 - alpha_t) * sum over the masked of -log p(x | z_t) ]      diffusion
  + E   [ sum over the masked of z_0 of -log p(x | z_0, the masked before x) ]    sequential

Diffusion rows: [clean | masks], the masks in a random order, each seeing the clean tokens and the masks before it.
Sequential rows: [clean | masked, true, left to right | a copy of each, masked]; a copy sees the clean tokens, the true
ones before its own, and itself. In (B) clean tokens see those before them in a random order, in (A) all of each other.

A sample serves one of the two terms, drawn by `batch_split`, and is weighted by the inverse of its share, so that the
expected loss a token is the bound. alpha_0 = 0 leaves the sequential term alone: plain autoregression; alpha_0 = 1 the
diffusion term: MDLM's bound (arXiv 2406.07524), with Eso-LM's attention.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import torch
from numpy.typing import NDArray

from engine.config import Attention, SpecialTokens
from engine.training.config import TrainConfig
from engine.training.extent import Extent
from engine.training.objective import Batch, Columns, TargetKind
from engine.training.samples import Sample

LEAST_TIME = 1e-3
"""t is drawn from [LEAST_TIME, 1], as in the reference: at 0 the weight of a mask has no bound."""


class Phase(Enum):
    """Which term of the bound a row serves."""

    DIFFUSION = "diffusion"
    SEQUENTIAL = "sequential"


@dataclass(frozen=True, slots=True)
class Hybrid:
    """What a hybrid objective is.

    Attributes:
        alpha_0: share of the tokens that diffusion writes. split: share of the samples that serve the diffusion term.
        flat: every mask of the diffusion term weighs 1: the reference's `low_var`, no longer a bound.
    """

    attention: Attention
    alpha_0: float
    split: float = 0.5
    flat: bool = False

    def share(self, phase: Phase) -> float:
        """Share of the samples that serve a term; all serve one where the other is nothing."""
        diffusion = self.alpha_0 if self.alpha_0 in (0.0, 1.0) else self.split
        return diffusion if phase is Phase.DIFFUSION else 1 - diffusion

    def kept(self, time: float) -> float:
        """alpha_t: the probability that a token is still there."""
        return self.alpha_0 * (1 - time)

    def weight(self, time: float) -> float:
        """-alpha_t' / (1 - alpha_t): what a mask of the diffusion term weighs."""
        return 1.0 if self.flat else self.alpha_0 / (1 - self.kept(time))


@dataclass(frozen=True, slots=True)
class Window:
    """A window's tokens, left to right, at positions 0, 1, ...; the first `given` (begin) are never noised."""

    ids: tuple[int, ...]
    given: int

    @property
    def noised(self) -> int:
        """Tokens that the bound is about."""
        return len(self.ids) - self.given


@dataclass(frozen=True, slots=True)
class HybridRow:
    """A noised window, arranged. Clean rows come first: `clean` of z_t, then those that the sequential phase wrote.

    Attributes:
        ids, positions: of the clean rows. joint: how many of them see one another (0: along the order).
        targets, places, visible: per mask its true token, its position, and how many clean rows it sees.
        in_line: whether a mask sees the masks before it. weight: of each target. tokens: the window's, noised or not.
    """

    ids: tuple[int, ...]
    positions: tuple[int, ...]
    joint: int
    targets: tuple[int, ...]
    places: tuple[int, ...]
    visible: tuple[int, ...]
    in_line: bool
    weight: float
    tokens: int


def hybrid_of(config: TrainConfig) -> Hybrid | None:
    """The hybrid objective that a config asks for; None for any-order training."""
    flat = config.diffusion_weight == "flat"
    match config.objective:
        case "eso-a":
            return Hybrid(Attention.MIXED2, config.alpha_0, config.batch_split, flat)
        case "eso-b":
            return Hybrid(Attention.CAUSAL, config.alpha_0, config.batch_split, flat)
        case "ar":
            return Hybrid(Attention.CAUSAL, 0.0)
        case "mdlm":
            return Hybrid(Attention.MIXED2, 1.0, flat=flat)
    return None


def model_entries(hybrid: Hybrid, special: SpecialTokens) -> dict[str, object]:
    """What config.json says differently of a model trained so: it knows neither slack nor the empty token, and its
    masks see the masks before them, unless it never saw two at once."""
    names = ("mask", "begin", "end", "pad")
    return {
        "attention": hybrid.attention.value,
        "masks_see_masks": hybrid.alpha_0 > 0,
        "context_orders": ["prefix_first"],
        "suffix_grid": 1,
        "max_slack": 0,
        "special_tokens": {name: getattr(special, name) for name in names},
        "trained_alpha_0": [hybrid.alpha_0, hybrid.alpha_0],
    }


def window_of(sample: Sample, special: SpecialTokens) -> Window:
    """All text of a sample, holes included, without their slack."""
    begin = [special.begin] if sample.starts and special.begin is not None else []
    end = [special.end] if sample.ends and special.end is not None else []
    text = [token for piece in sample.pieces for token in piece.ids]
    return Window((*begin, *text, *end), len(begin))


def draw_row(window: Window, generator: np.random.Generator, hybrid: Hybrid) -> HybridRow:
    """One window for training: its term and its time drawn, its weight the inverse of its term's share."""
    coin, time = generator.random(), LEAST_TIME + (1 - LEAST_TIME) * generator.random()
    phase = Phase.DIFFUSION if coin < hybrid.share(Phase.DIFFUSION) else Phase.SEQUENTIAL
    row = noised(window, generator, hybrid, phase, time)
    return replace(row, weight=row.weight / hybrid.share(phase))


def noised(
    window: Window, generator: np.random.Generator, hybrid: Hybrid, phase: Phase, time: float = 0.0
) -> HybridRow:
    """One term of the bound: the noise (at `time`; the sequential term is always at 0) and the order are drawn."""
    time = time if phase is Phase.DIFFUSION else 0.0
    masked = generator.random(len(window.ids)) >= hybrid.kept(time)
    masked[: window.given] = False
    weight = hybrid.weight(time) if phase is Phase.DIFFUSION else 1.0
    return arrange(window, hybrid, masked, generator.permutation(len(window.ids)), phase, weight)


def arrange(
    window: Window,
    hybrid: Hybrid,
    masked: NDArray[np.bool_],
    order: NDArray[np.int64],
    phase: Phase,
    weight: float,
) -> HybridRow:
    """Puts a noised window into rows. `order` is a permutation of its places: of the clean tokens (but for those that
    are given, which come first) and, in the diffusion phase, of the masks."""
    given = list(range(window.given))
    clean = given + [int(place) for place in order if place >= window.given and not masked[place]]
    joint = len(clean) if hybrid.attention is Attention.MIXED2 else 0
    if phase is Phase.DIFFUSION:
        hidden = [int(place) for place in order if masked[place]]
        visible = [len(clean)] * len(hidden)
        rows = clean
    else:
        hidden = np.flatnonzero(masked).tolist()
        visible = list(range(len(clean), len(clean) + len(hidden)))
        rows = clean + hidden
    return HybridRow(
        ids=tuple(window.ids[place] for place in rows),
        positions=tuple(rows),
        joint=joint,
        targets=tuple(window.ids[place] for place in hidden),
        places=tuple(hidden),
        visible=tuple(visible),
        in_line=phase is Phase.DIFFUSION,
        weight=weight,
        tokens=window.noised,
    )


def collate_hybrid(rows: Sequence[HybridRow], special: SpecialTokens) -> Batch:
    """Joins rows to one batch on the CPU, whose loss is a mean over all tokens of the windows."""
    columns, weights = Columns(special), list[float]()
    for row in rows:
        copies = len(row.targets)
        extent = Extent(len(columns.ids), len(row.ids), copies, row.joint, row.in_line)
        columns.add(row.ids, row.positions + row.places, row.visible, extent)
        columns.targets += row.targets
        weights += [row.weight] * copies
    kinds = torch.full((len(weights),), int(TargetKind.HOLE))
    return columns.batch(torch.tensor(weights, dtype=torch.float32), kinds, sum(row.tokens for row in rows))


def expected_rows(hybrid: Hybrid, clean: int) -> int:
    """About how many rows the network runs for a sample of so many tokens."""
    sequential = hybrid.share(Phase.SEQUENTIAL)
    return round(clean * (1 + sequential * (1 - hybrid.alpha_0)))
