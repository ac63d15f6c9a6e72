"""What the user does with the proposals of one document: goes through them, compares, accepts and discards."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from PySide6.QtCore import QObject, Signal

from app.editor.draft import Look, SpanPreview
from app.editor.edits import Edit
from app.editor.view import EditorView
from app.editor.worddiff import next_line, next_word
from app.infill.acceptance import Beginning, Part, changes, part_of, settle
from app.infill.apart import TakenApart
from app.infill.pending import PendingProposals, Spot
from app.infill.proposal import Proposal
from app.infill.unified import unified_diff
from engine.types import TextSpan

_NOT_HERE = "Put the caret into a proposal first: F8 goes to the next one."
_NONE = "No proposal is waiting."
_LOOKING_BACK = "A step of the run is shown, not its result: take this step, or press Esc to go back to the result."


class Display(StrEnum):
    """What is shown where something is proposed."""

    AFTER = "after"
    BEFORE = "before"
    DIFF = "diff"


_SHOWN = {
    Display.AFTER: "The proposed text is shown.",
    Display.BEFORE: "The old text is shown, in a dotted frame; the proposal still waits.",
    Display.DIFF: "Removed words are struck through, added ones framed.",
}
_LOOKS = {Display.AFTER: Look.PROPOSAL, Display.BEFORE: Look.BEFORE, Display.DIFF: Look.DIFF}


class Proposals(QObject):
    """The pending proposals of one view. The document is changed in one place only, `_accept`."""

    changed = Signal()
    """Which proposals there are, where, or how they are shown."""
    accepted = Signal(object)
    """Acceptance, after the document was changed."""
    message = Signal(str)

    def __init__(self, view: EditorView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self.pending = PendingProposals()
        self.display = Display.AFTER
        self._is_accepting = False
        self.apart = TakenApart(view, self.pending, self._wanted, self)
        self.apart.changed.connect(self.changed)
        self.apart.message.connect(self.message)

    # which there are

    def __len__(self) -> int:
        return len(self.pending)

    @property
    def has_pending(self) -> bool:
        """Whether something can be accepted."""
        return bool(self.pending.live_spots)

    @property
    def count(self) -> int:
        """How many proposals there are of which something can be accepted."""
        return len({spot.proposal.id for spot in self.pending.live_spots})

    @property
    def at_caret(self) -> Spot | None:
        """The place the caret is in, or whose text is still selected; stale ones too."""
        return self.pending.at(self._view.caret_offset(), self._view.selections())

    @property
    def can_accept(self) -> bool:
        """Whether Tab accepts: the caret is in a proposal, or what was selected for it still is."""
        spot = self.at_caret
        return spot is not None and not spot.place.is_stale

    @property
    def wanted(self) -> Proposal | None:
        """The proposal at the caret, or the only one."""
        spot = self.at_caret or self._only()
        return spot.proposal if spot is not None else None

    @property
    def right_behind_caret(self) -> Spot | None:
        """The place whose proposed text begins at the bare caret."""
        if not self._view.surface.selectionEmpty():
            return None
        spot = self.pending.at(self._view.caret_offset())
        return spot if spot and not spot.place.is_stale and spot.place.span.start == self._view.caret_offset() else None

    def previews(self) -> list[SpanPreview]:
        """How they are shown, in the order of the text; stale ones have nothing to show."""
        return [self._preview(spot) for spot in self.pending.live_spots]

    def stale_spans(self) -> list[TextSpan]:
        """Where the text was edited under a proposal."""
        return [spot.place.span for spot in self.pending.spots if spot.place.is_stale]

    @property
    def stale_count(self) -> int:
        """How many proposals have text under them that was edited."""
        return len({spot.proposal.id for spot in self.pending.spots if spot.place.is_stale})

    def all_changes(self) -> list[tuple[int, int, str]]:
        """What accepting all would do: (start, end, new text), ascending."""
        return changes(self._parts(self.pending.live_spots))

    def unified_diff(self, name: str) -> str:
        """What accepting all would change, as a unified diff of a file of this name; empty when it is nothing."""
        return unified_diff(self._view.text(), self.all_changes(), name)

    # going through them

    def step(self, by: int) -> None:
        """Puts the caret right before the next proposed text (`by` 1) or the previous one (-1)."""
        spot = self.pending.next_to(self._view.caret_offset(), by)
        if spot is None:
            self.message.emit(_NONE)
            return
        self._view.go_to_offset(spot.place.span.start)
        spots = self.pending.spots
        number = 1 + [(it.proposal.id, it.index) for it in spots].index((spot.proposal.id, spot.index))
        stale = " The text here was edited since; Fill writes it anew." if spot.place.is_stale else ""
        self.message.emit(f"Proposal {number} of {len(spots)}.{stale}")

    def show_as(self, display: Display) -> None:
        """Shows the proposed texts, the old ones, or both compared. Changes nothing else."""
        if display is not self.display:
            self.display = display
            self.changed.emit()
            if self.pending:
                self.message.emit(_SHOWN[display])

    # accepting

    def accept(self) -> bool:
        """Makes the proposal at the caret, or the only one, part of the document. Returns whether it did."""
        self._view.surface.finish_composition()  # may touch the places
        spot = self._wanted()
        if spot is None:
            return False
        spots = [it for it in self.pending.live_spots if it.proposal.id == spot.proposal.id]
        return self._accept(spots, ends=[spot.proposal.id])

    def accept_all(self) -> bool:
        """Accepts every proposal, in one undo step. Returns whether there was one."""
        self._view.surface.finish_composition()
        return self._accept(self.pending.live_spots, ends=[proposal.id for proposal in self.pending])

    def accept_span(self) -> bool:
        """Accepts what is proposed where the caret is, and nothing elsewhere."""
        return self._accept_here(None)

    def accept_word(self) -> bool:
        """Accepts the next word of what is proposed where the caret is; the rest stays pending."""
        return self._accept_here(next_word)

    def accept_line(self) -> bool:
        """Accepts up to the end of the next line; the rest stays pending."""
        return self._accept_here(next_line)

    # discarding

    def reject(self) -> None:
        """Discards the proposal at the caret, or the only one."""
        spot = self.at_caret or self._only()
        if spot is None:
            self.message.emit(_NOT_HERE if self.pending else _NONE)
            return
        self.pending.drop(spot.proposal.id)
        self._tell("The proposal was discarded.")

    def reject_span(self) -> None:
        """Discards what is proposed where the caret is, and nothing elsewhere."""
        spot = self.at_caret or self._only()
        if spot is None or (self.at_caret is None and len(spot.proposal.places) > 1):
            self.message.emit(_NOT_HERE if self.pending else _NONE)
            return
        self.pending.drop(spot.proposal.id, [spot.index])
        self._tell("What was proposed here was discarded.")

    def reject_all(self) -> None:
        """Discards every proposal."""
        if self.pending:
            count = len(self.pending)
            self.pending.clear()
            self._tell("The proposal was discarded." if count == 1 else f"{count} proposals were discarded.")

    # what happens meanwhile

    def add(self, proposal: Proposal) -> None:
        """Takes in the result of a run, or a new value of the proposal with its id. What is new is never hidden."""
        self.pending.put(proposal)
        if self.display is Display.BEFORE:
            self.display = Display.AFTER
        self.changed.emit()

    def follow(self, edit: Edit) -> None:
        """Moves the places along. Called in the middle of the modification: reads the text, changes none."""
        if self._is_accepting or not self.pending:
            return
        what = self.pending.follow(edit, self._view)
        if what.stale:
            sentence = (
                "The text under a proposal was edited. Undo brings it back, Fill writes it anew, Esc discards it."
            )
            self._tell(sentence)
        elif what.gone:
            self._tell("The text under a proposal is gone, and the proposal with it.")
        elif what.revived:
            self._tell("The proposal is back.")
        elif self.stale_spans():
            self.changed.emit()  # the marks grow with the text

    # within

    def _wanted(self) -> Spot | None:
        """The place at the caret, else the first of the only proposal; None, with a word, when none fits."""
        spot = self.at_caret or self._only()
        if spot is None:
            self.message.emit(_NOT_HERE if self.pending else _NONE)
        elif spot.place.is_stale:
            self.message.emit("The text here was edited since, so the proposal no longer fits. Fill writes it anew.")
            return None
        return spot

    def _only(self) -> Spot | None:
        spots = self.pending.live_spots or self.pending.spots
        return spots[0] if len(self.pending) == 1 else None

    def _accept_here(self, beginning: Beginning | None) -> bool:
        self._view.surface.finish_composition()
        spot = self._wanted()
        return spot is not None and self._accept([spot], beginning)

    def _accept(self, spots: Sequence[Spot], beginning: Beginning | None = None, ends: Sequence[int] = ()) -> bool:
        """Args: ends: proposals of which nothing is to be left, stale places neither."""
        if not spots:
            self.message.emit(_NONE)
            return False
        if self.apart.frame is not None:
            self.message.emit(_LOOKING_BACK)
            return False
        if any(self._view.text_range(it.place.span.start, it.place.span.end) != it.place.original for it in spots):
            for proposal_id in {it.proposal.id for it in spots}:
                self.pending.drop(proposal_id)
            self._tell("The text under the proposal is another one by now, so nothing was changed.")
            return False
        parts = self._parts(spots, beginning)
        self._is_accepting = True
        try:
            self._view.replace_spans(changes(parts))
        finally:
            self._is_accepting = False
        acceptances = settle(self.pending, parts)
        for proposal_id in ends:
            if proposal_id in self.pending:
                self.pending.drop(proposal_id)
        for acceptance in acceptances:
            self.accepted.emit(acceptance)
        left = len(self.pending.live_spots)
        if all(part.is_whole for part in parts):
            more = f" {left} more: F8 goes to the next." if left else ""
            self._tell(f"Accepted. Undo brings the old text back.{more}")
        else:
            self._tell("Accepted. The rest is still only proposed.")
        return True

    def _preview(self, spot: Spot) -> SpanPreview:
        place, frame = spot.place, self.apart.frame
        if frame is not None and frame[0] == spot.proposal.id:
            cells = spot.proposal.frames[frame[1]][spot.index].cells
            return SpanPreview(place.span, cells, Look.REDRAFT, place.original)
        cells = spot.proposal.drafts[spot.index].cells
        marks = self.apart.marks_of(spot.proposal)[spot.index]
        look = _LOOKS[self.display]
        return SpanPreview(place.span, cells, look, place.original, marks.locked, marks.masked)

    def _parts(self, spots: Sequence[Spot], beginning: Beginning | None = None) -> list[Part]:
        return [part_of(spot, self._view.document.eol, beginning) for spot in spots]

    def _tell(self, sentence: str) -> None:
        self.changed.emit()
        self.message.emit(sentence)
