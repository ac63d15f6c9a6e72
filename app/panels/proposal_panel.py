"""A proposal taken apart: its variations side by side, its words to lock or mask again, the steps of its run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from app.panels.variation_rows import ROW, VariationRow, VariationRows
from app.panels.word_field import WordField
from engine.types import TextSpan

_EMPTY = "No proposal is waiting here. Fill a selection, or press F8 to go to a proposal."


@dataclass(frozen=True, slots=True)
class PanelState:
    """What is shown of one proposal.

    Attributes:
        rows: its variations. shown, pinned: indices among them.
        texts: of the shown one, by place; locked, masked: ranges of these.
        frames: how many steps of its run are kept; frame: which of them is shown, None for the result;
            frames_of: index of the variation they led to, None when it is not there any more.
    """

    rows: tuple[VariationRow, ...]
    shown: int
    pinned: frozenset[int]
    texts: tuple[str, ...]
    locked: tuple[tuple[TextSpan, ...], ...]
    masked: tuple[tuple[TextSpan, ...], ...]
    frames: int
    frame: int | None
    frames_of: int | None = 0


class ProposalPanel(QWidget):
    """Shows a state, and asks for what the user wants; changes nothing itself."""

    variation_asked = Signal(int)
    keep_asked = Signal(int)
    pin_asked = Signal(int, bool)
    discard_asked = Signal(int)
    lock_asked = Signal()
    mask_asked = Signal()
    clear_asked = Signal()
    rewrite_asked = Signal()
    frame_asked = Signal(int)
    """A step's index; the number of steps stands for the result."""
    take_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.title, self.note = QLabel("Proposal"), _help(_EMPTY)
        self.title.setObjectName("title")
        self.list = self._make_list()
        self.words = WordField()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Step of the run")
        self.step = _help("")
        self.keep = _button("Keep", "Make this variation the only one", self._on_chosen(self.keep_asked.emit))
        self.pin = _button("Pin", "Another run here adds to it, instead of taking its place", self._ask_pin)
        self.pin.setCheckable(True)
        self.discard = _button("Discard", "Take this variation out", self._on_chosen(self.discard_asked.emit))
        self.lock = _button("Lock", "The selected words stay as they are (Alt+L)", self.lock_asked.emit)
        self.mask_again = _button("Mask Again", "The selected words are written anew (Alt+M)", self.mask_asked.emit)
        self.clear = _button("Clear", "Take the marks off the selected words", self.clear_asked.emit)
        self.rewrite = _button("Run Again", "Write the masked words anew, or all that are not locked (Alt+R)",
                               self.rewrite_asked.emit)  # fmt: skip
        self.take = _button("Take This Step", "Make what is written in this step a variation", self.take_asked.emit)
        self.body = QWidget()
        policy = self.body.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # the text beside it does not move when a proposal comes or goes
        self.body.setSizePolicy(policy)
        self._lay_out()
        self.slider.valueChanged.connect(self.frame_asked)
        self.setMinimumWidth(264)
        self.show_state(None)

    def show_state(self, state: PanelState | None) -> None:
        """Shows a proposal, or that there is none."""
        self.note.setVisible(state is None)
        self.body.setVisible(state is not None)
        if state is None:
            self.title.setText("Proposal")
            return
        count = len(state.rows)
        self.title.setText(f"Proposal · {count} variation{'' if count == 1 else 's'}")
        with QSignalBlocker(self.list):
            self._show_rows(state)
        self.pin.setChecked(state.shown in state.pinned)
        self.keep.setEnabled(count > 1)
        self.words.show_texts(state.texts, state.locked, state.masked)
        for button in (self.lock, self.mask_again, self.clear, self.rewrite):
            button.setEnabled(state.frame is None)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, state.frames)
            self.slider.setValue(state.frames if state.frame is None else state.frame)
        self.slider.setEnabled(state.frames > 0)
        self.take.setEnabled(state.frame is not None)
        self.step.setText(_step_words(state))

    def focus_first(self) -> None:
        """Gives the keyboard to the list."""
        self.list.setFocus(Qt.FocusReason.TabFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The rows' heights depend on the width."""
        super().resizeEvent(event)
        self.list.doItemsLayout()

    def _show_rows(self, state: PanelState) -> None:
        while self.list.count() > len(state.rows):
            self.list.takeItem(self.list.count() - 1)
        for number, row in enumerate(state.rows):
            if number == self.list.count():
                self.list.addItem(QListWidgetItem())
            item = self.list.item(number)
            if item.data(ROW) != row:
                item.setData(ROW, row)
                item.setText(f"{row.head}: {row.text}")
                item.setToolTip(row.text)
        self.list.setCurrentRow(state.shown)

    def _make_list(self) -> QListWidget:
        rows = QListWidget()
        rows.setObjectName("history")
        rows.setAccessibleName("Variations, the likeliest first")
        rows.setItemDelegate(VariationRows(rows))
        rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows.setMinimumHeight(120)
        rows.currentRowChanged.connect(lambda row: self.variation_asked.emit(row) if row >= 0 else None)
        return rows

    def _on_chosen(self, ask: Callable[[int], object]) -> Callable[[], object]:
        return lambda: ask(self.list.currentRow()) if self.list.currentRow() >= 0 else None

    def _ask_pin(self) -> None:
        self.pin_asked.emit(self.list.currentRow(), self.pin.isChecked())

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 10, 0, 12)
        column.setSpacing(8)
        for label in (self.title, self.note):
            column.addLayout(_row([label], margin=16))
        column.addWidget(self.body, 1)
        inner = QVBoxLayout(self.body)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(8)
        inner.addWidget(self.list, 3)
        inner.addLayout(_row([self.keep, self.pin, self.discard]))
        inner.addLayout(_row([_heading("Words")], margin=16))
        inner.addLayout(_row([self.words], margin=16), 2)
        inner.addLayout(_row([self.lock, self.mask_again, self.clear]))
        inner.addLayout(_row([self.rewrite]))
        inner.addLayout(_row([_heading("Steps of the run")], margin=16))
        inner.addLayout(_row([self.slider], margin=16))
        inner.addLayout(_row([self.step], margin=16))
        inner.addLayout(_row([self.take]))


def _step_words(state: PanelState) -> str:
    if not state.frames:
        return "No steps are kept of this run."
    is_only_one = len(state.rows) == 1 and state.frames_of is not None
    whose = "" if is_only_one else _whose(state.frames_of)
    if state.frame is not None:
        return f"Step {state.frame + 1} of {state.frames}{whose}"
    return "The result" if state.shown == state.frames_of else f"The result; the steps kept are{whose}"


def _whose(variation: int | None) -> str:
    return " of a discarded variation" if variation is None else f" of variation {variation + 1}"


def _row(widgets: Sequence[QWidget], margin: int = 12) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(margin, 0, margin, 0)
    row.setSpacing(8)
    for widget in widgets:
        row.addWidget(widget, 1)
    return row


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("heading")
    label.setIndent(0)
    return label


def _help(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("help")
    label.setWordWrap(True)
    return label


def _button(label: str, tip: str, act: Callable[[], object]) -> QPushButton:
    button = QPushButton(label)
    button.setObjectName("plain")
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setToolTip(tip)
    button.setAccessibleDescription(tip)
    button.clicked.connect(lambda _on=False: act())
    return button
