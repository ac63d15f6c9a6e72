"""One open file: its place, encoding, line ends and state. The text itself lives in the view."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.document.encodings import encoding_label
from app.document.files import (
    ChangedOnDiskError,
    FileStamp,
    detect_eol,
    encode,
    has_changed,
    is_read_only,
    read_file,
    write_atomically,
)
from app.document.languages import language_of

_EOL_LABELS = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}


class Document(QObject):
    """Metadata of one open file.

    `changed` comes with every change of the text, `modified_changed` when it begins or ceases to differ from the file,
    `path_changed` when it has another name, `properties_changed` when encoding, line ends or language are others.
    """

    changed = Signal()
    modified_changed = Signal(bool)
    path_changed = Signal()
    properties_changed = Signal()

    def __init__(self, parent: QObject | None = None, *, number: int = 1) -> None:
        super().__init__(parent)
        self.path: Path | None = None
        self.encoding = "utf-8"
        self.bom = False
        self.eol = "\n"
        self.mixed_eol = False
        self.language: str | None = "text"
        self.revision = 0
        self._number = number
        self._is_modified = self._is_lost = False
        self._stamp: FileStamp | None = None

    @property
    def title(self) -> str:
        """The file's name, or what an unnamed one is called."""
        if self.path is not None:
            return self.path.name
        return "Untitled" if self._number == 1 else f"Untitled {self._number}"

    @property
    def is_modified(self) -> bool:
        """Whether the text differs from the file, or was found to have no file any more."""
        return self._is_modified or self._is_lost

    @property
    def is_read_only(self) -> bool:
        """Whether the file on disk is write-protected."""
        return self.path is not None and is_read_only(self.path)

    @property
    def encoding_label(self) -> str:
        """The encoding as the user reads it."""
        return encoding_label(self.encoding) + (" with BOM" if self.bom else "")

    @property
    def eol_label(self) -> str:
        """The line ends as the user reads them."""
        label = _EOL_LABELS.get(self.eol, "LF")
        return f"{label} (mixed)" if self.mixed_eol else label

    @property
    def changed_on_disk(self) -> bool:
        """Whether someone else has written the file since it was read or saved here."""
        return self.path is not None and self._stamp is not None and has_changed(self.path, self._stamp)

    @property
    def version_on_disk(self) -> int | None:
        """When the file was last written, in nanoseconds; None when there is none."""
        try:
            return self.path.stat().st_mtime_ns if self.path is not None else None
        except OSError:
            return None

    @property
    def digest(self) -> bytes | None:
        """A hash of the file's bytes as they were last read or saved here; None when there is no file yet."""
        return self._stamp.digest if self._stamp is not None else None

    @property
    def is_gone(self) -> bool:
        """Whether the file that was read is no longer there."""
        return self.path is not None and self._stamp is not None and not self.path.exists()

    def load(self, path: Path, encoding: str | None = None) -> str:
        """Reads the file and takes over what it is; returns its text for the view. Raises FileError, then unchanged."""
        content = read_file(path, encoding)
        self.encoding, self.bom = content.encoding, content.bom
        self.eol, self.mixed_eol = content.eol, content.mixed_eol
        self._stamp = content.stamp
        self._take_state(self._is_modified, is_lost=False)
        self._take_path(path, content.text)
        self.properties_changed.emit()
        return content.text

    def begin(self, path: Path) -> None:
        """Makes this the document of a file that does not exist yet."""
        self._stamp = None
        self._take_state(self._is_modified, is_lost=False)
        self._take_path(path, "")

    def save(self, text: str, path: Path | None = None, *, force: bool = False) -> None:
        """Writes the text to `path` or the file's own place, atomically.

        Raises FileError, and then nothing is changed: ChangedOnDiskError when someone else has written the file in the
        meantime and `force` is not given, UnencodableError for a character the encoding lacks, and so on.
        """
        target = path or self.path
        if target is None:
            raise ValueError("a document without a path needs one to be saved")
        if not force and target == self.path and self.changed_on_disk:
            raise ChangedOnDiskError(f"“{target.name}” was changed by another program since it was opened here.")
        self._stamp = write_atomically(target, encode(text, self.encoding, bom=self.bom))
        found, self.mixed_eol = detect_eol(text, self.eol)
        self.eol = found if not self.mixed_eol else self.eol
        if target != self.path:
            self._take_path(target, text)
        self._take_state(False, is_lost=False)
        self.properties_changed.emit()

    def set_encoding(self, encoding: str, *, bom: bool = False) -> None:
        """Chooses the encoding of the next save."""
        if (encoding, bom) != (self.encoding, self.bom):
            self.encoding, self.bom = encoding, bom
            self.properties_changed.emit()

    def set_language(self, language: str) -> None:
        """Chooses the language by hand."""
        if language != self.language:
            self.language = language
            self.properties_changed.emit()

    def set_modified(self, modified: bool) -> None:
        """Called by the view when its text leaves or reaches the saved state."""
        self._take_state(modified, self._is_lost)

    def notice_loss(self) -> bool:
        """Looks whether the file is still there. While it is not, the text, which is then the only copy, counts as
        modified. Returns whether the loss is news."""
        was_lost = self._is_lost
        self._take_state(self._is_modified, self.is_gone)
        return self._is_lost and not was_lost

    def bump(self) -> None:
        """Called by the view at every change of the text: a new revision."""
        self.revision += 1
        self.changed.emit()

    def _take_state(self, is_modified: bool, is_lost: bool) -> None:
        before = self.is_modified
        self._is_modified, self._is_lost = is_modified, is_lost
        if self.is_modified != before:
            self.modified_changed.emit(self.is_modified)

    def _take_path(self, path: Path, text: str) -> None:
        self.path = path
        self.language = language_of(path, text[:200].partition("\n")[0])
        self.path_changed.emit()
