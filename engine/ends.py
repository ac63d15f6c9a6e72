"""Step 5 of the reverse process (see `engine.denoise`): where a hole ends is drawn once more, now that its text stands.

Parallel steps decide a hole's length before its text is written, and the rest is then written to fit. A small model
often fails at that: the text breaks off in the middle. But the model also knows, for a text read from left to right,
the chance that it ends before each of its positions: the chance of an empty token there, given the text before. All of
these come from one pass over the hole: its tokens, clean, from left to right, and a mask at each of the positions,
which sees the tokens before its own. So the length is drawn again given the text, as if the text went on for ever and
one had to choose where to stop reading: Gibbs sampling of the length, with the continuation as auxiliary variable (data
augmentation; Tanner and Wong, 1987). The steps for a hole, numbered once:

1. Look: one pass, as above, over the last `WINDOW` positions. An end that is at least `SURE` stands.
2. Draw the end (`engine.stopping.draw_end`). Text after it is taken back.
3. Where the draw passes all of them by: go on to the right, for at most `REACH` passes in all, until an empty token is
   drawn. There, as at the hole's limit, the end is one of those passed by, or, if these together are less likely than
   `FAINT`, stays where it was.

An end that the sequential phase drew, given the text before it, stands without a look if it was at least `SURE`, and
always where no text was written in parallel.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.models.base import Feed
from engine.passes import DenoiseSettings, DenoisingStep, Pass, Steps, common_beginning
from engine.stopping import draw_end

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

    from engine.canvas import MaskedSpan
    from engine.schedule import Plan
    from engine.writer import Writer

WINDOW = 64
"""Positions of a hole where its end is looked for: the last ones."""
REACH = 8
"""Most passes for a hole."""
FAINT = 0.1
"""Ends that together are less likely are no better than the one that was drawn first."""
SURE = 0.5
"""An end that is at least as likely, given the text before it, stands."""


class EndsDrawnAgain:
    """The ends of one canvas. Those are open that step 5 may move; a run that is parallel throughout has none, as its
    passes are counted before."""

    def __init__(self, writer: Writer, plan: Plan, settings: DenoiseSettings) -> None:
        self._writer = writer
        self._parallel = plan.parallel > 0
        self._reach = REACH if self._parallel else 1  # else only holes at their limit are open
        is_greedy = plan.parallel == 0 and settings.rule.temperature == 0.0  # which has taken the likeliest ends
        self._open: list[MaskedSpan] = []
        if settings.redraw_ends and plan.parallel < len(plan.order) and not is_greedy:
            self._open = [hole for hole in writer.canvas.holes if _may_move(hole)]
        writer.kept_back = self._reach * len(self._open)

    def note(self, hole: MaskedSpan, chance: float) -> None:
        """The end of a hole was drawn from left to right, with this chance."""
        if chance >= SURE or not self._parallel:
            self._close(hole)

    def steps(self) -> Steps:
        """Draws the open ends again. The first pass is on the context alone."""
        self._writer.fed, self._writer.took_back = [], True
        while self._open:
            hole = self._open[0]
            self._close(hole)
            yield from _Redraw(self._writer, hole).steps(self._reach)

    def _close(self, hole: MaskedSpan) -> None:
        self._open = [other for other in self._open if other is not hole]
        self._writer.kept_back = self._reach * len(self._open)


class _Redraw:
    """One hole whose end is drawn again."""

    def __init__(self, writer: Writer, hole: MaskedSpan) -> None:
        self._writer, self._hole, self._old_end = writer, hole, hole.end
        self._places: list[int] = []
        self._chances: list[float] = []

    def steps(self, reach: int) -> Steps:
        """Steps 1 to 3."""
        logits = yield from self._look()
        is_sure = self._places[-1] == self._old_end and self._chances[-1] >= SURE
        is_full = self._old_end == self._hole.limit
        end = self._old_end if is_sure else self._draw(may_go_on=not is_full)
        if end is not None or is_full:
            yield self._end_at(end, [])
        else:
            yield from self._go_on(logits[-1:], min(self._old_end + reach, self._hole.limit))

    def _look(self) -> Generator[Pass, Tensor, Tensor]:
        """Step 1: what the model says where the hole might end."""
        writer, hole = self._writer, self._hole
        others = writer.canvas.put_last(hole)
        order = writer.canvas.accepted[: others + hole.end - hole.start]
        last = min(hole.end, hole.limit - 1)
        room = min(WINDOW, writer.room - len(order))
        self._places = list(range(max(hole.start + hole.least, last + 1 - room), last + 1))
        kept = min(others, common_beginning(writer.fed, order))
        seen = [others - kept + position - hole.start for position in self._places]
        logits = yield Pass(Feed(writer.variation, order[kept:], self._places), kept, seen)
        writer.fed = order
        writer.done += 1
        self._chances = writer.chances_of_ending(logits)
        return logits

    def _draw(self, *, may_go_on: bool) -> int | None:
        """Step 2."""
        if not may_go_on and math.prod(1.0 - chance for chance in self._chances) > 1.0 - FAINT:
            return None
        place = draw_end(self._chances, self._writer.rule, self._writer.uniform(), may_go_on=may_go_on)
        return None if place is None else self._places[place]

    def _go_on(self, logits: Tensor, stop: int) -> Steps:
        """Step 3, up to `stop`. `logits`: those at the old end."""
        writer, hole = self._writer, self._hole
        writer.reopen(hole, stop)
        accepted = writer.take(self._old_end, writer.draw(logits, [self._old_end], [False]))
        yield self._went_on(self._old_end, accepted, stop)
        for position in range(self._old_end + 1, stop):
            drawn, _ = yield from writer.forward([position], sequential=True)
            self._places.append(position)
            self._chances.append(drawn.endings[0])
            yield self._went_on(position, writer.take(position, drawn), stop)
            if hole.end <= position:
                return

    def _went_on(self, position: int, accepted: list[int], stop: int) -> DenoisingStep:
        """A position was written; where that was the last one in reach, the end is one of those passed by."""
        if self._hole.end > position == stop - 1:
            return self._end_at(self._draw(may_go_on=False), accepted)
        return self._writer.report(accepted, (), max(0, self._hole.end - position - 1))

    def _end_at(self, position: int | None, accepted: list[int]) -> DenoisingStep:
        """Ends the hole there; None: where it ended before."""
        position = self._old_end if position is None else position
        if position == self._hole.end:
            return self._writer.report(accepted, (), 0)
        return self._writer.report([position], self._writer.end_at(self._hole, position), 0)


def _may_move(hole: MaskedSpan) -> bool:
    """Whether a hole might have more than one length."""
    return hole.can_shrink and hole.start + hole.least < hole.limit
