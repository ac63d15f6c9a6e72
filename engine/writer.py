"""One canvas on its way, without the model: makes the passes it is told to make, draws, accepts. Which positions, when
and why is for the phases to say (`engine.reverse`, `engine.ends`)."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING

from engine.canvas import Canvas, MaskedSpan, Placed, Written
from engine.models.base import Feed
from engine.passes import DenoisingStep, Pass, common_beginning
from engine.samplers import Proposal
from engine.samplers.banning import forbidden_at
from engine.samplers.repetition import repeats_nearby
from engine.sampling import Score
from engine.stopping import rows_that_may_end

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from engine.sampling import Sampled, SamplingRule


class Writer:
    """See the module.

    Attributes:
        variation: its number in the batch. room: rows that the cache has beyond the context.
        fed: accepted tokens that the model has been given, in order.
        done: passes that were made.
        took_back: whether accepted tokens were ever masked again, so that `fed` may hold other ones.
        kept_back: most passes that come after the present phase.
    """

    def __init__(
        self,
        variation: int,
        canvas: Canvas,
        rule: SamplingRule,
        generator: torch.Generator,
        *,
        room: int,
        score: Score = Score.PROBABILITY,
        done: int = 0,
    ) -> None:
        """`score`: what is to be known of a draw beside its probability."""
        self.variation, self.canvas, self.room = variation, canvas, room
        self.rule, self.generator, self.score = rule, generator, score
        self.fed: list[Placed] = []
        self.done, self.took_back, self.kept_back = done, False, 0

    def forward(
        self, looked_at: Sequence[int], *, sequential: bool = False
    ) -> Generator[Pass, Tensor, tuple[Sampled, Tensor]]:
        """One forward pass: feed what was accepted last and these masks, sample."""
        canvas = self.canvas
        kept = common_beginning(self.fed, canvas.accepted) if self.took_back else len(self.fed)
        clean = canvas.accepted[kept:]
        logits = yield Pass(Feed(self.variation, clean, looked_at, sequential), kept)
        self.fed[kept:] = clean
        self.done += 1
        may_end = rows_that_may_end(canvas, looked_at)
        return self.draw(logits, looked_at, may_end, holes=self.holes_of(looked_at)), logits

    def draw(
        self,
        logits: Tensor,
        positions: Sequence[int],
        may_end: Sequence[bool],
        standing: Sequence[int] = (),
        holes: Sequence[tuple[int, int] | None] = (),
    ) -> Sampled:
        """Draws a token for each of these positions; see `engine.sampling.sample`."""
        from engine.device_sampling import sample_on_device
        from engine.sampling import sample

        draw = sample_on_device if logits.is_cuda else sample
        logits = logits if logits.is_cuda else logits.cpu()  # MPS has no float64
        repeats = repeats_nearby(self.canvas, positions) if self.rule.repetition_penalty > 1.0 else ()
        runs = self.rule.banned_runs
        return draw(
            logits,
            self.rule,
            may_end,
            self.generator,
            score=self.score,
            standing=standing,
            repeats=repeats,
            holes=holes,
            forbidden=forbidden_at(self.canvas, positions, runs) if runs else (),
        )

    def accept(self, proposal: Proposal, rows: Iterable[int]) -> list[int]:
        """Accepts rows of a proposal, as far as they contradict nothing; returns where."""
        accepted = []
        for row in rows:
            written = Written(proposal.tokens[row], proposal.probabilities[row], self.done)
            if self.canvas.accept(proposal.positions[row], written):
                accepted.append(proposal.positions[row])
        return accepted

    def take(self, position: int, drawn: Sampled) -> list[int]:
        """Accepts the one token that was drawn."""
        return self.accept(Proposal([position], drawn.tokens, drawn.probabilities, drawn.scores), range(1))

    def reopen(self, hole: MaskedSpan, stop: int) -> None:
        """Takes a hole's ends back; it may be written up to `stop`."""
        empty, inside = self.canvas.empty, range(hole.start, hole.start + hole.capacity)
        self.canvas.remask([p.position for p in self.canvas.accepted if p.token == empty and p.position in inside])
        self.canvas.end_hole(hole, stop)

    def uniform(self) -> float:
        """A number in [0, 1) from the run's generator."""
        import torch

        return float(torch.rand((), generator=self.generator, dtype=torch.float64))

    def chances_of_ending(self, logits: Tensor) -> list[float]:
        """The model's own chance of an empty token in each row."""
        import torch

        banned = torch.tensor(self.rule.banned, device=logits.device, dtype=torch.long)
        probabilities = logits.float().index_fill(1, banned, float("-inf")).softmax(dim=-1)
        chances: list[float] = probabilities[:, self.canvas.empty].tolist()
        return chances

    def holes_of(self, positions: Sequence[int]) -> list[tuple[int, int]]:
        """(hole, position) for masks of which one length is to be drawn together."""
        return [(self.canvas.hole_of(position).start, position) for position in positions]

    def end_at(self, hole: MaskedSpan, position: int) -> list[int]:
        """Ends a hole, if need be before text that was written already; returns where that stood."""
        empty = self.canvas.empty
        assert empty is not None
        gone = [other for other in range(position, hole.end) if other in self.canvas.written]
        if gone:
            self.canvas.remask(gone)
            self.took_back = True
        self.canvas.accept(position, Written(empty, 1.0, self.done))
        return gone

    def report(self, accepted: Sequence[int], remasked: Sequence[int], steps_left: int) -> DenoisingStep:
        """What a pass did. `steps_left`: of the present phase."""
        steps_left += self.kept_back
        return DenoisingStep(self.done, self.done + steps_left, tuple(accepted), tuple(remasked))
