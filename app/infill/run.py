"""One run on its way, as the window sees it: where it writes, what it has written, what it will propose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from app.editor.draft import Look, SpanPreview
from app.editor.edits import Edit
from app.infill.context import Prepared
from app.infill.pending import PendingProposals
from app.infill.proposal import Place, Proposal, fitted, new_id
from app.infill.record import RunRecord, options_of
from app.infill.rewriting import Rewriting
from app.infill.target import Source, Target, dissolved, untouched
from app.infill.variations import best_first, with_pinned_of
from engine.session import Job
from engine.types import (
    Cancelled,
    CellState,
    Finished,
    Frame,
    InfillRequest,
    Mode,
    RunStats,
    SpanDraft,
    TextSpan,
    Variation,
)

MOST_FRAMES = 128
"""Frames of a run that are kept for looking back; of a longer run every second, fourth … one."""

_WRITTEN = frozenset({CellState.REVEALED, CellState.ACCEPTED, CellState.DOUBTFUL})

Drafts = tuple[SpanDraft, ...]


class FrameLog:
    """The drafts of a run's steps, thinned out evenly so that there are never more than `MOST_FRAMES`."""

    def __init__(self) -> None:
        self._frames: list[Drafts] = []
        self._every = 1
        self._count = 0

    def add(self, drafts: Drafts) -> None:
        """Takes the next step's drafts in, or leaves them out."""
        if self._count % self._every == 0:
            if len(self._frames) == MOST_FRAMES:
                self._frames = self._frames[::2]
                self._every *= 2
            self._frames.append(drafts)
        self._count += 1

    def all(self) -> tuple[Drafts, ...]:
        """What was kept, oldest first."""
        return tuple(self._frames)


@dataclass
class Run:
    """A job with the spans it writes in.

    `displaced` are the pending places it writes over, kept in case nothing comes of it.
    """

    job: Job
    request: InfillRequest
    spans: tuple[TextSpan, ...]
    target: Target
    drafts: Drafts
    when: datetime
    displaced: PendingProposals
    rewriting: Rewriting | None = None
    """Which words of a proposal it writes, where it is not the spans as a whole."""
    frames: FrameLog = field(default_factory=FrameLog)

    @classmethod
    def begin(
        cls,
        job: Job,
        prepared: Prepared,
        source: Source,
        displaced: PendingProposals,
        rewriting: Rewriting | None = None,
    ) -> Run:
        """A run that was just submitted."""
        target = Target.read(source, prepared.spans)
        if rewriting is not None:
            drafts = rewriting.dissolved()
        else:
            drafts = untouched(target) if prepared.request.mode is Mode.REFINE else dissolved(target)
        return cls(job, prepared.request, prepared.spans, target, drafts, datetime.now(UTC), displaced, rewriting)

    def follow(self, edit: Edit, source: Source) -> bool:
        """Moves the spans along with an edit. False when it was in one of them: the run is of no use any more."""
        self.displaced.follow(edit, source)
        target = self.target.after(edit)
        if target is not None:
            self.target = target
        return target is not None

    def take(self, frame: Frame) -> bool:
        """Takes a frame's drafts over. Returns whether they are to be shown: the first variation's are."""
        drafts = self._placed(frame.spans)
        if drafts is None or frame.variation != 0:
            return False
        self.drafts = drafts
        self.frames.add(drafts)
        return True

    def previews(self) -> list[SpanPreview]:
        """How the latest drafts are shown."""
        look = Look.DRAFT if self.rewriting is None else Look.REDRAFT
        return [
            SpanPreview(span, draft.cells, look) for span, draft in zip(self.target.spans, self.drafts, strict=True)
        ]

    def ended(self, event: Finished | Cancelled, eol: str, model: str) -> tuple[Proposal | None, str]:
        """What it proposes, if anything, and what is to be said about it.

        Args:
            eol: the document's line end. model: which one answered, where the event does not tell.
        """
        if isinstance(event, Cancelled):
            proposal = self.stopped(event, eol, model)
            if proposal is None:
                return None, "Stopped before anything was written; the text is unchanged."
            sentence = "Stopped. What was written so far is the proposal: Tab accepts, Esc discards."
            return with_pinned_of(proposal, self.displaced), sentence
        proposal = self.finished(event, eol)
        if proposal is None:
            return None, "The result is the text that is there already."
        proposal = with_pinned_of(proposal, self.displaced)
        if not any(proposal.texts):
            return proposal, "The model suggests no text here: Tab removes what is selected, Esc keeps it."
        count = len(proposal.variations)
        if count > 1:
            return proposal, f"{count} variations: Alt+] shows the next, Tab accepts, Esc discards."
        if len(event.variations) > 1:
            return proposal, "All variations say the same: Tab accepts, Esc discards."
        return proposal, "Done: Tab accepts, Esc discards."

    def finished(self, event: Finished, eol: str) -> Proposal | None:
        """The results that differ from the text and fit the spans, the likeliest first; None when there is none."""
        count, chosen = len(self.target.spans), {}
        for number, variation in enumerate(event.variations):
            if len(variation.texts) == len(variation.spans) and self._placed(variation.spans) is not None:
                whole = variation if self.rewriting is None else self.rewriting.variation(variation)
                fitting = fitted(whole, eol)
                if fitting.texts != self.target.originals:
                    chosen[number] = fitting
        return best_first(self._proposal(range(count), chosen, event.stats, event.model.name)) if chosen else None

    def stopped(self, event: Cancelled, eol: str, model: str) -> Proposal | None:
        """What was written until the run was stopped, its masks left out. Other spans keep their text."""
        placed = self._placed(event.spans)
        if placed is None:
            return None
        chosen = [index for index, draft in enumerate(placed) if any(cell.state in _WRITTEN for cell in draft.cells)]
        if not chosen:
            return None
        if self.rewriting is not None:
            chosen = list(range(len(placed)))
        drafts = tuple(placed[index] for index in chosen)
        variation = Variation(tuple(draft.text for draft in drafts), drafts, self.request.seed, 0.0)
        return self._proposal(chosen, {0: fitted(variation, eol)}, event.stats, model, is_partial=True)

    def fits(self, drafts: Drafts) -> bool:
        """Whether the engine's drafts are as many as it was asked for."""
        return len(drafts) == (len(self.target.spans) if self.rewriting is None else self.rewriting.count)

    def _placed(self, drafts: Drafts) -> Drafts | None:
        """The engine's drafts as those of the spans; None when they do not fit."""
        if not self.fits(drafts):
            return None
        return drafts if self.rewriting is None else self.rewriting.drafts(drafts)

    def _proposal(
        self,
        chosen: Sequence[int],
        variations: Mapping[int, Variation],
        stats: RunStats,
        model: str,
        *,
        is_partial: bool = False,
    ) -> Proposal:
        target = self.target
        record = RunRecord(
            when=self.when,
            mode=str(self.request.mode),
            spans=self.spans,
            before=target.originals,
            after=target.originals,
            options=options_of(self.request),
            seed=self.request.seed,
            model=model,
            elapsed_ms=stats.elapsed_ms,
            nfe=stats.nfe,
            is_partial=is_partial,
        )
        runs = []
        for number, variation in variations.items():
            texts = dict(zip(chosen, variation.texts, strict=True))
            after = tuple(texts.get(index, text) for index, text in enumerate(target.originals))
            runs.append(replace(record, after=after, seed=variation.seed, variation=number))
        return Proposal(
            id=new_id(),
            places=tuple(Place(target.spans[index], target.originals[index]) for index in chosen),
            variations=tuple(variations.values()),
            request=self.request,
            runs=tuple(runs),
            frames=tuple(tuple(frame[index] for index in chosen) for frame in self.frames.all()),
        )
