"""InfillController: what happens between a key and a proposal, for one view. idle → queued → running → proposal."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from PySide6.QtCore import QObject, Qt, QTimer, Signal, SignalInstance, Slot
from PySide6.QtGui import QKeyEvent

from app.editor.draft import SpanPreview
from app.editor.edits import Edit, with_eol
from app.editor.view import EditorView
from app.infill.announce import announce
from app.infill.bridge import EngineBridge
from app.infill.context import CONTINUE, FILL, REFINE, NothingToFillError, Wish, prepare, read_options
from app.infill.pacing import FramePacer
from app.infill.prewarm import Prewarmer
from app.infill.progress import InfillProgress
from app.infill.proposal import Proposal, Target, dissolved, untouched
from app.infill.record import Acceptance, RunRecord, options_of
from app.settings import Settings
from engine.session import Job
from engine.types import Cancelled, Failed, Finished, Frame, Mode, RunStats, SpanDraft, TextSpan

__all__ = ["InfillController", "InfillProgress"]

State: TypeAlias = Literal["idle", "queued", "running", "proposal"]

TYPING_PAUSE_MS = 600
"""How long typing must have paused before drafts come back over the text."""

_keys = itertools.count(1)


class InfillController(QObject):
    """Runs infills for one view and keeps their result until the user has decided.

    The document is changed in one place only, `accept`. A result must prove that it is still wanted: it carries the
    id of the job that is awaited, and no edit has touched its spans, which are moved along with every edit.
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
        self._job: Job | None = None
        self._target: Target | None = None
        self._drafts: tuple[SpanDraft, ...] = ()
        self._proposal: Proposal | None = None
        self._record: RunRecord | None = None
        self._is_closed = False
        self.pacer = FramePacer(self)
        self.prewarmer = Prewarmer(view, bridge, settings, self._key)
        self.resume_timer = QTimer(self, singleShot=True, interval=TYPING_PAUSE_MS)
        self._connect()

    # what the user can do

    @property
    def state(self) -> State:
        """What is going on."""
        return self._state

    @property
    def has_pending(self) -> bool:
        """Whether a proposal waits."""
        return self._proposal is not None

    @property
    def proposal(self) -> Proposal | None:
        """The proposal that waits."""
        return self._proposal

    @property
    def can_accept(self) -> bool:
        """Whether Tab accepts: a proposal waits, and the caret is in it or what was selected for it still is."""
        if self._proposal is None:
            return False
        target = self._proposal.target
        return target.contains(self._view.caret_offset()) or any(map(target.is_covered_by, self._view.selections()))

    def fill(self, wish: Wish = FILL) -> None:
        """Writes the selected spans anew, or whatever else is wished for."""
        self._start(wish)

    def refine(self) -> None:
        """Writes a share of the selected spans' words anew."""
        self._start(REFINE)

    def continue_at_caret(self) -> None:
        """Writes on where the caret is."""
        self._start(CONTINUE)

    def accept(self) -> bool:
        """Makes the proposal part of the document, in one undo step. Returns whether there was one."""
        self._view.surface.finish_composition()  # may touch the spans
        proposal, record = self._proposal, self._record
        if proposal is None or record is None:
            return False
        self._end("idle")
        if not proposal.target.still_holds(self._view):
            self._say("The text under the proposal is another one by now, so nothing was changed.")
            return False
        self._view.replace_spans(proposal.changes())
        self._say("Accepted. Undo brings the old text back.")
        self.accepted.emit(_acceptance(proposal, record, self._view.document.eol))
        return True

    def reject(self) -> None:
        """Ends the run or the proposal, whichever there is, and keeps nothing of it."""
        if self._state != "idle":
            was_proposal = self._state == "proposal"
            self._cancel()
            self._end("idle")
            self._say("The proposal was discarded." if was_proposal else "Stopped; the text is unchanged.")

    def stop(self) -> None:
        """Stops the run within a step and keeps what is written as the proposal; a second time it gives up on it."""
        job = self._job
        if job is None:
            return
        if self._state == "queued" or job.is_cancelled:
            self.reject()
            return
        job.cancel()
        self.message.emit("Stopping after this step.")

    def escape(self) -> bool:
        """Stops a run, or discards a proposal. Returns whether there was one."""
        if self._state in {"queued", "running"}:
            self.stop()
        elif self._state == "proposal":
            self.reject()
        else:
            return False
        return True

    def close(self) -> None:
        """Ends everything, for the tab is closed; nothing is shown or told after it."""
        if self._is_closed:
            return
        self._is_closed = True
        self._cancel()
        self.blockSignals(True)
        self._end("idle")
        self.prewarmer.switch(False)
        for signal, slot in self._wires():
            signal.disconnect(slot)

    # the run

    def _start(self, wish: Wish) -> None:
        self._view.surface.finish_composition()
        try:
            prepared = prepare(
                self._view,
                self._wanted_spans(),
                self._view.caret_offset(),
                wish,
                read_options(self._settings, self._next_seed()),
                int(self._settings["infill.context_extent"]),
            )
        except NothingToFillError as reason:
            self.message.emit(str(reason))
            return
        self._cancel()
        self._end("idle")
        self._target = Target.read(self._view, prepared.spans)
        self._drafts = untouched(self._target) if wish.mode is Mode.REFINE else dissolved(self._target)
        self._job = self._bridge.submit(prepared.request, self._key)
        self._record = RunRecord(
            datetime.now(UTC),
            str(wish.mode),
            prepared.spans,
            self._target.originals,
            self._target.originals,
            options_of(prepared.request),
            prepared.request.seed,
            self._bridge.model_name,
            0.0,
            0,
        )
        self._set_state("queued")
        self._show()
        spans = len(prepared.spans)
        announce(self._view, "Filling." if spans == 1 else f"Filling {spans} spans.")

    def _wanted_spans(self) -> list[TextSpan]:
        selected = self._view.selections()
        if selected or self._proposal is None or not self.can_accept:
            return selected
        return list(self._proposal.target.spans)  # again, where the proposal stands

    def _next_seed(self) -> int:
        if not self._settings["infill.seed_locked"]:
            self._settings["infill.seed"] = secrets.randbelow(2**31)
        return int(self._settings["infill.seed"])

    @Slot(object)
    def _on_frame(self, frame: Frame) -> None:
        if not self._awaits(frame.job_id) or self._target is None or len(frame.spans) != len(self._target.spans):
            return
        if frame.variation != 0:  # the first one is shown
            return
        self._set_state("running")
        self._drafts = frame.spans
        self.progress.emit(InfillProgress.of(frame))
        if not self._settings["editor.reduced_motion"]:
            self.pacer.offer()

    @Slot(object)
    def _on_finished(self, event: Finished) -> None:
        if not self._awaits(event.job_id) or self._target is None or not event.variations:
            return
        best = event.variations[0]
        proposal = Proposal.finished(self._target, best.spans, best.texts)
        done = "Done: Tab accepts, Esc discards."
        if proposal is not None and not any(best.texts):
            done = "The model suggests no text here: Tab removes what is selected, Esc keeps it."
        self._note(best.texts, event.stats, model=event.model.name, seed=best.seed)
        self._propose(proposal, done, "The result is the text that is there already.")

    @Slot(object)
    def _on_cancelled(self, event: Cancelled) -> None:
        if not self._awaits(event.job_id) or self._target is None:
            return
        proposal = Proposal.revealed(self._target, event.spans)
        if proposal is not None:
            self._note(proposal.all_texts(self._target), event.stats, model=self._bridge.model_name, is_partial=True)
        kept = "Stopped. What was written so far is the proposal: Tab accepts, Esc discards."
        self._propose(proposal, kept, "Stopped before anything was written; the text is unchanged.")

    @Slot(object)
    def _on_failed(self, event: Failed) -> None:
        if self._awaits(event.job_id):
            self._end("idle")
            self._say(event.message)

    def _propose(self, proposal: Proposal | None, sentence: str, otherwise: str) -> None:
        if proposal is None:
            self._end("idle")
            self._say(otherwise)
            return
        same_spans = self._target is not None and proposal.target.spans == self._target.spans
        self._job, self._target, self._drafts = None, None, ()
        self.pacer.stop()
        self._proposal = proposal
        if not same_spans:
            self._view.end_preview()
        self._set_state("proposal")
        self._show()
        self._say(sentence)
        self.run_ended.emit(self._record)

    def _note(self, after: Sequence[str], stats: RunStats, **more: Any) -> None:
        if self._record is not None:
            self._record = replace(self._record, after=tuple(after), elapsed_ms=stats.elapsed_ms, nfe=stats.nfe, **more)

    def _awaits(self, job_id: int) -> bool:
        return self._job is not None and self._job.id == job_id

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def _end(self, state: State) -> None:
        self.pacer.stop()
        self.resume_timer.stop()
        self._job, self._target, self._drafts, self._proposal, self._record = None, None, (), None, None
        self._view.end_preview()
        self._set_state(state)

    # what is shown

    @Slot()
    def _show(self) -> None:
        """Shows the latest draft or the proposal, unless the user is typing or does not look."""
        if self.resume_timer.isActive() or not self._view.isVisible():
            return
        previews = self._previews()
        if previews:
            self._view.show_preview(previews)

    def _previews(self) -> Sequence[SpanPreview]:
        if self._proposal is not None:
            return self._proposal.previews()
        if self._target is None:
            return ()
        return [SpanPreview(span, draft.cells) for span, draft in zip(self._target.spans, self._drafts, strict=True)]

    @Slot()
    def _resume(self) -> None:
        if self._view.surface.is_composing:
            self.resume_timer.start()
        else:
            self._show()

    # what the user does meanwhile

    @Slot(object)
    def _on_edit(self, edit: Edit) -> None:
        """Called in the middle of the modification: moves the spans along, changes no text."""
        if self._proposal is not None:
            self._proposal = self._proposal.after(edit)
            if self._proposal is None:
                self._end("idle")
                self._say("The text under the proposal was edited, so the proposal was discarded.")
        elif self._target is not None:
            self._target = self._target.after(edit)
            if self._target is None:
                self._cancel()
                self._end("idle")
                self._say("The text that was being filled was edited, so the run was stopped.")
        if self._state != "idle":
            self.resume_timer.start()

    @Slot()
    def _on_preview_left(self) -> None:
        """What only the real text could answer, a drag for instance, need not have been an edit."""
        if self._state != "idle":
            self.resume_timer.start()

    def _filter_key(self, event: QKeyEvent) -> bool:
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier != Qt.KeyboardModifier.NoModifier:
            return False
        if event.key() == Qt.Key.Key_Tab and self.can_accept:
            return self.accept()
        return event.key() == Qt.Key.Key_Escape and self.escape()

    def _set_state(self, state: State) -> None:
        if state != self._state:
            self._state = state
            self.prewarmer.switch(state == "idle" and not self._is_closed)
            self.state_changed.emit(state)

    def _say(self, sentence: str) -> None:
        self.message.emit(sentence)
        announce(self._view, sentence)

    def _connect(self) -> None:
        self._view.add_key_filter(self._filter_key)
        for signal, slot in self._wires():
            signal.connect(slot)

    def _wires(self) -> tuple[tuple[SignalInstance, Callable[..., None]], ...]:
        return (
            (self._bridge.frame, self._on_frame),
            (self._bridge.finished, self._on_finished),
            (self._bridge.cancelled, self._on_cancelled),
            (self._bridge.failed, self._on_failed),
            (self._view.text_changed, self._on_edit),
            (self._view.shown, self._show),
            (self._view.preview_left, self._on_preview_left),
            (self.pacer.due, self._show),
            (self.resume_timer.timeout, self._resume),
        )


def _acceptance(proposal: Proposal, record: RunRecord, eol: str) -> Acceptance:
    spans, texts, shift = [], [], 0
    for start, end, text in proposal.changes():
        written = with_eol(text, eol)
        spans.append(TextSpan(start + shift, start + shift + len(written)))
        texts.append(written)
        shift += len(written) - (end - start)
    return Acceptance(tuple(spans), tuple(texts), record)
