"""Steps 2 to 5 of the reverse process (see `engine.denoise`) for one canvas, without the model: whoever drives a
`Reversal` carries out the passes it asks for, for one canvas or for a batch of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.canvas import Canvas, Written
from engine.ends import EndsDrawnAgain
from engine.models.base import Feed
from engine.passes import Changed, DenoiseSettings, Pass, Steps, common_beginning
from engine.samplers import Moment, Proposal, make_sampler
from engine.samplers.reviewing import Judgement, Judgements
from engine.schedule import reveal_count
from engine.stopping import LikeliestEnd, rows_that_may_end, rows_that_may_still_end
from engine.writer import Writer

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from engine.sampling import Sampled


class Reversal(Writer):
    """One canvas on its way."""

    def __init__(
        self,
        variation: int,
        canvas: Canvas,
        settings: DenoiseSettings,
        generator: torch.Generator,
        *,
        room: int,
        done: int = 0,
    ) -> None:
        """`room`: rows that the cache has beyond the context. `done`: steps that were made before."""
        self._sampler = make_sampler(settings.sampler)
        super().__init__(variation, canvas, settings.rule, generator, room=room, score=self._sampler.score, done=done)
        self._judgements = Judgements()
        self.took_back = self._sampler.remasks
        # Step 2.
        plan = settings.schedule.plan(canvas.masked(), settings.alpha_0, settings.steps, generator)
        self._plan, self._quota, self._shares = plan.order, plan.parallel, plan.shares
        if self._sampler.remasks and plan.parallel:
            self._shares = settings.schedule.shares(settings.steps)
        self._ends = EndsDrawnAgain(self, plan, settings)

    def steps(self) -> Steps:
        """Yields a `Pass` to be sent the logits of its masks, then the `DenoisingStep` that came of them."""
        yield from self.writing()
        yield from self.ending()

    def writing(self) -> Steps:
        """Steps 3 and 4."""
        yield from self._diffusion_phase()
        yield from self._sequential_phase()

    def ending(self) -> Steps:
        """Step 5; its first pass is on the context alone."""
        yield from self._ends.steps()

    def _diffusion_phase(self) -> Steps:
        """Step 3. Ends when the diffusion share is written, or dropped because its hole ended before it."""
        alpha = 0.0
        for step, share in enumerate(self._shares):
            if not self._quota and self._sampler.settled:
                return
            next_alpha = 1 - (1 - alpha) * (1 - share)
            count = self._count(share, next_alpha)
            moment = Moment(count, self._quota, step, len(self._shares), alpha, next_alpha, self.generator)
            alpha = next_alpha
            done = self.done
            accepted, remasked = yield from self._review(moment) if self._sampler.reviews else self._reveal(moment)
            if self.done > done:  # else nothing was to be revealed, and no pass was made
                yield self.report(accepted, remasked, self._steps_left(moment))

    def _sequential_phase(self) -> Steps:
        """Step 4."""
        first = True  # it still feeds what the diffusion phase accepted last
        greedy = self.rule.temperature == 0.0 and self.canvas.empty is not None
        ends: dict[int, LikeliestEnd] = defaultdict(LikeliestEnd)
        while masked := self.canvas.masked():
            drawn, _ = yield from self.forward(masked[:1], sequential=not first)
            first = False
            remasked: list[int] = []
            hole, chance = self.canvas.hole_of(masked[0]), drawn.endings[0] if drawn.endings else 0.0
            likeliest = ends[hole.start]
            if greedy and likeliest.pass_by(masked[0], chance):
                accepted, chance = [likeliest.position], likeliest.chance
                remasked = self.end_at(hole, likeliest.position)
            else:
                accepted = self.take(masked[0], drawn)
            if hole.end <= masked[0]:
                self._ends.note(hole, chance)
            yield self.report(accepted, remasked, len(self.canvas.masked()))

    def _count(self, share: float, next_alpha: float) -> int:
        """How many more positions are to be clean after a step. A sampler that takes tokens back keeps to alpha itself,
        rounded down, so that there is something to do until the last step."""
        if not self._sampler.remasks:
            return reveal_count(self._quota, share)
        clean = len(self.canvas.accepted)
        wanted = max(1, int(next_alpha * (clean + self._quota) + 1e-9))
        return min(self._quota, max(0, wanted - clean))

    def _steps_left(self, moment: Moment) -> int:
        left = moment.steps - moment.step - 1
        if not self._sampler.remasks:
            left = min(left, self._quota)
        elif not self._quota and self._sampler.settled:
            left = 0
        return left + len(self.canvas.masked()) - self._quota

    def _reveal(self, moment: Moment) -> Changed:
        """A step that looks at masks only."""
        canvas, forgotten = self.canvas, self._forgotten(moment)
        moment = replace(moment, count=moment.count + len(forgotten)) if forgotten else moment
        looked_at = list(self._sampler.look_at(self._plan, moment))
        accepted: list[int] = []
        if looked_at:
            drawn, logits = yield from self.forward(looked_at)
            ends = [self._end(p, token) for p, token in zip(looked_at, drawn.tokens, strict=True)]
            proposal = Proposal(looked_at, drawn.tokens, drawn.probabilities, drawn.scores, ends)
            accepted = self.accept(proposal, self._sampler.accept(proposal, moment))
            self._replan(accepted)
            if moment.is_last and self._quota:
                accepted += self._finish(looked_at, drawn, logits)
        if forgotten:
            canvas.remask(forgotten)
            self._replan(())
        return accepted, forgotten

    def _forgotten(self, moment: Moment) -> list[int]:
        if not self._sampler.remasks:
            return []
        written = self.canvas.written
        standing = [placed.position for placed in self.canvas.accepted if placed.position in written]  # no empty ones
        taken = self._sampler.forget([written[position].probability for position in standing], moment)
        return [standing[index] for index in taken]

    def _review(self, moment: Moment) -> Changed:
        """A step that also judges the accepted tokens again (`engine.samplers.reviewing`)."""
        canvas = self.canvas
        looked_at = list(self._sampler.look_at(self._plan, moment))
        order = self._judgements.surest_first(canvas.accepted)
        asked_from = max(0, 2 * len(order) + len(looked_at) - self.room)
        asked = order[asked_from:]
        kept = min(asked_from, common_beginning(self.fed, order))
        seen = [*range(asked_from - kept, len(order) - kept), *[len(order) - kept] * len(looked_at)]
        positions = [*(placed.position for placed in asked), *looked_at]
        logits = yield Pass(Feed(self.variation, order[kept:], positions), kept, seen)
        self.fed = order
        self.done += 1
        may_end = [*rows_that_may_still_end(canvas, asked), *rows_that_may_end(canvas, looked_at)]
        holes = [*([None] * len(asked)), *self.holes_of(looked_at)]
        drawn = self.draw(logits, positions, may_end, [placed.token for placed in asked], holes)
        ends = [self._end(placed.position, placed.token) for placed in order]
        ends += [self._end(position, token) for position, token in zip(positions, drawn.tokens, strict=True)]
        score = self._sampler.score
        proposal, judgements = self._judgements.propose(order, asked_from, looked_at, drawn, score, ends)
        rows = list(self._sampler.accept(proposal, moment))
        if moment.is_last:  # an ended hole stays so, or there would be more to write than was planned
            rows = [*(row for row in range(proposal.standing) if proposal.ends[row] is not None), *rows]
        accepted, remasked = self._rewrite(proposal, rows, judgements)
        if moment.is_last and self._quota:
            accepted += self._finish(looked_at, drawn, logits)
        return accepted, remasked

    def _rewrite(
        self, proposal: Proposal, rows: Sequence[int], judgements: Sequence[Judgement]
    ) -> tuple[list[int], list[int]]:
        """Makes these rows of the proposal what is accepted, in this order."""
        canvas = self.canvas
        before = {placed.position: placed.token for placed in canvas.accepted}
        steps = {position: written.step for position, written in canvas.written.items()}
        canvas.remask(before)
        changed, fresh = [], []
        for row in rows:
            position, token = proposal.positions[row], proposal.tokens[row]
            same = before.get(position) == token
            step = steps.get(position, self.done) if same else self.done
            if canvas.accept(position, Written(token, proposal.probabilities[row], step)):
                self._judgements.note(position, judgements[row])
                changed += [] if same else [position]
                fresh += [] if position in before else [position]
        self._replan(fresh)
        return changed, [position for position in before if canvas.is_masked(position)]

    def _finish(self, looked_at: Sequence[int], drawn: Sampled, logits: Tensor) -> list[int]:
        """The last step must write all of diffusion's share, also where an empty token was drawn before text of that
        step: what was drawn, from left to right, and text in place of the empty tokens left."""
        canvas = self.canvas
        accepted: list[int] = []
        rows = {position: row for row, position in enumerate(looked_at, start=len(drawn.tokens) - len(looked_at))}
        tokens, probabilities = drawn.tokens, drawn.probabilities
        for position in sorted(filter(canvas.is_masked, looked_at)):
            written = Written(tokens[rows[position]], probabilities[rows[position]], self.done)
            if len(accepted) < self._quota and canvas.accept(position, written):
                accepted.append(position)
        self._replan(accepted)
        left = sorted(filter(canvas.is_masked, looked_at))[: self._quota]
        if left:
            again = self.draw(logits[[rows[position] for position in left]], left, [False] * len(left))
            accepted += self.accept(Proposal(left, again.tokens, again.probabilities, again.scores), range(len(left)))
            self._replan(left)
        return accepted

    def _replan(self, accepted: Iterable[int]) -> None:
        """Forgets planned positions that were just accepted, or are unused because their hole ended before them. The
        latter leave the quota too: in random order diffusion so keeps its share alpha_0 of what is really written.
        Positions that were masked again are diffusion's to write, and first in the plan."""
        if self._sampler.remasks:
            known = set(self._plan)
            again = [position for position in self.canvas.masked() if position not in known]
            self._plan = again + self._plan
            self._quota += len(again)
        gone = set(accepted)
        plan = [position for position in self._plan if position not in gone]
        self._quota = sum(map(self.canvas.is_masked, plan[: max(0, self._quota - len(gone))]))
        self._plan = [position for position in plan if self.canvas.is_masked(position)]

    def _end(self, position: int, token: int) -> int | None:
        """Which hole an empty token would end."""
        return self.canvas.hole_of(position).start if token == self.canvas.empty else None
