"""Steps 2 to 4 of the reverse process (see `engine.denoise`) for one canvas, without the model: whoever drives a
`Reversal` carries out the passes it asks for, for one canvas or for a batch of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.canvas import Canvas, MaskedSpan, Placed, Written
from engine.models.base import Feed
from engine.passes import Changed, DenoiseSettings, DenoisingStep, Pass, Steps
from engine.samplers import Moment, Proposal, make_sampler
from engine.samplers.banning import forbidden_at
from engine.samplers.repetition import repeats_nearby
from engine.samplers.reviewing import Judgement, Judgements
from engine.schedule import reveal_count
from engine.stopping import LikeliestEnd, rows_that_may_end, rows_that_may_still_end

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from engine.sampling import Sampled


class Reversal:
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
        self._variation, self._canvas, self._room = variation, canvas, room
        self._rule, self._generator = settings.rule, generator
        self._sampler = make_sampler(settings.sampler)
        self._fed: list[Placed] = []  # accepted tokens that the model has been given, in order
        self._judgements = Judgements()
        self._done = done
        self._took_back = self._sampler.remasks
        # Step 2.
        plan = settings.schedule.plan(canvas.masked(), settings.alpha_0, settings.steps, generator)
        self._plan, self._quota, self._shares = plan.order, plan.parallel, plan.shares
        if self._sampler.remasks and plan.parallel:
            self._shares = settings.schedule.shares(settings.steps)

    def steps(self) -> Steps:
        """Yields a `Pass` to be sent the logits of its masks, then the `DenoisingStep` that came of them."""
        yield from self._diffusion_phase()
        yield from self._sequential_phase()

    def _diffusion_phase(self) -> Steps:
        """Step 3. Ends when the diffusion share is written, or dropped because its hole ended before it."""
        alpha = 0.0
        for step, share in enumerate(self._shares):
            if not self._quota and self._sampler.settled:
                return
            next_alpha = 1 - (1 - alpha) * (1 - share)
            count = self._count(share, next_alpha)
            moment = Moment(count, self._quota, step, len(self._shares), alpha, next_alpha, self._generator)
            alpha = next_alpha
            done = self._done
            accepted, remasked = yield from self._review(moment) if self._sampler.reviews else self._reveal(moment)
            if self._done > done:  # else nothing was to be revealed, and no pass was made
                yield self._report(accepted, remasked, self._steps_left(moment))

    def _sequential_phase(self) -> Steps:
        """Step 4."""
        first = True  # it still feeds what the diffusion phase accepted last
        greedy = self._rule.temperature == 0.0 and self._canvas.empty is not None
        ends: dict[int, LikeliestEnd] = defaultdict(LikeliestEnd)
        while masked := self._canvas.masked():
            drawn, _ = yield from self._forward(masked[:1], sequential=not first, together=greedy)
            first = False
            remasked: list[int] = []
            hole = self._canvas.hole_of(masked[0])
            if greedy and ends[hole.start].pass_by(masked[0], drawn.endings[0]):
                accepted = [ends[hole.start].position]
                remasked = self._end_at(hole, accepted[0])
            else:
                proposal = Proposal(masked[:1], drawn.tokens, drawn.probabilities, drawn.scores)
                accepted = self._accept(proposal, range(1))
            yield self._report(accepted, remasked, len(self._canvas.masked()))

    def _end_at(self, hole: MaskedSpan, position: int) -> list[int]:
        """Ends a hole, if need be before text that was written already; returns where that stood."""
        empty = self._canvas.empty
        assert empty is not None
        gone = [other for other in range(position, hole.end) if other in self._canvas.written]
        if gone:
            self._canvas.remask(gone)
            self._took_back = True
        self._canvas.accept(position, Written(empty, 1.0, self._done))
        return gone

    def _count(self, share: float, next_alpha: float) -> int:
        """How many more positions are to be clean after a step. A sampler that takes tokens back keeps to alpha itself,
        rounded down, so that there is something to do until the last step."""
        if not self._sampler.remasks:
            return reveal_count(self._quota, share)
        clean = len(self._canvas.accepted)
        wanted = max(1, int(next_alpha * (clean + self._quota) + 1e-9))
        return min(self._quota, max(0, wanted - clean))

    def _steps_left(self, moment: Moment) -> int:
        left = moment.steps - moment.step - 1
        if not self._sampler.remasks:
            left = min(left, self._quota)
        elif not self._quota and self._sampler.settled:
            left = 0
        return left + len(self._canvas.masked()) - self._quota

    def _reveal(self, moment: Moment) -> Changed:
        """A step that looks at masks only."""
        canvas, forgotten = self._canvas, self._forgotten(moment)
        moment = replace(moment, count=moment.count + len(forgotten)) if forgotten else moment
        looked_at = list(self._sampler.look_at(self._plan, moment))
        accepted: list[int] = []
        if looked_at:
            drawn, logits = yield from self._forward(looked_at, together=True)
            ends = [self._end(p, token) for p, token in zip(looked_at, drawn.tokens, strict=True)]
            proposal = Proposal(looked_at, drawn.tokens, drawn.probabilities, drawn.scores, ends)
            accepted = self._accept(proposal, self._sampler.accept(proposal, moment))
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
        written = self._canvas.written
        standing = [placed.position for placed in self._canvas.accepted if placed.position in written]  # no empty ones
        taken = self._sampler.forget([written[position].probability for position in standing], moment)
        return [standing[index] for index in taken]

    def _review(self, moment: Moment) -> Changed:
        """A step that also judges the accepted tokens again (`engine.samplers.reviewing`)."""
        canvas = self._canvas
        looked_at = list(self._sampler.look_at(self._plan, moment))
        order = self._judgements.surest_first(canvas.accepted)
        asked_from = max(0, 2 * len(order) + len(looked_at) - self._room)
        asked = order[asked_from:]
        kept = min(asked_from, _common(self._fed, order))
        seen = [*range(asked_from - kept, len(order) - kept), *[len(order) - kept] * len(looked_at)]
        positions = [*(placed.position for placed in asked), *looked_at]
        logits = yield Pass(Feed(self._variation, order[kept:], positions), kept, seen)
        self._fed = order
        self._done += 1
        may_end = [*rows_that_may_still_end(canvas, asked), *rows_that_may_end(canvas, looked_at)]
        holes = [*([None] * len(asked)), *self._holes(looked_at)]
        drawn = self._draw(logits, positions, may_end, [placed.token for placed in asked], holes)
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
        canvas = self._canvas
        before = {placed.position: placed.token for placed in canvas.accepted}
        steps = {position: written.step for position, written in canvas.written.items()}
        canvas.remask(before)
        changed, fresh = [], []
        for row in rows:
            position, token = proposal.positions[row], proposal.tokens[row]
            same = before.get(position) == token
            step = steps.get(position, self._done) if same else self._done
            if canvas.accept(position, Written(token, proposal.probabilities[row], step)):
                self._judgements.note(position, judgements[row])
                changed += [] if same else [position]
                fresh += [] if position in before else [position]
        self._replan(fresh)
        return changed, [position for position in before if canvas.is_masked(position)]

    def _finish(self, looked_at: Sequence[int], drawn: Sampled, logits: Tensor) -> list[int]:
        """The last step must write all of diffusion's share, also where an empty token was drawn before text of that
        step: what was drawn, from left to right, and text in place of the empty tokens left."""
        canvas = self._canvas
        accepted: list[int] = []
        rows = {position: row for row, position in enumerate(looked_at, start=len(drawn.tokens) - len(looked_at))}
        tokens, probabilities = drawn.tokens, drawn.probabilities
        for position in sorted(filter(canvas.is_masked, looked_at)):
            written = Written(tokens[rows[position]], probabilities[rows[position]], self._done)
            if len(accepted) < self._quota and canvas.accept(position, written):
                accepted.append(position)
        self._replan(accepted)
        left = sorted(filter(canvas.is_masked, looked_at))[: self._quota]
        if left:
            again = self._draw(logits[[rows[position] for position in left]], left, [False] * len(left))
            accepted += self._accept(Proposal(left, again.tokens, again.probabilities, again.scores), range(len(left)))
            self._replan(left)
        return accepted

    def _replan(self, accepted: Iterable[int]) -> None:
        """Forgets planned positions that were just accepted, or are unused because their hole ended before them. The
        latter leave the quota too: in random order diffusion so keeps its share alpha_0 of what is really written.
        Positions that were masked again are diffusion's to write, and first in the plan."""
        if self._sampler.remasks:
            known = set(self._plan)
            again = [position for position in self._canvas.masked() if position not in known]
            self._plan = again + self._plan
            self._quota += len(again)
        gone = set(accepted)
        plan = [position for position in self._plan if position not in gone]
        self._quota = sum(map(self._canvas.is_masked, plan[: max(0, self._quota - len(gone))]))
        self._plan = [position for position in plan if self._canvas.is_masked(position)]

    def _forward(
        self, looked_at: Sequence[int], *, sequential: bool = False, together: bool = False
    ) -> Generator[Pass, Tensor, tuple[Sampled, Tensor]]:
        """One forward pass: feed what was accepted last and these masks, sample."""
        canvas = self._canvas
        kept = _common(self._fed, canvas.accepted) if self._took_back else len(self._fed)
        clean = canvas.accepted[kept:]
        logits = yield Pass(Feed(self._variation, clean, looked_at, sequential), kept)
        self._fed[kept:] = clean
        self._done += 1
        holes = self._holes(looked_at) if together else ()
        return self._draw(logits, looked_at, rows_that_may_end(canvas, looked_at), holes=holes), logits

    def _draw(
        self,
        logits: Tensor,
        positions: Sequence[int],
        may_end: Sequence[bool],
        standing: Sequence[int] = (),
        holes: Sequence[tuple[int, int] | None] = (),
    ) -> Sampled:
        from engine.device_sampling import sample_on_device
        from engine.sampling import sample

        draw = sample_on_device if logits.is_cuda else sample
        logits = logits if logits.is_cuda else logits.cpu()  # MPS has no float64
        repeats = repeats_nearby(self._canvas, positions) if self._rule.repetition_penalty > 1.0 else ()
        runs = self._rule.banned_runs
        return draw(
            logits,
            self._rule,
            may_end,
            self._generator,
            score=self._sampler.score,
            standing=standing,
            repeats=repeats,
            holes=holes,
            forbidden=forbidden_at(self._canvas, positions, runs) if runs else (),
        )

    def _accept(self, proposal: Proposal, rows: Iterable[int]) -> list[int]:
        accepted = []
        for row in rows:
            written = Written(proposal.tokens[row], proposal.probabilities[row], self._done)
            if self._canvas.accept(proposal.positions[row], written):
                accepted.append(proposal.positions[row])
        return accepted

    def _holes(self, positions: Sequence[int]) -> list[tuple[int, int]]:
        """(hole, position) for masks of which one length is to be drawn together."""
        return [(self._canvas.hole_of(position).start, position) for position in positions]

    def _end(self, position: int, token: int) -> int | None:
        """Which hole an empty token would end."""
        return self._canvas.hole_of(position).start if token == self._canvas.empty else None

    def _report(self, accepted: Sequence[int], remasked: Sequence[int], steps_left: int) -> DenoisingStep:
        return DenoisingStep(self._done, self._done + steps_left, tuple(accepted), tuple(remasked))


def _common(one: Sequence[Placed], other: Sequence[Placed]) -> int:
    """Length of the common beginning."""
    for place, (ours, theirs) in enumerate(zip(one, other, strict=False)):
        if ours != theirs:
            return place
    return min(len(one), len(other))
