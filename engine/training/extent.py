"""Where a sequence lies in a training batch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extent:
    """Where a sequence lies in a flat batch: rows [first, first + clean) and then `copies` mask copies.

    The first `joint` clean rows see one another; with `in_line` a copy sees the copies before it. Neither is so in
    any-order training; where one is, attention goes by matrices (engine.training.dense).
    """

    first: int
    clean: int
    copies: int
    joint: int = 0
    in_line: bool = False

    @property
    def is_dense(self) -> bool:
        """Whether more is seen than in any-order training."""
        return self.in_line or self.joint > 0

    @property
    def clean_rows(self) -> slice:
        """Rows of the clean tokens."""
        return slice(self.first, self.first + self.clean)

    @property
    def copy_rows(self) -> slice:
        """Rows of the mask copies."""
        return slice(self.first + self.clean, self.first + self.clean + self.copies)
