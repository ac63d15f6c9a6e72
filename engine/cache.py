"""Keys and values of clean tokens, valid for one exact sequence of (token, position) in order.

Attention runs along the order, so a clean token's keys and values depend on what stands before it in the order and on
nothing else: any prefix of the order can be kept (Eso-LM, arXiv 2506.01928, section 4.2). That makes the cache exact.

It is exact to the last bit, too: the context is always computed in blocks of `BLOCK` tokens that start at multiples of
`BLOCK` in the order, and only whole blocks are reused. So every product has the same shape whether the cache was cold
or warm, and equal requests give equal results whatever ran before. (The same row in a product of another height may
differ in its last bits: seen with oneDNN.)
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.canvas import Placed

BLOCK = 32
SHARED = -1


class CleanTokenCache:
    """Preallocated keys and values, with the order they are valid for.

    Attributes:
        keys, values: (layers, heads, room, head_dim). A head's rows lie together: for a few queries most of what
            attention costs is reading them from memory, once and in order.
        order: the clean tokens whose rows are filled, in order.
        owners: for each of them the variation it belongs to, or SHARED. The context is shared by all variations of a
            request; none of its keys and values is copied.
    """

    def __init__(
        self, *, layers: int, heads: int, head_dim: int, room: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        self._rows = torch.zeros(layers, 2, heads, room, head_dim, dtype=dtype, device=device)
        self.keys, self.values = self._rows.unbind(1)
        self.order: list[Placed] = []
        self.owners: list[int] = []
        self._blocks = 0  # tokens at the start of the order that were computed in whole, aligned blocks

    def __len__(self) -> int:
        return len(self.order)

    @property
    def room(self) -> int:
        """Rows in all; clean tokens and the masks of one step must fit."""
        return self.values.shape[2]

    @property
    def memory_bytes(self) -> int:
        """Bytes of the keys and values."""
        return 2 * self.keys.numel() * self.keys.element_size()

    def common(self, order: Sequence[Placed]) -> int:
        """How many tokens at the start of `order` need not be computed again: whole aligned blocks only."""
        common = 0
        for ours, theirs in zip(self.order[: self._blocks], order, strict=False):
            if ours != theirs:
                break
            common += 1
        return common // BLOCK * BLOCK

    def reuse(self, order: Sequence[Placed]) -> int:
        """Keeps what `order` has in common with the cache and forgets the rest; returns `common(order)`."""
        self.truncate(self.common(order))
        return len(self.order)

    def append(self, tokens: Sequence[Placed], *, as_block: bool = False, owner: int = SHARED) -> None:
        """Records clean tokens whose rows [len, len + n) the model has just filled.

        `as_block`: they were computed as context, in a call that started at a multiple of BLOCK.
        """
        if as_block and len(self.order) == self._blocks and len(tokens) == BLOCK:
            self._blocks += BLOCK
        self.order.extend(tokens)
        self.owners.extend([owner] * len(tokens))

    def truncate(self, length: int) -> None:
        """Forgets everything after the first `length` tokens."""
        del self.order[length:]
        del self.owners[length:]
        self._blocks = min(self._blocks, length // BLOCK * BLOCK)

    def clear(self) -> None:
        """Forgets everything."""
        self.truncate(0)

    def check_integrity(self) -> None:
        """Raises AssertionError if the bookkeeping contradicts itself; tests call it after every operation."""
        assert self._blocks % BLOCK == 0, "reusable part is not whole blocks"
        assert self._blocks <= len(self.order) <= self.room, "more tokens than rows"
        assert len(self.owners) == len(self.order), "a token without an owner"
        assert set(self.owners[: self._blocks]) <= {SHARED}, "a variation's token in the reusable part"
        places = {(placed.position, owner) for placed, owner in zip(self.order, self.owners, strict=True)}
        assert len(places) == len(self.order), "two clean tokens at one position"
        for name, filled in (("keys", self.keys), ("values", self.values)):
            assert bool(torch.isfinite(filled[:, :, : len(self.order)].float()).all()), f"{name} that are not finite"

    def places(self, count: int) -> tuple[Tensor, ...]:
        """For each layer where the keys and values of `count` rows behind the clean tokens belong: (count, 2, heads,
        head_dim), keys first.

        What is not recorded by `append` after they were written is overwritten by the next step.
        """
        start = len(self.order)
        return self._rows[:, :, :, start : start + count].permute(0, 3, 1, 2, 4).unbind(0)
