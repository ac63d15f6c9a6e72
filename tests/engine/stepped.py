"""A real tiny model that takes a step only when it is allowed to: tests count steps, none sleeps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cache import CleanTokenCache
from engine.canvas import Placed
from engine.models.base import Feed
from engine.types import Cancelled, Doubted, Ending, Event, Failed, Finished, Frame, ModelReady, Prewarmed, Scored
from tests.engine.tiny import load_tiny, write_checkpoint

if TYPE_CHECKING:
    from torch import Tensor

PATIENCE = 20.0
"""Seconds until a test gives up; nothing ever waits that long when all is well."""


class SteppedModel:
    """Wraps an adapter; a step with masks blocks until `allow` has let it through."""

    def __init__(self, folder: Path) -> None:
        self._adapter = load_tiny(write_checkpoint(folder))
        self.info = self._adapter.info
        self.config = self._adapter.config
        self.tokenizer = self._adapter.tokenizer
        self._allowed = threading.Semaphore(0)
        self.steps = 0
        self.fail_at_step: tuple[int, Exception] | None = None

    def allow(self, steps: int) -> None:
        """Lets `steps` more denoising steps through."""
        self._allowed.release(steps)

    def new_cache(self) -> CleanTokenCache:
        return self._adapter.new_cache()

    def release(self) -> None:
        self._adapter.release()

    def step(
        self,
        cache: CleanTokenCache,
        clean: Sequence[Placed],
        masked: Sequence[int],
        *,
        seen: Sequence[int] | None = None,
        as_block: bool = False,
    ) -> Tensor:
        if masked and seen is None:
            assert self._allowed.acquire(timeout=PATIENCE), "the test never allowed this step"
            self.steps += 1
            if self.fail_at_step is not None and self.steps == self.fail_at_step[0]:
                raise self.fail_at_step[1]
        return self._adapter.step(cache, clean, masked, seen=seen, as_block=as_block)

    def step_batch(self, cache: CleanTokenCache, feeds: Sequence[Feed]) -> list[Tensor]:
        assert self._allowed.acquire(timeout=PATIENCE), "the test never allowed this step"
        self.steps += 1
        return self._adapter.step_batch(cache, feeds)


class Events:
    """Collects a job's events and waits for what a test wants to see."""

    def __init__(self, then: Callable[[Event], None] | None = None) -> None:
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self._then = then

    def __call__(self, event: Event) -> None:
        if self._then is not None:
            self._then(event)
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[list[Event]], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: wanted(self._events), PATIENCE), self._events

    def ending(self) -> Ending:
        self.wait_for(lambda events: any(is_ending(event) for event in events))
        return next(event for event in self._events if is_ending(event))  # type: ignore[return-value]

    def wait_for_frames(self, count: int) -> list[Frame]:
        self.wait_for(lambda events: sum(isinstance(event, Frame) for event in events) >= count)
        return self.frames

    @property
    def frames(self) -> list[Frame]:
        return [event for event in self._events if isinstance(event, Frame)]

    @property
    def endings(self) -> int:
        return sum(is_ending(event) for event in self._events)


def is_ending(event: Event) -> bool:
    return isinstance(event, Finished | Scored | Doubted | Prewarmed | Cancelled | Failed | ModelReady)
