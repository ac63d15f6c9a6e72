"""The runs of the document in front: when, how, what stood there and what came of it; and what can be done with one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal, SignalInstance
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.history import Entry
from app.panels.history_rows import ENTRY, HistoryRows, row_sentence, row_tip

_EMPTY = "No runs yet. Each run in this document is listed here, with its settings and its seed."
_OFF = "No history is kept. It can be switched on in the settings, on the page “Editor”."


class HistoryPanel(QWidget):
    """Shows entries, the newest first, and asks for what the user wants of the one that is chosen.

    It keeps no run: whoever listens looks the entry up by its id.
    """

    replay_asked = Signal(int)
    restore_asked = Signal(int)
    copy_asked = Signal(int)
    delete_asked = Signal(list)
    """Ids, of one entry or several."""
    delete_all_asked = Signal()
    delete_everything_asked = Signal()
    """The runs of every document."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.title, self.note = QLabel("History"), QLabel()
        self.title.setObjectName("title")
        self.note.setObjectName("help")
        self.note.setWordWrap(True)
        self.list = self._make_list()
        self.more = self._make_more()
        self.replay = self._button("Replay", "Run again with the same settings and seed, where the text stood")
        self.restore = self._button("Restore", "Bring the result back as a proposal (Return)")
        self.copy = self._button("Copy Settings", "Put the settings and the seed of this run into the settings panel")
        self.delete = self._button("Delete", "Forget this run (Delete)")
        for button, signal in ((self.replay, self.replay_asked), (self.restore, self.restore_asked),
                               (self.copy, self.copy_asked)):  # fmt: skip
            button.clicked.connect(lambda _on=False, ask=signal: self._ask(ask))
        self.delete.clicked.connect(self._ask_delete)
        self._is_on = True
        self._lay_out()
        self.setMinimumWidth(264)
        self.show_entries([])

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Shows these entries. The one that was chosen stays chosen, or the next one where it is gone; the newest one
        makes way for a newer one while the user is elsewhere."""
        chosen, row = self.chosen, self.list.currentRow()
        if row == 0 and not self.list.hasFocus() and len(entries) > self.list.count():
            chosen = None
        self.list.clear()
        for entry in entries:
            item = QListWidgetItem(row_sentence(entry))
            item.setData(ENTRY, entry)
            item.setToolTip(row_tip(entry))
            self.list.addItem(item)
        ids = [entry.id for entry in entries]
        self.list.setCurrentRow(ids.index(chosen) if chosen in ids else min(max(row, 0), len(ids) - 1))
        self._refresh()

    def show_on(self, on: bool) -> None:
        """Says whether new runs are kept."""
        self._is_on = on
        self._refresh()

    @property
    def chosen(self) -> int | None:
        """The id of the entry that is chosen."""
        row = self.list.currentRow()
        return self._id(self.list.item(row)) if row >= 0 else None

    def focus_first(self) -> None:
        """Gives the keyboard to the list."""
        self.list.setFocus(Qt.FocusReason.TabFocusReason)

    def menu(self) -> QMenu:
        """What can be done with the chosen run, as a menu."""
        menu = QMenu(self)
        for button in (self.restore, self.replay, self.copy, self.delete):
            menu.addAction(button.text(), button.click).setEnabled(button.isEnabled())
        return menu

    def _make_list(self) -> QListWidget:
        rows = QListWidget()
        rows.setObjectName("history")
        rows.setAccessibleName("Runs in this document, the newest first")
        rows.setItemDelegate(HistoryRows(rows))
        rows.setUniformItemSizes(True)
        rows.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        rows.customContextMenuRequested.connect(self._show_menu)
        rows.itemActivated.connect(lambda _item: self._ask(self.restore_asked))
        rows.currentItemChanged.connect(self._refresh)
        rows.itemSelectionChanged.connect(self._refresh)
        remove = QAction("Delete", rows)
        remove.setShortcut(QKeySequence(QKeySequence.StandardKey.Delete))
        remove.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        remove.triggered.connect(self._ask_delete)
        rows.addAction(remove)
        return rows

    def _make_more(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("choice")
        button.setText("⋯")
        button.setToolTip("Delete runs")
        button.setAccessibleName("Delete runs")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        menu = QMenu(button)
        menu.addAction("Delete All Runs of This Document…", self.delete_all_asked.emit)
        menu.addAction("Delete the Whole History…", self.delete_everything_asked.emit)
        button.setMenu(menu)
        return button

    def _button(self, label: str, tip: str) -> QPushButton:
        button = QPushButton(label)
        button.setObjectName("plain")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolTip(tip)
        button.setAccessibleDescription(tip)
        return button

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 12)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.setContentsMargins(16, 0, 10, 0)
        head.addWidget(self.title, 1)
        head.addWidget(self.more)
        column.addLayout(head)
        notes = QHBoxLayout()
        notes.setContentsMargins(16, 0, 16, 0)
        notes.addWidget(self.note)
        column.addLayout(notes)
        column.addWidget(self.list, 1)
        for pair in ((self.restore, self.replay), (self.copy, self.delete)):
            row = QHBoxLayout()
            row.setContentsMargins(12, 0, 12, 0)
            row.setSpacing(8)
            for button in pair:
                row.addWidget(button, 1)
            column.addLayout(row)

    def _refresh(self, *_: object) -> None:
        count = self.list.count()
        self.title.setText(f"History · {count:,} run{'' if count == 1 else 's'}" if count else "History")
        self.note.setText(_OFF if not self._is_on else "" if count else _EMPTY)
        self.note.setVisible(bool(self.note.text()))
        is_one = len(self.list.selectedItems()) == 1
        for button in (self.replay, self.restore, self.copy):
            button.setEnabled(is_one)
        self.delete.setEnabled(bool(self.list.selectedItems()))

    def _ask(self, ask: SignalInstance) -> None:
        chosen = self.chosen
        if chosen is not None and len(self.list.selectedItems()) == 1:
            ask.emit(chosen)

    def _ask_delete(self) -> None:
        ids = [self._id(item) for item in self.list.selectedItems()]
        if ids:
            self.delete_asked.emit(ids)

    def _id(self, item: QListWidgetItem) -> int:
        entry: Entry = item.data(ENTRY)
        return entry.id

    def _show_menu(self, place: QPoint) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.list.mapToGlobal(place))
