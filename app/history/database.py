"""The database file: opened when first needed, put aside when it is damaged, never a reason to stop working."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

VERSION = 1
BUSY_S = 5.0
"""How long another window's writing is waited for."""

_SCHEMA = """
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, digest BLOB NOT NULL
);
CREATE INDEX documents_by_digest ON documents (digest);
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    at TEXT NOT NULL, mode TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL, seed INTEGER NOT NULL,
    model TEXT NOT NULL, spans INTEGER NOT NULL, is_partial INTEGER NOT NULL, size INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX runs_by_document ON runs (document, id);
CREATE INDEX runs_by_size ON runs (id, size);
CREATE TABLE marks (
    id INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER NOT NULL UNIQUE REFERENCES documents ON DELETE CASCADE,
    digest BLOB NOT NULL, encoding TEXT NOT NULL, ranges TEXT NOT NULL
);
"""

Answer = TypeVar("Answer")


class HistoryError(Exception):
    """The history could not be read or written; str() is the sentence for the user."""


class Database:
    """One connection to the file at `path`, used by one thread. Several processes may each have one.

    A damaged file is renamed to `history.sqlite3.broken` (with a number when there is one) and a new one begun;
    `problems` then gets a sentence that says so.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self.problems: list[str] = []

    @property
    def is_there(self) -> bool:
        """Whether there is a file: without one there is nothing to be read."""
        return self._connection is not None or self._path.exists()

    def do(self, act: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Carries out `act` as one transaction: all of it or nothing. Raises HistoryError."""
        try:
            return self._try(act)
        except sqlite3.Error as error:
            if not _is_damage(error):
                self.close()
                raise HistoryError(_sentence(error)) from error
            self._put_aside()
        except OSError as error:
            raise HistoryError(_sentence(error)) from error
        try:
            return self._try(act)
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise HistoryError(_sentence(error)) from error

    def shrink(self) -> None:
        """Gives the room of what was deleted back to the disk and leaves nothing of it in the journal."""
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("PRAGMA incremental_vacuum").fetchall()
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Lets go of the file."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _try(self, act: Callable[[sqlite3.Connection], Answer]) -> Answer:
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            answer = act(connection)
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        return answer

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if not self._path.exists():
                os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))  # the texts are the user's own
            self._inode = self._path.stat().st_ino
            connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None)
            self._connection = connection
            for pragma in ("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON",
                           "secure_delete=ON"):  # fmt: skip
                connection.execute(f"PRAGMA {pragma}").fetchall()
            self._prepare(connection)
        return self._connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            (found,) = connection.execute("PRAGMA user_version").fetchone()
            if found > VERSION:
                raise HistoryError(f"{self._path} was written by a newer Redraft, so nothing is kept in it.")
            if found == 0:
                for statement in filter(None, map(str.strip, _SCHEMA.split(";"))):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            self.close()
            raise

    def _put_aside(self) -> None:
        """Renames the damaged file, unless another process has done so already."""
        self.close()
        with contextlib.suppress(OSError):
            if self._path.stat().st_ino != self._inode:
                return
            aside = self._free_name()
            self._path.rename(aside)
            for ending in ("-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{self._path}{ending}").rename(f"{aside}{ending}")
            self.problems.append(f"The history was damaged, so a new one was begun; the old file is kept as {aside}.")

    def _free_name(self) -> Path:
        plain = self._path.with_name(self._path.name + ".broken")
        numbered = (plain.with_name(f"{plain.name}.{number}") for number in range(2, 1000))
        return next((path for path in (plain, *numbered) if not path.exists()), plain)


def _is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is no database, or one with other tables than it should have."""
    code = getattr(error, "sqlite_errorcode", None)
    broken = isinstance(code, int) and code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    return broken or str(error).startswith("no such")


def _sentence(error: Exception) -> str:
    reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return f"The history of runs could not be used ({reason}). Your text is not affected."
