"""Has the words of a document judged in the background, and keeps the doubtful ones marked."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal, SignalInstance, Slot

from app.editor.edits import Edit
from app.editor.view import EditorView
from app.infill.announce import announce
from app.infill.bridge import EngineBridge
from app.infill.controller import InfillController
from app.infill.doubtful import DoubtfulWord, JudgedParagraph, marked
from app.infill.paragraphs import nearest_first, paragraphs, request_for
from app.settings import Settings
from engine.session import Job
from engine.types import Cancelled, Doubted, DoubtRequest, Failed, TextSpan, WordDoubt

LARGEST = 300_000
"""Characters that are judged at once, at most."""
MOST_KEPT = 2_000
"""Paragraphs whose answers are kept."""

_keys = itertools.count(1)


class DoubtMarks(QObject):
    """One view's. A paragraph is judged at a time, the visible ones first; typing stops it, an infill goes before it.

    A paragraph that was judged before, with the same text around it, by the same model, is not judged again.
    """

    changed = Signal()
    """Other words are marked now."""
    progressed = Signal()
    """Judging began, came on, or ended."""
    message = Signal(str)

    def __init__(
        self, view: EditorView, controller: InfillController, bridge: EngineBridge, settings: Settings
    ) -> None:
        super().__init__(view)
        self._view, self._controller, self._bridge, self._settings = view, controller, bridge, settings
        self._key = f"doubt {next(_keys)}"
        self._answers: OrderedDict[tuple[str, DoubtRequest], tuple[WordDoubt, ...]] = OrderedDict()
        self._waiting: list[TextSpan] = []
        self._wanted_in_all = 0
        self._judged: list[JudgedParagraph] = []
        self._asked: tuple[Job, DoubtRequest, TextSpan] | None = None
        self._is_replacing = False
        self.words: list[DoubtfulWord] = []
        for signal, slot in self._wires():
            signal.connect(slot)

    @property
    def is_running(self) -> bool:
        """Whether paragraphs are still to be judged."""
        return bool(self._waiting) or self._asked is not None

    @property
    def share(self) -> float:
        """How much of what is to be judged has been, 0 to 1."""
        return 1 - len(self._waiting) / max(1, self._wanted_in_all)

    # what the user can do

    def mark(self) -> None:
        """Marks the doubtful words of the selection, or of the whole document."""
        view = self._view
        spans = view.selections() or [TextSpan(0, view.length)]
        if sum(span.end - span.start for span in spans) > LARGEST:
            self.message.emit(f"Select less: at most {LARGEST:,} characters are judged at once.")
            return
        self._stop()
        self._judged = []
        top = view.surface.positionFromLine(view.surface.docLineFromVisible(view.surface.firstVisibleLine()))
        self._waiting = nearest_first(paragraphs(view, spans), view.surface.offset_at(top))
        self._wanted_in_all = len(self._waiting)
        if not self._waiting:
            self._show()
            self.message.emit("There are no words to judge here.")
            return
        self.message.emit("Looking for doubtful words.")
        self._go_on()

    def clear(self) -> None:
        """Takes all marks away, and stops looking for more."""
        self._stop()
        self._judged = []
        self._show()

    def stop(self) -> None:
        """Looks no further; what is marked stays."""
        if self.is_running:
            self._stop()
            many = len(self.words)
            self.message.emit(f"Stopped; {many} {'word is' if many == 1 else 'words are'} marked so far.")

    def step(self, by: int) -> None:
        """Goes to the next (1) or previous (-1) doubtful word, around the ends."""
        caret = self._view.caret_offset()
        if not self.words:
            self.message.emit("No word is marked. “Mark Doubtful Words” looks for them.")
            return
        if by > 0:
            goal = next((word for word in self.words if word.span.start > caret), self.words[0])
        else:
            goal = next((word for word in reversed(self.words) if word.span.end < caret), self.words[-1])
        self._view.go_to_offset(goal.span.start)
        number, of = self.words.index(goal) + 1, len(self.words)
        self.message.emit(f"Doubtful word {number} of {of}: Alt+Return shows better words.")

    def at(self, offset: int) -> DoubtfulWord | None:
        """The marked word at an offset or at its border."""
        return next((word for word in self.words if word.span.start <= offset <= word.span.end), None)

    def replace(self, word: DoubtfulWord, text: str) -> None:
        """Puts a candidate in the word's place, in one undo step. The other marks stay."""
        if word not in self.words:
            return
        old = self._view.text_range(word.span.start, word.span.end)
        self._is_replacing = True
        try:
            self._view.replace_spans([(word.span.start, word.span.end, text)])
        finally:
            self._is_replacing = False
        self._show()
        self.message.emit(f"“{old}” became “{text}”. Undo brings it back.")

    def dismiss(self, word: DoubtfulWord) -> None:
        """Takes the mark of one word away: it is right."""
        others = [other for other in self.words if other != word]
        self._judged = [paragraph.with_only(others) for paragraph in self._judged]
        self._show()

    def rewrite(self, words: Sequence[DoubtfulWord] = ()) -> None:
        """Has the model write these words anew; without any, the marked ones that are selected, or the one at the
        caret, or else all. The result is a proposal."""
        chosen = list(words) or self._wanted()
        if chosen:
            self._controller.fill_spans([word.span for word in chosen])
        elif self.words:
            self.message.emit("No marked word is selected.")
        else:
            self.message.emit("No word is marked. “Mark Doubtful Words” looks for them.")

    def _wanted(self) -> list[DoubtfulWord]:
        selected = self._view.selections()
        if selected:
            return [
                word
                for word in self.words
                if any(word.span.start < span.end and span.start < word.span.end for span in selected)
            ]
        here = self.at(self._view.caret_offset())
        return [here] if here is not None else self.words

    def close(self) -> None:
        """Ends everything, for the tab is closed."""
        self._stop()
        self.blockSignals(True)
        for signal, slot in self._wires():
            signal.disconnect(slot)

    # the run

    def _go_on(self) -> None:
        """Takes what is known from the answers that are kept, and asks the engine for the next paragraph."""
        if self._asked is not None or self._controller.is_running:
            return
        is_news = False
        while self._waiting:
            paragraph = self._waiting[0]
            request = request_for(self._view, paragraph, self._threshold())
            known = self._answers.get((self._model(), request))
            if known is None:
                self._asked = self._bridge.doubt(request, self._key), request, paragraph
                break
            self._waiting.pop(0)
            self._take(request, paragraph, known)
            is_news = True
        if is_news:
            self._show()
        if not self.is_running:
            self._settle()
            self._tell()
        self.progressed.emit()

    @Slot(object)
    def _on_doubted(self, event: Doubted) -> None:
        asked = self._awaited(event.job_id)
        if asked is None:
            return
        _, request, paragraph = asked
        self._asked = None
        self._answers[self._model(), request] = event.words
        while len(self._answers) > MOST_KEPT:
            self._answers.popitem(last=False)
        self._waiting.remove(paragraph)
        self._take(request, paragraph, event.words)
        self._show()
        self._go_on()

    @Slot(object)
    def _on_failed(self, event: Failed) -> None:
        if self._awaited(event.job_id) is not None:
            self._stop()
            self.message.emit(event.message)

    @Slot(object)
    def _on_cancelled(self, event: Cancelled) -> None:
        if self._awaited(event.job_id) is not None:
            self._asked = None
            self._go_on()

    @Slot()
    def _on_state(self) -> None:
        """An infill goes first; what was asked is asked again after it."""
        if self._controller.is_running:
            if self._asked is not None:
                self._asked[0].cancel()
                self._asked = None
        elif self._waiting:
            self._go_on()

    @Slot(object)
    def _on_edit(self, edit: Edit) -> None:
        """Called in the middle of the modification: moves what was judged along, changes no text."""
        was_running = self.is_running
        self._stop()
        if self._is_replacing:
            self._judged = [paragraph.with_word_replaced(edit) for paragraph in self._judged]
            self.words = [word for paragraph in self._judged for word in paragraph.words]
            return
        if not self._judged:
            return
        moved = [paragraph.after(edit) for paragraph in self._judged]
        self._judged = [paragraph for paragraph in moved if paragraph is not None]
        self._show()
        if was_running:
            self.message.emit("The text was edited, so no more doubtful words are looked for.")

    @Slot(str, object)
    def _on_setting(self, key: str, value: object) -> None:
        if key == "engine.enabled" and not value:
            self.clear()

    def _take(self, request: DoubtRequest, paragraph: TextSpan, words: Sequence[WordDoubt]) -> None:
        assert request.span is not None
        origin = paragraph.start - request.span.start
        self._judged.append(JudgedParagraph.of(paragraph, origin, words, self._threshold()))

    def _stop(self) -> None:
        was_running, self._waiting = self.is_running, []
        if self._asked is not None:
            self._asked[0].cancel()
            self._asked = None
        self._settle()
        if was_running:
            self.progressed.emit()

    def _settle(self) -> None:
        """No word is marked later for one whose mark goes."""
        self._judged = [paragraph.with_only(self.words) for paragraph in self._judged]

    def _show(self) -> None:
        self.words = marked(self._judged)
        self._view.heat.show([(word.span, word.level) for word in self.words])
        self.changed.emit()

    def _tell(self) -> None:
        count = sum(paragraph.count for paragraph in self._judged)
        many = len(self.words)
        sentence = f"{many} of {count:,} words {'is' if many == 1 else 'are'} doubtful."
        if many:
            sentence += " F7: next; Alt+Return: better words."
        self.message.emit(sentence)
        announce(self._view, sentence)

    def _awaited(self, job_id: int) -> tuple[Job, DoubtRequest, TextSpan] | None:
        return self._asked if self._asked is not None and self._asked[0].id == job_id else None

    def _threshold(self) -> float:
        return float(self._settings["infill.doubt_threshold"]) / 100

    def _model(self) -> str:
        return str(self._settings["engine.model"])

    def _wires(self) -> tuple[tuple[SignalInstance, Callable[..., object]], ...]:
        return (
            (self._bridge.doubted, self._on_doubted),
            (self._bridge.failed, self._on_failed),
            (self._bridge.cancelled, self._on_cancelled),
            (self._controller.state_changed, self._on_state),
            (self._view.text_changed, self._on_edit),
            (self._settings.changed, self._on_setting),
        )
