"""Opening, saving and closing: each step that could lose something asks first or says what is safe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from weakref import WeakKeyDictionary

from PySide6.QtCore import QObject, Signal

from app.document.document import Document
from app.document.files import (
    ChangedOnDiskError,
    DiskFullError,
    FileError,
    FolderGoneError,
    NotFoundError,
    PermissionDeniedError,
    UnencodableError,
)
from app.window.asks import Answer, Asks
from app.window.tabs import Tab, Tabs

MakeTab = Callable[[Document], Tab]


class Filing(QObject):
    """What the File menu does. `said` carries a word for the status bar, `failed` a sentence that must be read."""

    said = Signal(str)
    failed = Signal(str, object)  # sentence, and the tab that may be saved elsewhere, or None
    loaded = Signal(object)  # the tab whose file was read, again too
    saved = Signal(object)  # the tab whose file was written

    def __init__(self, tabs: Tabs, asks: Asks, make_tab: MakeTab, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tabs = tabs
        self.asks = asks
        self._make_tab = make_tab
        self._untitled = 0
        self._told: WeakKeyDictionary[Tab, int] = WeakKeyDictionary()

    def new(self) -> Tab:
        """Opens an empty, unnamed document."""
        self._untitled += 1
        tab = self._make_tab(Document(number=self._untitled))
        self._tabs.add(tab)
        return tab

    def ask_open(self) -> None:
        """Lets the user choose files and opens them."""
        current = self._tabs.current
        path = current.document.path if current is not None else None
        for chosen in self.asks.open_paths(path.parent if path is not None else None):
            self.open(chosen)

    def open(self, path: Path, line: int | None = None, column: int = 1) -> Tab | None:
        """Opens a file, or goes to it where it is open; a path that is not there yet begins a new file."""
        path = Path(path).absolute()
        tab = self._tabs.of_path(path) or self._read(path)
        if tab is None:
            return None
        self._tabs.bring_to_front(tab)
        if line is not None:
            tab.view.go_to(line, column)
        return tab

    def save(self, tab: Tab) -> bool:
        """Saves the document in its place; asks for one when it has none. Returns whether it was saved."""
        if tab.document.path is None:
            return self.save_as(tab)
        return self._decide_proposals(tab) and self._write(tab, None)

    def save_as(self, tab: Tab) -> bool:
        """Asks for a place and saves there."""
        if not self._decide_proposals(tab):
            return False
        path = self.asks.save_path(tab.document.path or Path.home() / f"{tab.document.title}.txt")
        return path is not None and self._write(tab, path.absolute())

    def save_all(self) -> bool:
        """Saves every modified document; ends at the first that could not be saved."""
        return all(self.save(tab) for tab in self._tabs.all if tab.document.is_modified)

    def reload(self, tab: Tab, encoding: str | None = None) -> bool:
        """Reads the file again, in another encoding if one is given; asks before changes are lost."""
        path = tab.document.path
        if path is None or not self._settle(tab):
            return False
        if tab.document.is_modified and self.asks.lose_changes(tab.document.title) is not Answer.RELOAD:
            return False
        return self._load(tab, path, encoding)

    def close(self, tab: Tab) -> bool:
        """Closes a tab, having asked about all that is not in the file. Returns whether it is closed."""
        if not self._may_close(tab):
            return False
        self._tabs.take(tab)
        return True

    def has_news(self, tab: Tab) -> bool:
        """Whether another program has written the file, and the user was not told of this version yet."""
        version = tab.document.version_on_disk
        if version is None or self._told.get(tab) == version or not tab.document.changed_on_disk:
            return False
        self._told[tab] = version
        return True

    def may_close_all(self) -> bool:
        """Whether the window may close: asks for every tab that has something to lose."""
        for tab in self._tabs.all:
            tab.document.notice_loss()
            if tab.document.is_modified or tab.controller.state != "idle" or tab.controller.proposals.has_pending:
                self._tabs.bring_to_front(tab)
            if not self._may_close(tab):
                return False
        return True

    def _read(self, path: Path) -> Tab | None:
        blank = self._tabs.current
        document = Document()
        text = None
        try:
            text = document.load(path)
        except NotFoundError:
            document.begin(path)
        except FileError as error:
            self.failed.emit(str(error), None)
            return None
        tab = self._make_tab(document)
        if text is not None:
            self._show(tab, text)
        self._tabs.add(tab)
        if blank is not None and blank.is_pristine:
            self._tabs.take(blank)
        self.said.emit(
            f"Opened {path.name}" if text is not None else f"{path.name} is new: it is made when you save it."
        )
        return tab

    def _show(self, tab: Tab, text: str) -> None:
        tab.view.set_text(text)
        tab.view.set_language(tab.document.language or "text")
        tab.document.set_modified(False)
        self.loaded.emit(tab)

    def _load(self, tab: Tab, path: Path, encoding: str | None) -> bool:
        try:
            text = tab.document.load(path, encoding)
        except FileError as error:
            self.failed.emit(str(error), None)
            return False
        line, column = tab.line_and_column
        self._show(tab, text)
        tab.view.go_to(line, column)
        self.said.emit(f"Read {path.name} again as {tab.document.encoding_label}")
        return True

    def _write(self, tab: Tab, path: Path | None, *, force: bool = False) -> bool:
        document = tab.document
        tab.view.surface.finish_composition()  # what an input method has not committed yet is not text
        try:
            document.save(tab.view.text(), path, force=force)
        except ChangedOnDiskError:
            return self._settle_conflict(tab, path)
        except UnencodableError as error:
            if document.encoding == "utf-8":
                self.failed.emit(f"{error} The text holds half a character.", None)
                return False
            return self._save_as_utf8(tab, path, str(error), force=force)
        except FileError as error:
            elsewhere = isinstance(error, FolderGoneError | PermissionDeniedError | DiskFullError)
            self.failed.emit(str(error), tab if elsewhere else None)
            return False
        tab.view.set_savepoint()
        tab.view.set_language(document.language or "text")
        self.saved.emit(tab)
        waiting = " What is only proposed is not part of it." if tab.controller.proposals.has_pending else ""
        self.said.emit(f"Saved {document.title}.{waiting}")
        return True

    def _settle_conflict(self, tab: Tab, path: Path | None) -> bool:
        answer = self.asks.changed_on_disk(tab.document.title)
        if answer is Answer.OVERWRITE:
            return self._write(tab, path, force=True)
        if answer is Answer.RELOAD and tab.document.path is not None and self._settle(tab):
            self._load(tab, tab.document.path, None)
        return False

    def _save_as_utf8(self, tab: Tab, path: Path | None, sentence: str, *, force: bool) -> bool:
        if self.asks.unencodable(sentence) is not Answer.UTF8:
            self.said.emit("Nothing was saved.")
            return False
        before = tab.document.encoding, tab.document.bom
        tab.document.set_encoding("utf-8")
        saved = self._write(tab, path, force=force)
        if not saved:
            tab.document.set_encoding(before[0], bom=before[1])
        return saved

    def _may_close(self, tab: Tab) -> bool:
        if not self._settle(tab):
            return False
        tab.document.notice_loss()
        if not tab.document.is_modified:
            return True
        answer = self.asks.unsaved(tab.document.title)
        return answer is Answer.DISCARD or (answer is Answer.SAVE and self.save(tab))

    def _settle(self, tab: Tab) -> bool:
        """Ends a run and decides a proposal, so that nothing provisional is left. False when the user goes back."""
        controller = tab.controller
        if controller.is_running:
            if self.asks.running(tab.document.title) is not Answer.STOP:
                return False
            controller.give_up()
        if controller.proposals.has_pending:
            answer = self.asks.proposals(tab.document.title, controller.proposals.count)
            if answer not in {Answer.ACCEPT, Answer.DISCARD}:
                return False
            if answer is Answer.ACCEPT:
                controller.proposals.accept_all()
        controller.proposals.reject_all()
        return True

    def _decide_proposals(self, tab: Tab) -> bool:
        """Asks what is to become of pending proposals before a save. False when the user goes back."""
        proposals = tab.controller.proposals
        if not proposals.has_pending:
            return True
        answer = self.asks.save_beside_proposals(tab.document.title, proposals.count)
        if answer is Answer.ACCEPT:
            return proposals.accept_all()
        return answer is Answer.SAVE
