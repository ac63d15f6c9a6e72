"""What a draft looks like while it sharpens, and the figures of its run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CellState(StrEnum):
    """How far one cell of a draft has come."""

    MASKED = "masked"
    REVEALED = "revealed"
    """Accepted in the step that this frame shows."""
    ACCEPTED = "accepted"
    """Accepted in an earlier step."""
    KEPT = "kept"
    """Not masked in this run (refine): the user's own text."""
    DOUBTFUL = "doubtful"
    """Accepted, with a probability under the doubt threshold."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of a draft: whole characters only (a byte-level token that is half a character is held back).

    A masked cell has no text and stands for one position. `confidence` is the probability with which the token was
    chosen (0 to 1; 0 for masked cells, 1 for kept ones).
    """

    text: str
    state: CellState
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class SpanDraft:
    """The state of one span in one frame."""

    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """What is revealed so far, masks left out."""
        return "".join(cell.text for cell in self.cells)


@dataclass(frozen=True, slots=True)
class RunStats:
    """True figures of a run so far. `nfe` counts forward passes after the prefill of the context, without those that
    only judge several results."""

    nfe: int = 0
    written_tokens: int = 0
    reused_tokens: int = 0
    computed_tokens: int = 0
    elapsed_ms: float = 0.0
    first_frame_ms: float = 0.0
    prefill_ms: float = 0.0

    @property
    def tokens_per_s(self) -> float:
        """Tokens written a second of denoising (the prefill not counted)."""
        denoising_ms = self.elapsed_ms - self.prefill_ms
        return 1000.0 * self.written_tokens / denoising_ms if denoising_ms > 0 else 0.0
