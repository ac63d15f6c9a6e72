"""EditorView: the text of one document on the screen, its selections and edits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pyside6_scintilla import Scintilla

from app.document.document import Document
from app.editor import selection, writing
from app.editor.auto_indent import AutoIndent
from app.editor.brace_match import BraceMatch
from app.editor.edits import Edit
from app.editor.found import FoundMarks
from app.editor.generated import GeneratedMarks
from app.editor.heat import HeatMarks
from app.editor.looks import Looks
from app.editor.overlay import Overlay
from app.editor.preview import Preview
from app.editor.replacing import Change
from app.editor.surface import KeyFilter, Message, Surface, decoded, encoded
from app.settings import Settings
from app.theme import Theme
from engine.types import TextSpan

_EOL_MODES = {
    "\r\n": Scintilla.EndOfLine.CrLf,
    "\r": Scintilla.EndOfLine.Cr,
    "\n": Scintilla.EndOfLine.Lf,
}


class EditorView(QWidget):
    """Shows and edits the text of a document. All offsets are code points of the real text.

    While a preview is shown, everything here still reads and changes the real text only; the first change of it, from
    wherever it comes, takes the preview away. `text_changed` comes in the middle of Scintilla's modification: slots
    may read, but must not change the text.
    """

    text_changed = Signal(object)
    """Edit, of the real text."""
    caret_moved = Signal(int, int)
    """Line and column of the caret, both from 1."""
    selection_changed = Signal()
    menu_requested = Signal(object)
    """QPoint on the screen."""
    shown = Signal()
    """The view came (back) on the screen."""

    def __init__(self, document: Document, settings: Settings, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self._scrolls_when_shown = False
        self._selected: tuple[int, ...] = ()
        self._top = 0
        self.surface = Surface(self)
        self.preview = Preview(self.surface, self)
        self._looks = Looks(self.surface, self.preview, settings, theme, document.language)
        self._auto_indent = AutoIndent(self.surface)
        self._auto_indent.language = document.language
        self._brace_match = BraceMatch(self.surface)
        self.generated = GeneratedMarks(self.surface)
        self.heat = HeatMarks(self.surface)
        self.found = FoundMarks(self.surface, self._bytes_in_sight)
        self.overlay = Overlay(self.surface, self.preview, (self.generated, self.heat, self.found))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.surface)
        self.setFocusProxy(self.surface)
        self._prepare()
        self._connect()

    # the text

    def text(self) -> str:
        """The whole text. A composition of an input method that is not committed yet is part of it."""
        return decoded(self.surface.text_bytes(0, self.surface.length()))

    def set_text(self, text: str) -> None:
        """Puts a file's text in; there is nothing to undo then, and the text counts as saved."""
        self.surface.setEOLMode(_EOL_MODES.get(self.document.eol, Scintilla.EndOfLine.Lf))
        self.surface.load(encoded(text))
        self._looks.fit_line_numbers()

    @property
    def length(self) -> int:
        """How many code points the text has."""
        return self.surface.code_points

    def text_range(self, start: int, end: int) -> str:
        """The text between two offsets, read without copying the rest."""
        return decoded(self.surface.text_bytes(self.surface.pos_at(start), self.surface.pos_at(end)))

    @property
    def is_modified(self) -> bool:
        """Whether the text differs from its save point."""
        return self.surface.modify()

    def set_savepoint(self) -> None:
        """The text as it stands counts as saved."""
        self.surface.setSavePoint()

    def replace_spans(self, changes: Iterable[tuple[int, int, str]]) -> None:
        """Replaces disjoint spans (start, end, text) in one undo step, with the document's line ends.

        The caret ends up behind the last new text. Undo brings back text and selection. All outside is left untouched.
        """
        self.surface.finish_composition()
        if writing.write_spans(self.surface, changes, self.document.eol):
            self._follow()

    def replace_found(self, changes: Sequence[Change], kept: Sequence[TextSpan] = ()) -> None:
        """Replaces disjoint, ascending places in one undo step, with the document's line ends.

        Every caret stays in the text where it is, behind the new text when it was in a replaced place. Of very many
        places neighbors are replaced together with what is between them, but for the `kept` spans.
        """
        writing.write_found(self.surface, changes, self.document.eol, kept)
        self._follow()

    # the user's actions, all on the real text

    def undo(self) -> None:
        """Takes the last change back."""
        self._input(self.surface.undo)

    def redo(self) -> None:
        """Makes it again."""
        self._input(self.surface.redo)

    def cut(self) -> None:
        """Moves the selection to the clipboard."""
        self._input(self.surface.cut)

    def copy(self) -> None:
        """Copies the selection."""
        self.surface.copy()

    def paste(self) -> None:
        """Puts the clipboard's text in, with the document's line ends."""
        self._input(self.surface.paste)

    def select_all(self) -> None:
        """Selects the whole text."""
        self.surface.selectAll()
        self._follow()

    # selection

    def selections(self) -> list[TextSpan]:
        """The selected spans, ascending and merged; none for bare carets. Never cuts a character in two."""
        return selection.selected_spans(self.surface)

    def caret_offset(self) -> int:
        """Where the main caret is."""
        return self.surface.offset_at(self.surface.currentPos())

    def select(self, spans: Sequence[TextSpan]) -> None:
        """Selects these spans, the last one as the main one."""
        selection.select_spans(self.surface, spans)
        self._follow()

    def show_span(self, span: TextSpan) -> None:
        """Selects a span and scrolls to it, into the middle if it was out of sight; in the preview too."""
        surface = self.surface
        start, end = surface.pos_at(span.start), surface.pos_at(span.end)
        self.preview.sync_scroll()
        for line in {surface.lineFromPosition(start), surface.lineFromPosition(end)}:
            surface.ensureVisible(line)
        surface.setSelection(end, start)
        row, top = surface.visibleFromDocLine(surface.lineFromPosition(start)), surface.firstVisibleLine()
        if not top <= row < top + surface.linesOnScreen():
            surface.setFirstVisibleLine(max(0, row - surface.linesOnScreen() // 2))
        surface.scrollRange(start, end)
        self._scrolls_when_shown = not self.isVisible()
        self._follow()
        self.preview.show_caret()

    def go_to(self, line: int, column: int = 1) -> None:
        """Puts the caret there, both counted from 1 and brought into the text, and scrolls to it."""
        surface = self.surface
        number = max(0, min(line - 1, surface.lineCount() - 1))
        start = surface.offset_at(surface.positionFromLine(number))
        self._go_to(min(surface.lineEndPosition(number), surface.pos_at(start + max(0, column - 1))))

    def go_to_offset(self, offset: int) -> None:
        """Puts the caret there and scrolls to it, in the preview too."""
        self._go_to(self.surface.pos_at(offset))

    def _go_to(self, pos: int) -> None:
        self.surface.ensureVisibleEnforcePolicy(self.surface.lineFromPosition(pos))
        self.surface.gotoPos(pos)
        self._scrolls_when_shown = not self.isVisible()
        self._follow()
        self.preview.show_caret()

    # looks

    def add_key_filter(self, key_filter: KeyFilter) -> None:
        """Lets `key_filter` see every key first; True takes the key."""
        self.surface.key_filters.insert(0, key_filter)

    def apply_theme(self, theme: Theme) -> None:
        """Takes over another theme."""
        self._looks.take_theme(theme)

    def apply_settings(self) -> None:
        """Takes over the settings as they are now."""
        self._looks.take_settings()

    def set_language(self, name: str | None) -> None:
        """Colors the text as another language."""
        self._auto_indent.language = name
        self._looks.take_language(name)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keeps the preview over the text."""
        super().resizeEvent(event)
        self.preview.setGeometry(self.rect())

    def showEvent(self, event: QShowEvent) -> None:
        """Tells that frames are worth showing again."""
        super().showEvent(event)
        if self._scrolls_when_shown:  # what was scrolled to had no size yet to fit into
            self._scrolls_when_shown = False
            QTimer.singleShot(0, self, self._scroll_to_caret)
        self.shown.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Asks the window for a menu."""
        self.menu_requested.emit(event.globalPos())

    # within

    def _prepare(self) -> None:
        self.preview.send(Message.SetUndoCollection, 0)
        self.surface.send(Message.SetUndoSelectionHistory, Scintilla.UndoSelectionHistoryOption.Enabled)
        self.surface.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    def _connect(self) -> None:
        surface = self.surface
        surface.edited.connect(self._on_edited)
        surface.linesAdded.connect(self._looks.fit_line_numbers)
        surface.savePointChanged.connect(self.document.set_modified)
        surface.updateUi.connect(self._follow)
        surface.input_done.connect(self._after_input)
        self.preview.placed.connect(self._follow)
        surface.updateUi.connect(self.found.look)
        self.preview.updateUi.connect(self.found.look)
        surface.about_to_input.connect(self._about_to_input)

    def _scroll_to_caret(self) -> None:
        self.surface.setFirstVisibleLine(0)
        self.surface.viewport().grab()  # wraps the lines in sight: they were wrapped to no width at all
        self.surface.scrollCaret()

    def _about_to_input(self) -> None:
        self.preview.sync_scroll()

    def _after_input(self) -> None:
        before = self._selected
        self._follow()
        if self._selected != before:
            self.preview.show_caret()

    def _input(self, act: Callable[[], object]) -> None:
        self._about_to_input()
        act()
        self._follow()

    def _on_edited(self, edit: Edit) -> None:
        self.document.bump()
        self.overlay.leave()
        self.text_changed.emit(edit)

    def _bytes_in_sight(self) -> tuple[int, int]:
        return (self.preview if self.preview.isVisible() else self.surface).bytes_in_sight()

    def _follow(self, *_: object) -> None:
        """Tells of a moved caret, and brings the preview along. Cheap when nothing has moved."""
        top, selected = self.surface.firstVisibleLine(), selection.state(self.surface)
        if top != self._top:
            self._top = top
            self.preview.follow_scroll()
        if selected != self._selected:
            self._selected = selected
            self._brace_match.update()
            self.preview.mirror_selection()
            self.caret_moved.emit(*selection.caret_place(self.surface))
            self.selection_changed.emit()
