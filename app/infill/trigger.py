"""When a continuation is suggested to someone who types. Pure: it is told what is, and says whether and how soon."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_WAIT_MS = 600
"""How long typing must pause while nothing is known of the engine's speed."""
SHORTEST_WAIT_MS, LONGEST_WAIT_MS = 300, 1_500
NEWEST = 0.3
"""Weight of the newest suggestion in the latency."""
MOST_TYPED = 2
"""Characters that one key puts in; more at once was pasted, accepted or brought back."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What is when typing has paused.

    Attributes:
        before, after: of the caret's line, the text before and after the caret.
        is_composing: an input method is at work. has_selection: something is selected, or there are several carets.
        is_busy: a run is on its way or a proposal waits. is_ready: a model is loaded.
    """

    before: str
    after: str
    is_composing: bool = False
    has_selection: bool = False
    is_busy: bool = False
    is_ready: bool = True

    @property
    def wants_suggestion(self) -> bool:
        """Only at the end of a line that has text: elsewhere it would be in the way, and on an empty line of Tab, which
        indents there."""
        if self.is_composing or self.has_selection or self.is_busy or not self.is_ready:
            return False
        return bool(self.before.strip()) and not self.after.strip()


class Debounce:
    """How long typing must pause: half of what a suggestion takes, so that those which come to nothing cost less than
    those which are read; never so short that every word starts one."""

    def __init__(self) -> None:
        self._latency_ms: float | None = None

    @property
    def wait_ms(self) -> int:
        """Milliseconds without a key."""
        if self._latency_ms is None:
            return FIRST_WAIT_MS
        return round(min(LONGEST_WAIT_MS, max(SHORTEST_WAIT_MS, self._latency_ms / 2)))

    def learn(self, latency_ms: float) -> None:
        """Takes into account how long a suggestion took."""
        old = self._latency_ms
        self._latency_ms = latency_ms if old is None else (1 - NEWEST) * old + NEWEST * latency_ms


def is_typing(removed: int, inserted: int) -> bool:
    """Whether an edit looks like a key."""
    return removed == 0 and 1 <= inserted <= MOST_TYPED
