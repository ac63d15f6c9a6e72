"""The preview of a draft: a second Scintilla over the first, with a copy of the text whose spans hold the draft.

The first one keeps its document, undo history, modified flag, scroll position, folds, wrapping, selection and the
keyboard focus: nothing is switched, so nothing can get lost. Per frame only the spans are replaced in the copy.
(Putting a second document into one view with SETDOCPOINTER forgets scroll, caret, folds and all line wrapping.)
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QDragEnterEvent, QDropEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget
from pyside6_scintilla import Scintilla

from app.editor import appearance, carets
from app.editor.draft import SpanPreview
from app.editor.preview_copy import PreviewCopy
from app.editor.spanmap import SpanMap
from app.editor.surface import Message, Surface
from engine.types import TextSpan

_LEFT = Qt.MouseButton.LeftButton


class Preview(Surface):
    """Lies over `real`; `is_open` while it holds a copy of the text, visible only between `reveal` and `conceal`."""

    unwanted = Signal()
    """The user does something that only the real text can answer, like dropping: it should come back."""
    copied = Signal()
    """A copy of the real text was taken, without its looks."""
    rearranged = Signal()
    """There is a new copy, or other spans of it hold drafts: marks of the real text may be missing in it."""
    placed = Signal()
    """The mouse has placed or extended a caret of the real text."""

    def __init__(self, real: Surface, parent: QWidget) -> None:
        super().__init__(parent, knows_offsets=False)
        self._real = real
        self._copy = PreviewCopy(self, real)
        self._is_open = False
        self._place = (0, 0, 0)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        self.hide()
        real.bytes_replaced.connect(self._follow)
        real.focusChanged.connect(lambda focused: self.send(Message.SetFocus, focused))

    @property
    def span_map(self) -> SpanMap | None:
        """Where the spans are in the real text and in the copy, while there is one."""
        return self._copy.map if self._is_open else None

    @property
    def is_open(self) -> bool:
        """Whether there is a copy."""
        return self._is_open

    def show_spans(self, previews: Sequence[SpanPreview], stale: Sequence[TextSpan] = ()) -> None:
        """Shows these, ascending, in a copy of the text, and marks the stale spans."""
        if not self._is_open:
            self._copy.take()
            self._is_open = True
            self.copied.emit()
            self.rearranged.emit()
        before = self._copy.map.all_real
        self._copy.show(previews, stale)
        if self._copy.map.all_real != before:
            self.rearranged.emit()
        self.mirror_selection()

    def close_copy(self) -> None:
        """Forgets the copy."""
        self._is_open = False
        self._copy.forget()

    def reveal(self) -> None:
        """Comes up over the real text, at the same place."""
        if self.isVisible():
            return
        self.setGeometry(self._real.geometry())
        self.setZoom(self._real.zoom())
        self._copy_folds()
        self._copy_scroll()
        self.send(Message.SetFocus, self._real.send(Message.GetFocus))
        self.show()
        self.raise_()

    def conceal(self) -> None:
        """Leaves the real text on the screen, scrolled to where the preview was."""
        if self.isVisible():
            self.sync_scroll()
            self.hide()

    def sync_scroll(self) -> None:
        """Scrolls the real text to where the user has scrolled the preview."""
        place = self._place_now()
        if not self._is_open or not self.isVisible() or place == self._place:
            return
        real, (shown, below, offset) = self._real, place
        line = real.lineFromPosition(self._copy.map.to_real(self.positionFromLine(shown)))
        real.setFirstVisibleLine(real.visibleFromDocLine(line) + below)
        real.setXOffset(offset)
        self._place = place

    def follow_scroll(self) -> None:
        """Scrolls the preview to where the real text was scrolled to, by a key for instance."""
        if self._is_open and self.isVisible():
            self._copy_scroll()

    def show_caret(self) -> None:
        """Scrolls to where the main caret is shown, which drafts above it may have pushed out of sight."""
        if self._is_open and self.isVisible():
            self.scrollCaret()

    def mirror_selection(self) -> None:
        """Shows the real selections; one that reaches into a span is only a caret, else it would hide the draft."""
        if not self._is_open:
            return
        real, spans = self._real, [self._copy.map.real(index) for index in range(len(self._copy.map))]
        main = real.mainSelection()
        order = [main, *(number for number in range(real.selections()) if number != main)]
        for place, number in enumerate(order):
            caret, anchor = real.selectionNCaret(number), real.selectionNAnchor(number)
            low, high = min(caret, anchor), max(caret, anchor)
            if any(low < end and start < high for start, end in spans):
                anchor = caret
            shown = self._copy.map.caret_to_shown(caret), self._copy.map.caret_to_shown(anchor)
            if place == 0:
                self.setSelection(*shown)
            else:
                self.addSelection(*shown)
        self.setMainSelection(0)

    def real_pos_close_to(self, x: int, y: int) -> int:
        """The byte of the real text that a point of the preview shows; -1 beside the text and in a draft."""
        pos = self.positionFromPointClose(x, y)
        drafts = (self._copy.map.shown(index) for index in range(len(self._copy.map)))
        if pos < 0 or not self._is_open or any(start <= pos < end for start, end in drafts):
            return -1
        return self._copy.map.to_real(pos)

    def real_pos_at(self, point: QPoint) -> int:
        """The byte of the real text that a point of the preview shows."""
        pos = self.positionFromPoint(point.x(), point.y())
        return self._copy.map.to_real(pos) if self._is_open else pos

    def bytes_in_sight(self) -> tuple[int, int]:
        """The first and the last byte of the real text in the lines that are on the screen."""
        start, end = super().bytes_in_sight()
        return (self._copy.map.to_real(start), self._copy.map.to_real(end)) if self._is_open else (start, end)

    # mouse: places carets in the real text, so that keys and copying are about it

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Places the real caret where the click is; Shift extends, Control adds."""
        point = event.position()
        if self._margin_at(point) == appearance.FOLDS:
            self._real.toggleFold(self._real_line(point))
            self._copy_folds()
        elif event.button() is _LEFT:
            QWidget.setFocus(self._real)  # ScintillaEdit.setFocus is one of its messages
            carets.place(self._real, self.real_pos_at(point.toPoint()), event.modifiers())
            self.placed.emit()
        elif event.button() is Qt.MouseButton.MiddleButton:
            self.unwanted.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Extends the real selection while the button is held; Scintilla tells when the mouse rests."""
        if not event.buttons():
            super().mouseMoveEvent(event)
        if event.buttons() & _LEFT:
            carets.extend(self._real, self.real_pos_at(event.position().toPoint()))
            self.placed.emit()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Nothing is left to do; Scintilla must not see it."""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Selects the word."""
        carets.select_word(self._real, self.real_pos_at(event.position().toPoint()))
        self.placed.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scrolls, or zooms both."""
        super().wheelEvent(event)
        if self._real.zoom() != self.zoom():
            self._real.setZoom(self.zoom())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Makes way for the real text, which gets the next event of the drag."""
        self.unwanted.emit()
        event.ignore()

    def dropEvent(self, event: QDropEvent) -> None:
        """Never takes anything in."""
        event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Leaves the menu to whoever the preview lies in."""
        event.ignore()

    # following the real text

    def _follow(self, pos: int, removed: int, inserted: bytes) -> None:
        if self._is_open:
            self._copy.follow(pos, removed, inserted)

    def _margin_at(self, point: QPointF) -> int:
        left = 0
        for margin in range(3):
            left += self.marginWidthN(margin)
            if point.x() < left:
                return margin
        return -1

    def _real_line(self, point: QPointF) -> int:
        return self._real.lineFromPosition(self.real_pos_at(point.toPoint()))

    def _copy_folds(self) -> None:
        if self.allLinesVisible() and self._real.allLinesVisible():
            return
        self.foldAll(Scintilla.FoldAction.Expand)
        line = self._real.contractedFoldNext(0)
        while line >= 0:
            shown = self._shown_line(line)
            self._style_to(self.lineEndPosition(self._shown_line(self._real.lastChild(line, -1))))
            self.foldLine(shown, Scintilla.FoldAction.Contract)
            line = self._real.contractedFoldNext(line + 1)

    def _shown_line(self, line: int) -> int:
        return self.lineFromPosition(self._copy.map.to_shown(self._real.positionFromLine(line)))

    def _style_to(self, pos: int) -> None:
        """Lets the lexer, which also finds the folds, get as far as `pos`."""
        if self.endStyled() < pos:
            self.colourise(self.endStyled(), pos)

    def _copy_scroll(self) -> None:
        real = self._real
        top = real.firstVisibleLine()
        line = real.docLineFromVisible(top)
        below = top - real.visibleFromDocLine(line)
        shown = self._shown_line(line)
        self.setXOffset(real.xOffset())
        self.setFirstVisibleLine(self.visibleFromDocLine(shown))
        if below:
            self.viewport().grab()  # wraps the lines in sight: before that a line counts as one row
            self.setFirstVisibleLine(self.visibleFromDocLine(shown) + below)
        self._place = self._place_now()

    def _place_now(self) -> tuple[int, int, int]:
        """Line at the top, rows of it above the top, pixels to the right."""
        top = self.firstVisibleLine()
        line = self.docLineFromVisible(top)
        return line, top - self.visibleFromDocLine(line), self.xOffset()
