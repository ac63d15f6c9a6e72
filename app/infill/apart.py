"""A proposal taken apart: its variations side by side, the steps of its run, its words to lock or write anew."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.editor.view import EditorView
from app.infill.pending import PendingProposals, Spot
from app.infill.proposal import Proposal, fitted
from app.infill.variations import described, only, steps_lead_to, taken, with_one_more, with_pin, without
from app.infill.wordmarks import Mark, WordMarks
from engine.types import TextSpan


class TakenApart(QObject):
    """What the user does within the proposals of one view before accepting them. Changes no text."""

    changed = Signal()
    """Which results there are, which is shown, or how."""
    message = Signal(str)

    def __init__(
        self, view: EditorView, pending: PendingProposals, wanted: Callable[[], Spot | None], parent: QObject
    ) -> None:
        """Args: wanted: the place whose proposal is meant; None, having told why, when there is none that fits."""
        super().__init__(parent)
        self._view, self._pending, self._wanted = view, pending, wanted
        self._frame: tuple[int, int] | None = None
        self._marks: dict[tuple[int, tuple[str, ...]], tuple[WordMarks, ...]] = {}

    # variations

    def show_variation(self, proposal_id: int, variation: int) -> None:
        """Shows another result of the same run; it is the one that would be accepted."""
        self._frame = None
        self._pending.put(self._pending[proposal_id].showing(variation))
        self.changed.emit()

    def step_variation(self, by: int) -> None:
        """Shows the next (1) or previous (-1) result of the proposal at the caret, around the ends."""
        spot = self._wanted()
        if spot is None:
            return
        proposal = spot.proposal
        if len(proposal.variations) == 1:
            self.message.emit("There is one variation only; the settings say how many a run makes.")
            return
        self.choose_variation(proposal.id, (proposal.shown + by) % len(proposal.variations))

    def choose_variation(self, proposal_id: int, variation: int) -> None:
        """Shows this result, and says which it is."""
        self.show_variation(proposal_id, variation)
        self.message.emit(described(self._pending[proposal_id], variation))

    def keep_variation(self, proposal_id: int, variation: int) -> None:
        """Makes a result the only one."""
        self._pending.put(only(self._pending[proposal_id], variation))
        self._tell("This variation is kept, the others are discarded.")

    def pin_variation(self, proposal_id: int, variation: int, *, on: bool) -> None:
        """Has a result outlive another run in the same places, or not any more."""
        self._pending.put(with_pin(self._pending[proposal_id], variation, on=on))
        self._tell(
            "Pinned: another run here adds to it." if on else "Not pinned any more: another run takes its place."
        )

    def discard_variation(self, proposal_id: int, variation: int) -> None:
        """Takes a result out, and with the last one the proposal."""
        rest = without(self._pending[proposal_id], variation)
        if rest is None:
            self._pending.drop(proposal_id)
            self._tell("The proposal was discarded.")
        else:
            self._pending.put(rest)
            self._tell("The variation was discarded.")

    # the steps of the run

    @property
    def frame(self) -> tuple[int, int] | None:
        """The id of the proposal a step of whose run is shown in place of its result, and the step's index."""
        if self._frame is None or self._frame[0] not in self._pending:
            return None
        return self._frame if self._frame[1] < len(self._pending[self._frame[0]].frames) else None

    def show_frame(self, proposal_id: int | None, index: int = 0) -> None:
        """Shows a step of the run in place, and afterwards the result it led to; without a proposal the results
        again."""
        self._frame = (proposal_id, index) if proposal_id is not None else None
        if proposal_id is not None:
            goal = steps_lead_to(self._pending[proposal_id])
            if goal is not None and goal != self._pending[proposal_id].shown:
                self._pending.put(self._pending[proposal_id].showing(goal))
        self.changed.emit()

    def step_frame(self, by: int) -> None:
        """Shows an earlier (-1) or later (1) step of the run; behind the last one comes the result."""
        spot = self._wanted()
        if spot is None:
            return
        proposal, frame = spot.proposal, self.frame
        last = len(proposal.frames)
        if not last:
            self.message.emit("No steps are kept of this run.")
            return
        index = frame[1] if frame is not None and frame[0] == proposal.id else last
        index = max(0, min(last, index + by))
        self.show_frame(proposal.id if index < last else None, index)
        proposal = self._pending[proposal.id]
        of = f", variation {proposal.shown + 1}" if len(proposal.variations) > 1 else ""
        self.message.emit(f"Step {index + 1} of {last}{of}." if index < last else f"The result{of}.")

    def take_frame(self) -> None:
        """What the shown step has written becomes a variation, the shown one. What was masked in it is left out; a
        place where nothing was written keeps its text."""
        if self.frame is None:
            self.message.emit("Choose a step of the run first.")
            return
        proposal_id, index = self.frame
        proposal = self._pending[proposal_id]
        variation = taken(proposal, index)
        if variation is None:
            self.message.emit("Nothing is written in this step yet.")
            return
        self._frame = None
        self._pending.put(with_one_more(proposal, fitted(variation, self._view.document.eol), is_partial=True))
        self._tell(described(self._pending[proposal_id], self._pending[proposal_id].shown))

    # words

    def wanted_with_marks(self) -> tuple[Proposal | None, list[WordMarks]]:
        """The proposal at the caret, or the only one, without its stale places, and what is marked in each of the
        others; None, with a word, when none fits."""
        spot = self._wanted()
        if spot is None:
            return None, []
        marks, live = self.marks_of(spot.proposal), spot.proposal.live
        return spot.proposal.keeping(live), [marks[index] for index in live]

    def marks_of(self, proposal: Proposal) -> tuple[WordMarks, ...]:
        """What is locked and masked in the shown texts of a proposal."""
        return self._marks.get((proposal.id, proposal.texts), (WordMarks(),) * len(proposal.places))

    def mark_words(self, proposal_id: int, index: int, span: TextSpan, mark: Mark) -> None:
        """Locks words of a proposed text, masks them again, or takes the marks off."""
        if proposal_id not in self._pending:
            return
        proposal = self._pending[proposal_id]
        marks = list(self.marks_of(proposal))
        marks[index] = marks[index].marked(proposal.texts[index], span, mark)
        self._marks = {key: value for key, value in self._marks.items() if key[0] in self._pending}
        self._marks[proposal.id, proposal.texts] = tuple(marks)
        self.changed.emit()

    def _tell(self, sentence: str) -> None:
        self.changed.emit()
        self.message.emit(sentence)
