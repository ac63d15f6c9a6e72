"""One Scintilla widget with what it lacks for us: bytes in and out, code points, hooks for keys, drops and the IME."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import TypeAlias

from PySide6.QtCore import QByteArray, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QGuiApplication, QInputMethodEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QWidget
from pyside6_scintilla import Scintilla, ScintillaEdit

from app.editor.edits import Edit
from app.editor.offsets import OffsetIndex
from app.editor.provenance import Origin

Message: TypeAlias = Scintilla.Message
KeyFilter: TypeAlias = Callable[[QKeyEvent], bool]

_INSERT = int(Scintilla.ModificationFlags.InsertText)
_DELETE = int(Scintilla.ModificationFlags.DeleteText)
_UNDO = int(Scintilla.ModificationFlags.Undo)
_REDO = int(Scintilla.ModificationFlags.Redo)
_BEGINS_STEP = int(Scintilla.ModificationFlags.StartAction)


def decoded(data: bytes) -> str:
    """Text of UTF-8 bytes; a byte that is none is kept as a lone surrogate and so written back as it was."""
    return data.decode("utf-8", "surrogateescape")


def encoded(text: str) -> bytes:
    """UTF-8 bytes of a text, the reverse of `decoded`."""
    return text.encode("utf-8", "surrogateescape")


class Surface(ScintillaEdit):
    """A Scintilla widget that holds UTF-8.

    `pos` is a byte position, `offset` a code point. `bytes_replaced(pos, removed, inserted)` and `edited(Edit)` come
    while Scintilla is in the middle of the modification: read the text if you like, but change it only later.
    """

    bytes_replaced = Signal(int, int, bytes)
    edited = Signal(object)
    drag_entered = Signal()
    about_to_input = Signal()
    input_done = Signal()
    """A key or an input method was served. `updateUi` comes only when the surface is painted, not under a preview."""
    _reflowed = Signal()

    def __init__(self, parent: QWidget | None = None, *, knows_offsets: bool = True) -> None:
        """Args: knows_offsets: without it, only byte positions can be asked for, and `edited` never comes."""
        super().__init__(parent)
        self._knows_offsets = knows_offsets
        self.key_filters: list[KeyFilter] = []
        self._preedit = ""
        self._is_loading = False
        self.origin = Origin.LOAD
        """What made the change that is told at present."""
        self.begins_step = True
        """Whether that change is the first of an undo step."""
        self._offsets = OffsetIndex(self.text_bytes)
        self.setCodePage(Scintilla.CpUtf8)
        self.setModEventMask(_INSERT | _DELETE)
        self.modified.connect(self._on_modified)
        self._reflowed.connect(self._bring_caret_back, Qt.ConnectionType.QueuedConnection)

    # text

    def text_bytes(self, start: int, end: int) -> bytes:
        """The bytes in [start, end)."""
        return bytes(self.get_text_range(start, end).data())

    def load(self, data: bytes) -> None:
        """Puts a whole text in the place of the old one, with no undo history and at its save point."""
        self._is_loading = True
        self.setUndoCollection(False)
        self.clearAll()
        self.send_bytes(Message.AddText, len(data), data)
        self.setUndoCollection(True)
        self._is_loading = False
        self.emptyUndoBuffer()
        self.setSavePoint()
        self.gotoPos(0)
        self.setScrollWidth(1)
        if self._knows_offsets:
            removed = self._offsets.length
            self._offsets.load(data)
            self.origin, self.begins_step = Origin.LOAD, True
            self.edited.emit(Edit(0, removed, self._offsets.length))

    def replace(self, start: int, end: int, data: bytes, *, minimal: bool = False) -> None:
        """Replaces the bytes in [start, end); `minimal` leaves equal beginnings and ends as they are."""
        self.setTargetRange(start, end)
        self.send_bytes(Message.ReplaceTargetMinimal if minimal else Message.ReplaceTarget, len(data), data)

    # positions

    @property
    def code_points(self) -> int:
        """How long the text is."""
        return self._offsets.length

    def offset_at(self, pos: int) -> int:
        """Code points before byte `pos`."""
        return self._offsets.offset(pos)

    def pos_at(self, offset: int) -> int:
        """The byte at which code point `offset` begins; the end of the text for one behind it."""
        return self._offsets.pos(offset)

    def whole_character(self, pos: int, *, outward_end: bool = False) -> int:
        """The border of the character that `pos` is inside of: the one before it, or behind it for an end."""
        before = self.positionBefore(self.positionAfter(pos)) if pos < self.length() else pos
        return self.positionAfter(before) if outward_end and before < pos else before

    def bytes_in_sight(self) -> tuple[int, int]:
        """The first and the last byte of the lines that are on the screen."""
        top = self.firstVisibleLine()
        last = self.docLineFromVisible(top + self.linesOnScreen())
        return self.positionFromLine(self.docLineFromVisible(top)), self.lineEndPosition(last)

    # input

    @property
    def is_composing(self) -> bool:
        """Whether an input method's composition stands in the text, not yet committed."""
        return bool(self._preedit)

    def finish_composition(self) -> None:
        """Ends an input method's composition with what it shows: a change of the text under it would be rolled back."""
        if not self.is_composing:
            return
        QGuiApplication.inputMethod().commit()
        if self.is_composing:  # no input method answered
            event = QInputMethodEvent()
            event.setCommitString(self._preedit)
            self.inputMethodEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Asks the key filters first."""
        for key_filter in self.key_filters:
            if key_filter(event):
                event.accept()
                self.input_done.emit()
                return
        self.about_to_input.emit()
        super().keyPressEvent(event)
        self.input_done.emit()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Notes whether a composition is going on."""
        self.about_to_input.emit()
        self._preedit = event.preeditString()
        super().inputMethodEvent(event)
        self.input_done.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A caret that was in sight stays so: lines that are wrapped anew would push it out."""
        was_in_sight = 0 <= self.pointYFromPosition(self.currentPos()) < event.oldSize().height()
        super().resizeEvent(event)
        if was_in_sight and self.isVisible():
            self._reflowed.emit()

    @Slot()
    def _bring_caret_back(self) -> None:
        if self.isVisible():
            self.viewport().grab()  # wraps the lines in sight
            self.scrollCaret()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Tells that something is dragged over the text."""
        self.drag_entered.emit()
        super().dragEnterEvent(event)

    def send_bytes(self, message: int, first: int, data: bytes) -> None:
        """Sends a message whose second argument is a string; the first is mostly its length."""
        # The generated methods take str only, which cannot hold every byte: hand over a pointer instead.
        pointer = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value
        self.send(message, first, pointer)

    def _on_modified(self, kind: int, pos: int, length: int, _lines: int, text: QByteArray, *_: int) -> None:
        if self._is_loading:
            return
        data, is_insertion = bytes(text.data()), bool(kind & _INSERT)
        if not is_insertion and not kind & _DELETE:
            return
        self.bytes_replaced.emit(pos, 0 if is_insertion else length, data if is_insertion else b"")
        if not self._knows_offsets:
            return
        self.origin, self.begins_step = _origin(kind), bool(kind & _BEGINS_STEP)
        before = self._offsets.length
        if is_insertion:
            self._offsets.inserted(pos, data)
        else:
            self._offsets.deleted(pos, data)
        at, count = self._offsets.offset(pos), abs(self._offsets.length - before)
        self.edited.emit(Edit(at, 0, count) if is_insertion else Edit(at, count, 0))


def _origin(kind: int) -> Origin:
    if kind & _UNDO:
        return Origin.UNDO
    return Origin.REDO if kind & _REDO else Origin.USER
