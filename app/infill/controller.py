"""InfillController: what happens between a key and a proposal, for one view. idle → queued → running → proposal."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from PySide6.QtCore import QObject, Signal, SignalInstance, Slot

from app.editor.draft import SpanPreview
from app.editor.edits import Edit
from app.editor.view import EditorView
from app.infill.announce import announce
from app.infill.bridge import EngineBridge
from app.infill.context import CONTINUE, FILL, REFINE, REWRITE, NothingToFillError, Wish
from app.infill.keys import ProposalKeys
from app.infill.prewarm import Prewarmer
from app.infill.progress import InfillProgress
from app.infill.proposal import Proposal
from app.infill.proposals import Proposals
from app.infill.requests import Order, Requests
from app.infill.run import Run
from app.infill.stage import Stage
from app.settings import Settings
from engine.types import Cancelled, Failed, Finished, Frame, InfillRequest, TextSpan

State: TypeAlias = Literal["idle", "queued", "running", "proposal"]

_keys = itertools.count(1)


class InfillController(QObject):
    """Runs infills for one view, one at a time; their results join the `proposals` that wait for the user.

    A result must prove that it is still wanted: it carries the id of the job that is awaited, and no edit has touched
    its spans, which are moved along with every edit.
    """

    state_changed = Signal(str)
    progress = Signal(object)
    message = Signal(str)
    run_ended = Signal(object)
    """RunRecord, of every run that ended with a proposal."""
    accepted = Signal(object)
    """Acceptance, after the document was changed."""

    def __init__(self, view: EditorView, bridge: EngineBridge, settings: Settings) -> None:
        super().__init__()
        self._view, self._bridge, self._settings = view, bridge, settings
        self._key = f"view {next(_keys)}"
        self._state: State = "idle"
        self._run: Run | None = None
        self._is_closed = False
        self.is_suggesting: Callable[[], bool] = lambda: False
        """Whether what runs, waits or ends now is a suggestion, which screen readers are not told of here."""
        self.proposals = Proposals(view, self)
        self._requests = Requests(view, settings, self.proposals)
        self.prewarmer = Prewarmer(view, bridge, settings, self._key)
        self.stage = Stage(view, self._previews, self)
        view.add_key_filter(ProposalKeys(self))
        for signal, slot in self._wires():
            signal.connect(slot)

    # what is going on

    @property
    def state(self) -> State:
        """A run that is queued or running; else whether a proposal waits."""
        return self._state

    @property
    def is_running(self) -> bool:
        """Whether the engine was asked and has not ended yet."""
        return self._run is not None

    @property
    def is_writing_at_caret(self) -> bool:
        """Whether the run writes where the caret is."""
        return self._run is not None and self._run.target.is_at(self._view.caret_offset(), self._view.selections())

    @property
    def held_spans(self) -> list[TextSpan]:
        """The places of the text that the run and the proposals are about."""
        running = self._run.target.spans if self._run is not None else ()
        return [*running, *(spot.place.span for spot in self.proposals.pending.spots)]

    # what the user can do

    def fill(self, wish: Wish = FILL) -> None:
        """Writes the selected spans, as wished for; without a selection, those of the proposal at the caret."""
        self._start(lambda: self._requests.write(wish))

    def fill_spans(self, spans: Sequence[TextSpan], wish: Wish = REWRITE) -> None:
        """Writes these spans anew, whatever is selected, all of them in one run."""
        self._start(lambda: self._requests.write(wish, spans))

    def refine(self) -> None:
        """Writes a share of the selected spans' words anew."""
        self.fill(REFINE)

    def continue_at_caret(self) -> None:
        """Writes on where the caret is."""
        self.fill(CONTINUE)

    def rewrite(self) -> None:
        """Runs again in the proposal at the caret, or the only one: only what is masked there changes, or all that is
        not locked; without such marks, all of it."""
        self._start(self._requests.rewrite)

    def run_again(self, options: InfillRequest, spans: Sequence[TextSpan]) -> None:
        """Runs what was run before once more, on these spans, with options that are not the settings."""
        self._start(lambda: self._requests.again(options, spans))

    def reject(self) -> None:
        """Ends the run, or else discards the proposal at the caret or the only one."""
        if self._run is not None:
            self.give_up()
        else:
            self.proposals.reject()

    def stop(self) -> None:
        """Stops the run within a step and keeps what is written as a proposal; a second time it gives up on it."""
        if self._run is None:
            return
        if self._state == "queued" or self._run.job.is_cancelled:
            self.give_up()
            return
        self._run.job.cancel()
        self.message.emit("Stopping after this step.")

    def give_up(self) -> None:
        """Ends the run at once and keeps nothing of it."""
        if self._run is not None:
            self._end_run()
            self._say("Stopped; the text is unchanged.")

    def close(self) -> None:
        """Ends everything, for the tab is closed; nothing is shown or told after it."""
        if self._is_closed:
            return
        self._is_closed = True
        self.blockSignals(True)
        self.proposals.blockSignals(True)
        self._end_run()
        self.proposals.reject_all()
        self.stage.close()
        self._view.overlay.mark_stale([])
        self.prewarmer.switch(False)
        for signal, slot in self._wires():
            signal.disconnect(slot)

    def restore(self, proposal: Proposal) -> None:
        """A result of the past waits as a proposal; those that wait in its places already make way."""
        self._view.surface.finish_composition()
        self._end_run()
        self.proposals.pending.displace(proposal.spans)
        self.proposals.add(proposal)
        self._say("The result is back as a proposal: Tab accepts, Esc discards.")

    # the run

    def _start(self, order: Callable[[], Order | None]) -> None:
        try:
            ordered = order()
        except NothingToFillError as reason:
            self.message.emit(str(reason))
        else:
            if ordered is not None:
                self._begin(ordered)

    def _begin(self, order: Order) -> None:
        prepared, rewriting = order
        self._end_run()
        displaced = self.proposals.pending.displace(prepared.spans)
        job = self._bridge.submit(prepared.request, self._key)
        self._run = Run.begin(job, prepared, self._view, displaced, rewriting)
        self._set_state("queued")
        self._show_all()
        count = len(prepared.spans)
        if not self.is_suggesting():
            announce(self._view, "Filling." if count == 1 else f"Filling {count} spans.")

    @Slot(object)
    def _on_frame(self, frame: Frame) -> None:
        run = self._awaited(frame.job_id)
        if run is None or not run.fits(frame.spans):
            return
        self._set_state("running")
        self.progress.emit(InfillProgress.of(frame))
        if run.take(frame) and not self._settings["editor.reduced_motion"]:
            self.stage.pacer.offer()

    @Slot(object)
    def _on_end(self, event: Finished | Cancelled) -> None:
        run = self._awaited(event.job_id)
        if run is None:
            return
        proposal, sentence = run.ended(event, self._view.document.eol, self._bridge.model_name)
        if proposal is None:
            self._end_run()
            self._say(sentence)
        else:
            self._propose(proposal, sentence)

    @Slot(object)
    def _on_failed(self, event: Failed) -> None:
        if self._awaited(event.job_id) is not None:
            self._end_run()
            self._say(event.message)

    def _propose(self, proposal: Proposal, sentence: str) -> None:
        self._run = None
        others = len(self.proposals)
        self.proposals.add(proposal)
        more = f" {others + 1} proposals wait: F8 goes through them." if others else ""
        self._say(sentence + more)
        self.run_ended.emit(proposal.run)

    def _awaited(self, job_id: int) -> Run | None:
        return self._run if self._run is not None and self._run.job.id == job_id else None

    def _end_run(self) -> None:
        """Nothing comes of the run, if there is one: what it would have written over waits again."""
        run, self._run = self._run, None
        if run is not None:
            run.job.cancel()
            self.proposals.pending.restore(run.displaced)
            self._show_all()

    # what is shown

    @Slot()
    def _show_all(self) -> None:
        self._view.overlay.mark_stale(self.proposals.stale_spans())
        self.stage.show()
        if self._run is None:
            self._set_state("proposal" if self.proposals.has_pending else "idle")

    def _previews(self) -> list[SpanPreview]:
        drafts = self._run.previews() if self._run is not None else []
        return self.proposals.previews() + drafts

    # what the user does meanwhile

    @Slot(object)
    def _on_edit(self, edit: Edit) -> None:
        """Called in the middle of the modification: moves the spans along, changes no text."""
        if self._run is not None or self.proposals.pending:
            self.stage.wait()
        self.proposals.follow(edit)
        if self._run is not None and not self._run.follow(edit, self._view):
            self._end_run()
            self._say("The text that was being filled was edited, so the run was stopped.")

    @Slot()
    def _on_preview_left(self) -> None:
        """What only the real text could answer, a drag for instance, need not have been an edit."""
        if self._previews():
            self.stage.wait()

    @Slot(object)
    def _on_accepted(self, acceptance: object) -> None:
        self.stage.resume_timer.stop()  # it was no typing
        self.accepted.emit(acceptance)

    def _set_state(self, state: State) -> None:
        if state != self._state:
            self._state = state
            self.prewarmer.switch(self._run is None and not self._is_closed)
            self.state_changed.emit(state)

    @Slot(str)
    def _say(self, sentence: str) -> None:
        if not self._is_closed:
            is_heard = not self.is_suggesting()  # telling it may be the suggestion's end
            self.message.emit(sentence)
            if is_heard:
                announce(self._view, sentence)

    def _wires(self) -> tuple[tuple[SignalInstance, Callable[..., object]], ...]:
        return (
            (self._bridge.frame, self._on_frame),
            (self._bridge.finished, self._on_end),
            (self._bridge.cancelled, self._on_end),
            (self._bridge.failed, self._on_failed),
            (self._view.text_changed, self._on_edit),
            (self._view.overlay.left, self._on_preview_left),
            (self.proposals.changed, self._show_all),
            (self.proposals.accepted, self._on_accepted),
            (self.proposals.message, self._say),
        )
