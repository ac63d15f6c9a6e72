"""What the engine asks of a model family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from engine.cache import CleanTokenCache
    from engine.canvas import Placed
    from engine.config import CheckpointConfig
    from engine.tokenization import Tokenizer
    from engine.types import ModelInfo


class Feed(NamedTuple):
    """What one variation feeds in one step: newly clean tokens in order, then positions to predict.

    `sequential`: the clean tokens were written one by one after the diffusion phase. Eso-LM (A) attends along the order
    from there on; it makes no difference to a model that always does.
    """

    variation: int
    clean: Sequence[Placed]
    masked: Sequence[int]
    sequential: bool = False

    def seen(self) -> Sequence[int] | None:
        """What `ModelAdapter.step` needs as `seen` for Eso-LM (A)."""
        return [len(self.clean)] * len(self.masked) if self.sequential else None


class ModelAdapter(Protocol):
    """A loaded model. Not thread-safe: it belongs to the engine's thread."""

    info: ModelInfo
    config: CheckpointConfig
    tokenizer: Tokenizer

    def new_cache(self) -> CleanTokenCache:
        """An empty cache that fits the model."""
        ...

    def release(self) -> None:
        """Gives back all memory but the weights'; the next step takes it again. Caches may forget what they hold."""
        ...

    def step(
        self,
        cache: CleanTokenCache,
        clean: Sequence[Placed],
        masked: Sequence[int],
        *,
        seen: Sequence[int] | None = None,
        as_block: bool = False,
    ) -> Tensor:
        """One forward pass on top of the cache: new clean tokens, then masks.

        Args:
            cache: its order is extended by `clean`; keys and values of the masks are not kept.
            clean: newly clean tokens, in order; each sees the cache and those before it.
            masked: positions to predict; each sees the cache, the clean tokens and itself.
            seen: per mask, how many of this call's clean tokens it sees; None: all. (Exact likelihood of a run of
                tokens in one pass.)
            as_block: the clean tokens are a block of context that starts at a multiple of `cache.BLOCK`.

        Returns:
            Logits (len(masked), vocab) at the masks, each predicting the token at its own position.
        """
        ...

    def step_batch(self, cache: CleanTokenCache, feeds: Sequence[Feed]) -> list[Tensor]:
        """One forward pass for several variations on one shared context, which is not copied.

        A variation's rows see the shared context, what this variation fed before, and its own new rows as in `step`.

        Returns:
            For each feed its logits (len(masked), vocab).
        """
        ...
