"""History: what the window keeps of its documents' runs. It answers later, and never makes the window wait."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal

from app.document.document import Document
from app.history.entries import Entry, Kept, Marks
from app.history.worker import Worker
from app.paths import history_file
from app.settings import Settings

_unsaved_ids = itertools.count(-1, -1)


class History(QObject):
    """The runs of every document, kept under its file's path.

    The runs of a document without a file are kept in memory until it is saved. With `history.enabled` off nothing is
    kept of a run, in memory neither; what was kept before can still be read and deleted.
    """

    changed = Signal(object)
    """Document, whose entries are others now; None for all."""
    failed = Signal(str)
    """A sentence for the user. The same one comes once."""

    def __init__(self, settings: Settings, parent: QObject | None = None, *, path: Path | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._worker = Worker(path or history_file(), self)
        self._worker.failed.connect(self._on_failed)
        self._unsaved: WeakKeyDictionary[Document, list[tuple[Entry, Kept]]] = WeakKeyDictionary()
        self._told: set[str] = set()

    @property
    def is_on(self) -> bool:
        """Whether runs are kept."""
        return bool(self._settings["history.enabled"])

    @property
    def keeps_marks(self) -> bool:
        """Whether it is remembered which of a file's text came from the model."""
        return bool(self._settings["history.keep_marks"])

    # runs

    def add(self, document: Document, kept: Kept) -> None:
        """Keeps a run of the document."""
        if not self.is_on:
            return
        path, digest = document.path, document.digest
        if path is None or digest is None:  # a file that is not there yet is found by its name only when it was saved
            entry = Entry.of(next(_unsaved_ids), kept.run)
            self._unsaved.setdefault(document, []).append((entry, kept))
            self.changed.emit(document)
            return
        limit = self._limit
        self._worker.do(lambda store: store.add(path, digest, [kept], limit), lambda _: self.changed.emit(document))

    def entries(self, document: Document, then: Callable[[list[Entry]], object]) -> None:
        """Gives `then` the document's runs, the newest first."""
        unsaved = [entry for entry, _ in reversed(self._unsaved.get(document, []))]
        path = document.path
        if path is None:
            then(unsaved)
        else:
            self._worker.do(lambda store: store.entries(path), lambda found: then(unsaved + found))

    def run(self, document: Document, entry_id: int, then: Callable[[Kept], object]) -> None:
        """Gives `then` the whole of a run; when it is gone, `failed` says so."""
        for entry, kept in self._unsaved.get(document, []):
            if entry.id == entry_id:
                then(kept)
                return
        self._told.clear()  # the user has asked: told again
        self._worker.do(lambda store: store.run(entry_id), then)

    def delete(self, document: Document, entry_ids: Sequence[int]) -> None:
        """Forgets runs of the document."""
        if document in self._unsaved:
            self._unsaved[document] = [pair for pair in self._unsaved[document] if pair[0].id not in entry_ids]
        kept = [each for each in entry_ids if each >= 0]
        if kept:
            self._worker.do(lambda store: store.delete(kept), lambda _: self.changed.emit(document))
        else:
            self.changed.emit(document)

    def delete_all(self, document: Document | None) -> None:
        """Forgets every run of the document, or of all documents."""
        if document is None:
            self._unsaved.clear()
        else:
            self._unsaved.pop(document, None)
        path = document.path if document is not None else None
        if document is None or path is not None:
            self._worker.do(lambda store: store.delete_all(path), lambda _: self.changed.emit(document))
        else:
            self.changed.emit(document)

    # files

    def opened(self, document: Document, then: Callable[[Marks | None], object]) -> None:
        """To be called when a file was read. Gives `then` its marks, if there are any for just these bytes."""
        path, digest, encoding = document.path, document.digest, document.encoding
        if path is None or digest is None:
            return

        def check(marks: Marks | None) -> None:
            fits = marks is not None and marks.digest == digest and marks.encoding == encoding
            then(marks if fits else None)

        self._worker.do(lambda store: store.opened(path, digest), check)

    def saved(self, document: Document, marks: Marks | None, old: Path | None) -> None:
        """To be called when a file was written. `old` is where the document was before, if that is elsewhere."""
        path, digest, limit = document.path, document.digest, self._limit
        if path is None or digest is None:
            return
        if old is not None and old != path and self.is_on:
            self._worker.do(lambda store: store.copy(old, path, digest, limit))
        unsaved = [kept for _, kept in self._unsaved.pop(document, [])]
        if unsaved and self.is_on:
            self._worker.do(lambda store: store.add(path, digest, unsaved, limit))
        kept_marks = marks if self.keeps_marks else None
        self._worker.do(lambda store: store.saved(path, digest, kept_marks), lambda _: self.changed.emit(document))

    def finish(self) -> bool:
        """Waits until everything is kept and told."""
        return self._worker.finish()

    def close(self) -> bool:
        """Ends it once everything is kept."""
        return self._worker.close()

    @property
    def _limit(self) -> int:
        return int(self._settings["history.limit_mb"]) * 1_000_000

    def _on_failed(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self.failed.emit(sentence)
