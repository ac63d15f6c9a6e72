"""What is kept of runs and marks, and how it is found again. One thread uses it; it blocks while the disk works."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from app.history.database import Database, HistoryError
from app.history.entries import Entry, Kept, Marks, UnreadableRunError, from_json, head, to_json
from engine.types import TextSpan

Answer = TypeVar("Answer")

MOST_MARKED = 5_000
"""Files whose marks are kept, the ones saved last."""

_ROW_BYTES = 400
"""What a run takes beside its text, about."""

_COLUMNS = "id, at, mode, before, after, seed, model, spans, is_partial"


class Store:
    """The runs and the marks of documents, each known by its file's path.

    `digest` is what `Document.digest` says of the file. It finds the document again when its file was moved: a path
    that is not known takes over what is kept of a file with the same bytes that is no longer where it was.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        self._problems: list[str] = self._database.problems

    def take_problems(self) -> list[str]:
        """Sentences for the user about what went wrong since the last call."""
        problems = list(self._problems)
        self._problems.clear()
        return problems

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()

    # runs

    def add(self, path: Path, digest: bytes, kept: Sequence[Kept], limit: int) -> list[Entry]:
        """Keeps runs of a document, then forgets the oldest of all that are over `limit` bytes in sum."""

        def act(connection: sqlite3.Connection) -> list[Entry]:
            document = _document(connection, path, digest)
            entries = [_insert(connection, document, each) for each in kept]
            gone = _prune(connection, limit)
            return [entry for entry in entries if entry.id not in gone]

        return self._database.do(act)

    def entries(self, path: Path) -> list[Entry]:
        """The document's runs, the newest first."""

        def act(connection: sqlite3.Connection) -> list[Entry]:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM runs WHERE document = (SELECT id FROM documents WHERE path = ?) "  # noqa: S608
                "ORDER BY id DESC",
                (_key(path),),
            )
            return [entry for entry in map(_entry, rows) if entry is not None]

        return self._if_there(act, [])

    def run(self, entry_id: int) -> Kept:
        """The whole of a run. Raises HistoryError when it is gone or cannot be read."""

        def act(connection: sqlite3.Connection) -> Kept:
            row = connection.execute("SELECT body FROM runs WHERE id = ?", (entry_id,)).fetchone()
            if row is None:
                raise HistoryError("That run is no longer in the history.")
            try:
                return from_json(row[0])
            except UnreadableRunError as error:
                raise HistoryError("That run can no longer be read; it may be deleted.") from error

        return self._database.do(act)

    def delete(self, entry_ids: Sequence[int]) -> None:
        """Forgets runs, for good."""
        self._forget("DELETE FROM runs WHERE id = ?", [(each,) for each in entry_ids])

    def delete_all(self, path: Path | None) -> None:
        """Forgets the runs of a document, or of every document."""
        if path is None:
            self._forget("DELETE FROM runs", [()])
        else:
            self._forget("DELETE FROM runs WHERE document = (SELECT id FROM documents WHERE path = ?)", [(_key(path),)])

    def copy(self, old: Path, new: Path, digest: bytes, limit: int) -> None:
        """The runs of a document that was saved under another name belong to both files."""

        def act(connection: sqlite3.Connection) -> None:
            columns = "at, mode, before, after, seed, model, spans, is_partial, size, body"
            source = connection.execute("SELECT id FROM documents WHERE path = ?", (_key(old),)).fetchone()
            if source is not None:
                connection.execute(
                    f"INSERT INTO runs (document, {columns}) SELECT ?, {columns} FROM runs WHERE document = ? "  # noqa: S608
                    "ORDER BY id",
                    (_document(connection, new, digest), source[0]),
                )
                _prune(connection, limit)

        self._if_there(act, None)

    # files

    def opened(self, path: Path, digest: bytes) -> Marks | None:
        """Notes that a file was read, and returns its marks. Takes over what is kept of a file that was moved here."""

        def act(connection: sqlite3.Connection) -> Marks | None:
            document = _known(connection, path) or _moved(connection, path, digest)
            if document is None:
                return None
            connection.execute("UPDATE documents SET digest = ? WHERE id = ?", (digest, document))
            return _marks(connection, document)

        return self._if_there(act, None)

    def saved(self, path: Path, digest: bytes, marks: Marks | None) -> None:
        """Notes that a file was written, with its marks; `marks` None leaves none."""

        def act(connection: sqlite3.Connection) -> None:
            document = _known(connection, path)
            if document is None and marks is None:
                return
            document = _document(connection, path, digest)
            connection.execute("UPDATE documents SET digest = ? WHERE id = ?", (digest, document))
            connection.execute("DELETE FROM marks WHERE document = ?", (document,))
            if marks is not None:
                ranges = json.dumps([[span.start, span.end] for span in marks.ranges], separators=(",", ":"))
                connection.execute(
                    "INSERT INTO marks (document, digest, encoding, ranges) VALUES (?, ?, ?, ?)",
                    (document, marks.digest, marks.encoding, ranges),
                )
                connection.execute(
                    "DELETE FROM marks WHERE id NOT IN (SELECT id FROM marks ORDER BY id DESC LIMIT ?)", (MOST_MARKED,)
                )

        if marks is not None:
            self._database.do(act)
        else:
            self._if_there(act, None)

    def _if_there(self, act: Callable[[sqlite3.Connection], Answer], otherwise: Answer) -> Answer:
        """Reading does not make a file."""
        return self._database.do(act) if self._database.is_there else otherwise

    def _forget(self, statement: str, values: Sequence[tuple[object, ...]]) -> None:
        def act(connection: sqlite3.Connection) -> None:
            connection.executemany(statement, values)

        self._if_there(act, None)
        self._database.shrink()


def _key(path: Path) -> bytes:
    """One file is one key, however it was named."""
    return os.fsencode(os.path.normcase(os.path.realpath(path)))


def _known(connection: sqlite3.Connection, path: Path) -> int | None:
    row = connection.execute("SELECT id FROM documents WHERE path = ?", (_key(path),)).fetchone()
    return row[0] if row is not None else None


def _document(connection: sqlite3.Connection, path: Path, digest: bytes) -> int:
    known = _known(connection, path)
    if known is None:
        values = (_key(path), digest)
        known = connection.execute("INSERT INTO documents (path, digest) VALUES (?, ?)", values).lastrowid
    assert known is not None
    return known


def _moved(connection: sqlite3.Connection, path: Path, digest: bytes) -> int | None:
    """The document with the same bytes whose file is gone from its place; this is its place from now on."""
    rows = connection.execute("SELECT id, path FROM documents WHERE digest = ? ORDER BY id DESC", (digest,)).fetchall()
    for document, place in rows:
        if not Path(os.fsdecode(place)).exists():
            connection.execute("UPDATE documents SET path = ? WHERE id = ?", (_key(path), document))
            return int(document)
    return None


def _insert(connection: sqlite3.Connection, document: int, kept: Kept) -> Entry:
    run, body = kept.run, to_json(kept)
    values = (
        document, run.when.isoformat(), run.mode, head(run.before), head(run.after), run.seed, run.model,
        len(run.spans), run.is_partial, len(body) + _ROW_BYTES, body,
    )  # fmt: skip
    cursor = connection.execute(
        "INSERT INTO runs (document, at, mode, before, after, seed, model, spans, is_partial, size, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )
    assert cursor.lastrowid is not None
    return Entry.of(cursor.lastrowid, run)


def _prune(connection: sqlite3.Connection, limit: int) -> set[int]:
    (total,) = connection.execute("SELECT coalesce(sum(size), 0) FROM runs").fetchone()
    gone: list[int] = []
    if total > limit:
        for entry_id, size in connection.execute("SELECT id, size FROM runs ORDER BY id"):
            gone.append(entry_id)
            total -= size
            if total <= limit:
                break
        connection.executemany("DELETE FROM runs WHERE id = ?", [(each,) for each in gone])
    return set(gone)


def _entry(row: Sequence[Any]) -> Entry | None:
    number, at, mode, before, after, seed, model, spans, is_partial = row
    try:
        return Entry(number, datetime.fromisoformat(at), mode, before, after, seed, model, spans, bool(is_partial))
    except (TypeError, ValueError):
        return None


def _marks(connection: sqlite3.Connection, document: int) -> Marks | None:
    row = connection.execute("SELECT digest, encoding, ranges FROM marks WHERE document = ?", (document,)).fetchone()
    if row is None:
        return None
    try:
        ranges = tuple(TextSpan(int(start), int(end)) for start, end in json.loads(row[2]))
    except (TypeError, ValueError):
        return None
    return Marks(row[0], row[1], ranges)
