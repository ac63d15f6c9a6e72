"""Drives a view with runs and proposals, and a twin without any, by the same actions: they must never differ."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.document.document import Document
from app.editor.edits import Edit
from app.editor.view import EditorView
from app.infill.proposals import Display
from app.settings import Settings
from app.theme import LIGHT
from engine.types import TextSpan

from .conftest import Desk, deliver

TEXT = "def naïve():\r\n    return '日本 😀'\n\n\nclass Reading:\n    station: str = \"x\"\n    celsius: float\n" * 4
STEPS = 1500
KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Return)


class Pair:
    """The desk, its twin, and what a user may do to both."""

    def __init__(self, desk: Desk, twin: EditorView, chance: random.Random) -> None:
        self.desk, self.twin, self.chance = desk, twin, chance
        self.views = (desk.view, twin)
        self.seen: set[str] = set()
        self.text = desk.view.text()
        self.wrong: list[Edit] = []
        self.changes: list[tuple[int, int, str]] = []
        desk.view.text_changed.connect(self.apply)
        self._replace = desk.view.replace_spans
        desk.view.replace_spans = self.note_and_replace  # type: ignore[method-assign]

    def apply(self, edit: Edit) -> None:
        """Every edit must tell truly how the text became another."""
        new = self.desk.view.text()
        told = self.text[: edit.start] + new[edit.start : edit.start + edit.inserted] + self.text[edit.end :]
        if told != new:
            self.wrong.append(edit)
        self.text = new

    def act(self) -> None:
        """One action; those that concern the engine are the desk's alone."""
        common: list[Callable[[], None]] = [
            self.type, self.press, self.undo, self.redo, self.paste, self.select, self.compose, self.cut,
        ]  # fmt: skip
        own: list[Callable[[], None]] = [
            *[self.fill] * 5, self.go_on, *[self.allow] * 6, self.pause,
            *[self.accept] * 4, *[self.tab] * 2, self.word_key, self.escape, self.hide, self.fail, self.stop,
            self.reject, self.step, self.show_as,
        ]  # fmt: skip
        action = self.chance.choice(common + own)
        action()
        deliver()
        self.seen.add(self.desk.controller.state)

    def check(self) -> None:
        """Text, history and selections are the same on both sides, and what is shown is never the text by accident."""
        real, twin = self.views
        assert self.wrong == []
        assert real.text() == twin.text()
        assert real.selections() == twin.selections()
        assert real.caret_offset() == twin.caret_offset()
        assert (real.surface.canUndo(), real.surface.canRedo()) == (twin.surface.canUndo(), twin.surface.canRedo())
        assert real.is_modified == twin.is_modified
        controller, spots = self.desk.controller, self.desk.controller.proposals.pending.spots
        assert controller.is_running == (controller.state in {"queued", "running"})
        if not controller.is_running:
            assert controller.state == ("proposal" if controller.proposals.has_pending else "idle")
        for spot in spots:
            text = real.text_range(spot.place.span.start, spot.place.span.end)
            assert spot.place.is_stale == (text != spot.place.original)
        spans = [spot.place.span for spot in spots]
        assert all(first.end <= second.start for first, second in pairwise(spans))
        if controller.state == "idle":
            assert not real.overlay.is_shown
        if real.overlay.is_shown:
            self._check_preview()

    def _check_preview(self) -> None:
        """Around the spans, the preview is the real text."""
        real, preview = self.desk.view, self.desk.view.preview
        spans = preview.span_map
        assert spans is not None
        shown, data = preview.text_bytes(0, preview.length()), real.text().encode()
        shown_at = real_at = 0
        for index in range(len(spans)):
            assert shown[shown_at : spans.shown(index)[0]] == data[real_at : spans.real(index)[0]]
            shown_at, real_at = spans.shown(index)[1], spans.real(index)[1]
        assert shown[shown_at:] == data[real_at:]
        self.seen.add(f"{min(len(spans), 3)} shown")

    def type(self) -> None:
        letters = self.chance.choice(["a", "(", "x y", '"'])
        for view in self.views:
            QTest.keyClicks(view.surface, letters)

    def press(self) -> None:
        key = self.chance.choice(KEYS)
        for view in self.views:
            QTest.keyClick(view.surface, key)

    def undo(self) -> None:
        for view in self.views:
            view.undo()

    def redo(self) -> None:
        for view in self.views:
            view.redo()

    def cut(self) -> None:
        for view in self.views:
            view.cut()

    def paste(self) -> None:
        for view in self.views:
            QGuiApplication.clipboard().setText("pasted\n日")
            view.paste()

    def select(self) -> None:
        length = self.twin.length
        starts = sorted(self.chance.sample(range(length + 1), 2)) if length > 1 else [0, length]
        spans = [TextSpan(starts[0], min(starts[1], starts[0] + self.chance.randrange(12)))]
        if self.chance.random() < 0.3 and starts[1] > spans[0].end:
            spans.append(TextSpan(starts[1], starts[1]))
        for view in self.views:
            view.select(spans)

    def compose(self) -> None:
        for view in self.views:
            QApplication.sendEvent(view.surface, QInputMethodEvent("に", []))
            event = QInputMethodEvent()
            event.setCommitString("日本")
            QApplication.sendEvent(view.surface, event)

    def fill(self) -> None:
        if self.chance.random() < 0.6:
            self.select()
        self.desk.controller.fill()
        if self.chance.random() < 0.5 and self.desk.controller.is_running:
            self.desk.allow(3)
            self.pause()

    def go_on(self) -> None:
        self.desk.controller.continue_at_caret()

    def allow(self) -> None:
        if self.desk.session.runs:
            self.desk.allow(self.chance.randrange(1, 4))

    def stop(self) -> None:
        self.desk.controller.stop()

    def fail(self) -> None:
        if self.desk.session.runs and self.chance.random() < 0.2:
            self.desk.session.run.fail()

    def pause(self) -> None:
        if self.desk.controller.stage.resume_timer.isActive():
            self.desk.pause_typing()

    def note_and_replace(self, changes: Iterable[tuple[int, int, str]]) -> None:
        """The only way proposals change the text: each change is the beginning of what is proposed for a place."""
        self.changes = list(changes)
        spots = {spot.place.span.start: spot for spot in self.desk.controller.proposals.pending.live_spots}
        for start, end, text in self.changes:
            assert end <= spots[start].place.span.end
            assert spots[start].text.startswith(text)
        self._replace(self.changes)

    def accepted_in_twin(self) -> bool:
        """Makes the noted changes in the twin. Returns whether there were any."""
        changes, self.changes = self.changes, []
        if changes:
            self.twin.replace_spans(changes)
            self.seen.add("accepted")
        return bool(changes)

    def accept(self) -> None:
        proposals = self.desk.controller.proposals
        self.chance.choice([
            proposals.accept, proposals.accept_all, proposals.accept_span,
            *[proposals.accept_word] * 3, *[proposals.accept_line] * 2,
        ])()  # fmt: skip
        self.accepted_in_twin()

    def tab(self) -> None:
        is_taken = self.desk.controller.proposals.can_accept or self.desk.controller.is_writing_at_caret
        QTest.keyClick(self.desk.view.surface, Qt.Key.Key_Tab)
        if not is_taken:
            QTest.keyClick(self.twin.surface, Qt.Key.Key_Tab)
        self.accepted_in_twin()

    def word_key(self) -> None:
        is_taken = self.desk.controller.proposals.right_behind_caret is not None
        key = self.chance.choice([Qt.Key.Key_Right, Qt.Key.Key_Down]) if is_taken else Qt.Key.Key_Right
        QTest.keyClick(self.desk.view.surface, key, Qt.KeyboardModifier.ControlModifier)
        if not is_taken:
            QTest.keyClick(self.twin.surface, key, Qt.KeyboardModifier.ControlModifier)
        assert self.accepted_in_twin() == is_taken

    def reject(self) -> None:
        proposals = self.desk.controller.proposals
        self.chance.choice([proposals.reject, proposals.reject_span, proposals.reject_span, proposals.reject_all])()

    def step(self) -> None:
        before = self.desk.view.caret_offset()
        self.desk.controller.proposals.step(self.chance.choice([1, -1]))
        if self.desk.view.caret_offset() != before or self.desk.controller.proposals.pending:
            self.twin.go_to_offset(self.desk.view.caret_offset())

    def show_as(self) -> None:
        self.desk.controller.proposals.show_as(self.chance.choice(list(Display)))

    def escape(self) -> None:
        """In the twin, Escape is pressed only where no run or proposal takes it."""
        controller = self.desk.controller
        is_taken = controller.is_running or controller.proposals.wanted is not None
        QTest.keyClick(self.desk.view.surface, Qt.Key.Key_Escape)
        if not is_taken:
            QTest.keyClick(self.twin.surface, Qt.Key.Key_Escape)

    def hide(self) -> None:
        self.desk.view.hide()
        self.desk.view.show()


@pytest.mark.parametrize("seed", range(6))
def test_text_and_history_are_what_the_user_and_accepted_proposals_alone_give(make_desk, qtbot, seed):
    chance = random.Random(seed)
    desk = make_desk(TEXT, eol=chance.choice(["\n", "\r\n"]), infill__steps=3)
    document = Document()
    document.eol = desk.view.document.eol
    settings = Settings()
    settings["editor.wrap"] = False
    twin = EditorView(document, settings, LIGHT)
    qtbot.addWidget(twin)
    twin.resize(700, 400)
    twin.set_text(TEXT)
    twin.show()
    pair = Pair(desk, twin, chance)
    for _ in range(STEPS):
        pair.act()
        pair.check()
    while twin.surface.canUndo():
        pair.undo()
        pair.check()
    assert desk.view.text() == TEXT
    assert pair.seen >= {"idle", "queued", "running", "proposal", "accepted", "1 shown", "2 shown", "3 shown"}
