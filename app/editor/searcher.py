"""Searches beside the event loop: words in slices of it, regular expressions in a process of their own."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

import app
from app.editor.search import BadPatternError, Haystack, Matches, Search, SearchJob
from app.editor.search_serving import packed_job, unpacked_answer

SLICE_MS = 8.0
"""For how long the event loop waits for a search at a time."""
LIMIT_S = 5.0
"""How long a regular expression may take."""
TOO_LONG = "This pattern takes too long on this text."
_NO_PROCESS = "Regular expressions cannot be searched for: no process could be started for that."


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a job.

    Attributes:
        texts: what replaces each found place, if that was asked for.
        error: a sentence, where there is nothing else.
    """

    job: SearchJob
    matches: Matches = field(default_factory=Matches)
    texts: list[str] = field(default_factory=list)
    error: str = ""


class Searcher(QObject):
    """Does one job at a time; a newer one takes the place of the older. The answer never comes within `search`."""

    answered = Signal(object)
    """Answer."""

    def __init__(self, parent: QObject | None = None, *, limit_s: float = LIMIT_S) -> None:
        super().__init__(parent)
        self._limit_s = limit_s
        self._job: SearchJob | None = None
        self._search: Search | None = None
        self._steps: Iterator[None] = iter(())
        self._process: QProcess | None = None
        self._received = bytearray()
        self._slices = QTimer(self, interval=0)
        self._slices.timeout.connect(self._go_on)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._job is not None

    def search(self, job: SearchJob, text: str) -> None:
        """Begins. Raises BadPatternError for what is no pattern."""
        self.stop()
        search = Search(job, Haystack("" if job.query.is_regex else text))
        self._job = job
        if job.query.is_regex:
            self._ask(job, text)
        else:
            self._search, self._steps = search, search.steps()
            self._slices.start()

    def finish(self) -> None:
        """Answers now, if no process has to be waited for."""
        if self._search is not None:
            self._go_on(to_the_end=True)

    def stop(self) -> None:
        """Forgets the job; there will be no answer."""
        self._slices.stop()
        if self._job is not None and self._search is None:
            self._end_process()
        self._job = self._search = None

    def close(self) -> None:
        """Ends everything."""
        self.stop()
        self._end_process()

    # words

    def _go_on(self, *, to_the_end: bool = False) -> None:
        until, search = time.perf_counter() + SLICE_MS / 1000, self._search
        assert search is not None
        try:
            for _ in self._steps:
                if not to_the_end and time.perf_counter() > until:
                    return
        except BadPatternError as reason:
            self._answer(error=str(reason))
        else:
            self._answer(search.matches, search.texts)

    def _answer(self, matches: Matches | None = None, texts: list[str] | None = None, error: str = "") -> None:
        job, self._job, self._search = self._job, None, None
        self._slices.stop()
        assert job is not None
        self.answered.emit(Answer(job, matches if matches is not None else Matches(), texts or [], error))

    # regular expressions

    def _ask(self, job: SearchJob, text: str) -> None:
        self._received.clear()
        process = self._process
        if process is None:
            process = self._process = QProcess(self)
            process.setStandardErrorFile(QProcess.nullDevice())
            process.readyReadStandardOutput.connect(self._on_output)
            process.finished.connect(self._on_finished)
            process.errorOccurred.connect(self._on_error)
            root = str(Path(app.__file__).parents[1])
            code = f"import sys; sys.path.insert(0, {root!r}); from app.editor.search_serving import serve; "
            process.start(sys.executable, ["-I", "-S", "-c", f"{code}serve({self._limit_s})"])
        process.write(packed_job(job, text))

    def _on_output(self) -> None:
        if self._process is None or self._job is None:
            return
        self._received += bytes(self._process.readAllStandardOutput().data())
        answer = unpacked_answer(self._received)
        if answer is not None:
            self._answer(*answer)

    def _on_finished(self) -> None:
        self._forget_process()
        if self._job is not None and self._search is None:
            self._answer(error=TOO_LONG)

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._forget_process()
            if self._job is not None:
                self._answer(error=_NO_PROCESS)

    def _end_process(self) -> None:
        process = self._process
        if process is not None:
            process.blockSignals(True)
            process.kill()
            process.waitForFinished(1000)
            self._forget_process()

    def _forget_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
