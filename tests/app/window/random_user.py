"""A user who does anything at any moment in a window, and beside each document a plain editor that has no engine."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QMimeData, QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QDropEvent, QGuiApplication, QInputMethodEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.document.document import Document
from app.editor import selection
from app.editor.view import EditorView
from app.theme import LIGHT
from app.window import MainWindow
from app.window.tabs import Tab
from engine.types import Frame, TextSpan
from tests.app.window import random_finding
from tests.app.window.random_asks import RandomAsks
from tests.fakes import SteppedSession

TEXT = "def naïve():\n    return '日本 😀'\n\n\nclass Reading:\n    station: str = \"x\"\n    celsius: float\n" * 3
KEYS = (Qt.Key.Key_Left, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Delete, Qt.Key.Key_Backspace, Qt.Key.Key_Return)
MOST_TABS = 4
SETTINGS: dict[str, tuple[object, ...]] = {
    "infill.steps": (1, 3, 6),
    "infill.variations": (1, 2, 3),
    "infill.strength": (0.2, 0.7),
    "infill.suggest": (True, False),
    "editor.reduced_motion": (True, False, False),
    "editor.tab_width": (2, 4, 8),
    "editor.show_whitespace": (True, False),
    "editor.show_generated": (True, False),
    "history.enabled": (True, False),
    "appearance.theme": ("light", "dark"),
    "engine.model": ("redraft-mini", "another"),
    "engine.enabled": (True, True, True, False),
}
COMMANDS = (
    *("infill.fill", "infill.refine", "infill.continue", "infill.insert", "infill.join", "infill.longer"),
    *("infill.shorter", "infill.stop", "infill.doubt", "proposal.accept", "proposal.accept_all"),
    "proposal.accept_span",
    *("proposal.accept_word", "proposal.accept_line", "proposal.reject", "proposal.reject_span", "proposal.reject_all"),
    *("proposal.next", "proposal.previous", "proposal.before", "proposal.words", "proposal.next_variation"),
    *("proposal.previous_variation", "proposal.earlier_step", "proposal.later_step", "proposal.take_step"),
    *("proposal.mask", "proposal.lock", "proposal.rewrite"),
)  # fmt: skip


class RandomUser:
    """Does things in a window and, where they are the user's own, in the twins; `check` compares."""

    def __init__(self, window: MainWindow, session: SteppedSession, folder: Path, chance: random.Random) -> None:
        self.window, self.session, self.folder, self.chance = window, session, folder, chance
        self.twins: dict[Tab, EditorView] = {}
        self.undo_floor: dict[Tab, str] = {}
        self.disk: dict[Path, bytes] = {}
        self.seen: set[str] = set()
        self.steps = 0
        window.asks = window.filing.asks = RandomAsks(folder, chance)
        window.filing.loaded.connect(self._on_loaded)
        window.filing.saved.connect(self._on_saved)
        random_finding.search_at_once(window)
        self.open()

    # steps

    def act(self) -> str:
        """One action. Returns its name."""
        if not self.twins:
            self.open()
        actions: list[Callable[[], None]] = [
            *[self.type] * 3, self.press, *[self.undo] * 2, *[self.redo] * 2, self.paste, self.cut, *[self.select] * 3,
            self.columns, self.compose, self.commit, self.drop,
            *[self.fill] * 5, *[self.command] * 8, *[self.engine] * 12, *[self.accept] * 4, self.tab_key, self.escape,
            *[self.time] * 4, self.setting, self.load_model, *[self.find] * 4,
            *[self.switch_tab] * 2, self.open, self.new, self.close, *[self.save] * 2, self.reload, self.write_outside,
        ]  # fmt: skip
        action = self.chance.choice(actions)
        action()
        self.steps += 1
        deliver()
        self._forget_closed()
        return action.__name__

    def check(self) -> None:
        """Text, history and selections are the twin's; files hold what was saved."""
        assert set(self.window.tabs.all) == set(self.twins)
        for tab, twin in self.twins.items():
            real, controller = tab.view, tab.controller
            assert real.text() == twin.text()
            assert real.surface.canUndo() == twin.surface.canUndo()
            assert real.surface.canRedo() == twin.surface.canRedo()
            assert real.is_modified == twin.is_modified
            assert real.selections() == twin.selections()
            assert real.caret_offset() == twin.caret_offset()
            assert controller.is_running == (controller.state in {"queued", "running"})
            for spot in controller.proposals.pending.spots:
                span = spot.place.span
                assert spot.place.is_stale == (real.text_range(span.start, span.end) != spot.place.original)
            self.seen.add(controller.state)
        for path, data in self.disk.items():
            assert path.read_bytes() == data

    def unwind(self) -> None:
        """Takes everything back in every document: what its file held is left."""
        for tab, twin in list(self.twins.items()):
            while twin.surface.canUndo():
                tab.view.undo()
                twin.undo()
                assert tab.view.text() == twin.text()
            assert tab.view.text() == self.undo_floor[tab]
            while twin.surface.canRedo():
                tab.view.redo()
                twin.redo()
                assert tab.view.text() == twin.text()

    def end(self) -> None:
        """Closes the window without a question; what the engine still sends finds nobody."""
        assert self._close_window()
        for run in self.session.runs:
            if not run.has_ended:
                run.finish()
        deliver()
        for twin in self.twins.values():
            twin.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def end_anyhow(self) -> None:
        """Closes the window after a failure."""
        self._close_window()
        self.window.deleteLater()

    def _close_window(self) -> bool:
        for tab in self.window.tabs.all:
            tab.controller.give_up()
            tab.controller.proposals.reject_all()
            tab.document.set_modified(False)
        return self.window.close()

    # the user's own text

    @property
    def tab(self) -> Tab:
        """The tab in front."""
        tab = self.window.tabs.current
        assert tab is not None
        return tab

    @property
    def twin(self) -> EditorView:
        """Its twin."""
        return self.twins[self.tab]

    @property
    def views(self) -> tuple[EditorView, EditorView]:
        """Both."""
        return self.tab.view, self.twin

    def type(self) -> None:
        letters = self.chance.choice(["a", "(", "x y", '"', ":"])
        for view in self.views:
            QTest.keyClicks(view.surface, letters)

    def press(self) -> None:
        key = self.chance.choice(KEYS)
        for view in self.views:
            QTest.keyClick(view.surface, key)

    def undo(self) -> None:
        self._both("edit.undo", EditorView.undo)

    def redo(self) -> None:
        self._both("edit.redo", EditorView.redo)

    def cut(self) -> None:
        self._both("edit.cut", EditorView.cut)

    def paste(self) -> None:
        text = self.chance.choice(["pasted\n日", "", "\x00é", "long " * 50])
        QGuiApplication.clipboard().setText(text)
        self.window.actions_.commands.run("edit.paste")
        QGuiApplication.clipboard().setText(text)
        self.twin.paste()

    def select(self) -> None:
        length = self.twin.length
        starts = sorted(self.chance.sample(range(length + 1), 2)) if length > 1 else [0, length]
        spans = [TextSpan(starts[0], min(starts[1], starts[0] + self.chance.randrange(12)))]
        if self.chance.random() < 0.3 and starts[1] > spans[0].end:
            spans.append(TextSpan(starts[1], min(length, starts[1] + self.chance.randrange(4))))
        for view in self.views:
            view.select(spans)

    def columns(self) -> None:
        """Carets below each other, and something typed into all of them."""
        column, first = self.chance.randrange(4), self.chance.randrange(max(1, self.twin.surface.lineCount()))
        surface = self.twin.surface
        lines = range(first, min(first + 3, surface.lineCount()))
        places = [surface.positionFromLine(line) + column for line in lines]
        places = [pos for line, pos in zip(lines, places, strict=True) if pos <= surface.lineEndPosition(line)]
        spans = [TextSpan(offset, offset) for offset in map(self.twin.surface.offset_at, places)]
        if spans:
            for view in self.views:
                view.select(spans)
            self.type()

    def compose(self) -> None:
        for view in self.views:
            QApplication.sendEvent(view.surface, QInputMethodEvent("に", []))

    def commit(self) -> None:
        for view in self.views:
            event = QInputMethodEvent()
            event.setCommitString("日本")
            QApplication.sendEvent(view.surface, event)

    def drop(self) -> None:
        """Text dragged from elsewhere is dropped at the caret."""
        for view in self.views:
            surface = view.surface
            surface.scrollCaret()
            pos = surface.currentPos()
            data = QMimeData()
            data.setText("dragged 語")
            event = QDropEvent(
                QPointF(surface.pointXFromPosition(pos) + 1, surface.pointYFromPosition(pos) + 3),
                Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
            )  # fmt: skip
            QApplication.sendEvent(surface.viewport(), event)

    def find(self) -> None:
        """Something of the find bar; it takes the caret along."""
        self.seen.add(random_finding.find(self.window, self.chance))
        self._bring_caret_along()

    # runs and proposals

    def fill(self) -> None:
        self.select()
        self.command(self.chance.choice(["infill.fill", "infill.fill", "infill.refine"]))

    def accept(self) -> None:
        self.command(self.chance.choice([name for name in COMMANDS if name.startswith("proposal.accept")]))

    def command(self, name: str = "") -> None:
        """A command of the engine's menus; it may take the caret along, never the text but by accepting."""
        commands = self.window.actions_.commands
        known = [name] if name else [name for name in COMMANDS if name in {it.id for it in commands}]
        command = commands[self.chance.choice(known)]
        if command.can_run:
            if command.is_on is not None:
                command.handler(not command.is_on())
            else:
                command.handler()
            self._bring_caret_along()

    def engine(self) -> None:
        """Something arrives from a job, perhaps from one that nobody waits for any more."""
        live = [run for run in self.session.runs if not run.has_ended]
        if not live:
            return
        run = live[-1] if self.chance.random() < 0.8 else self.chance.choice(live)
        what = self.chance.choice(["step", "step", "step", "finish", "finish", "cancel", "fail", "late"])
        self.seen.add(f"{what} of a cancelled job" if run.job.is_cancelled else what)
        if what == "step":
            run.allow(self.chance.randrange(1, 4))
        elif what == "late":
            run.finish()
            run.on_event(Frame(run.job.id, run.steps, run.steps, run.drafts(), run.stats()))
        else:
            {"finish": run.finish, "cancel": run.cancel, "fail": run.fail}[what]()
        del self.session.runs[:-20]

    def tab_key(self) -> None:
        controller, suggester = self.tab.controller, self.tab.suggester
        is_taken = controller.proposals.can_accept or (controller.is_writing_at_caret and not suggester.is_active)
        QTest.keyClick(self.tab.view.surface, Qt.Key.Key_Tab)
        if not is_taken:
            QTest.keyClick(self.twin.surface, Qt.Key.Key_Tab)

    def escape(self) -> None:
        controller = self.tab.controller
        is_taken = controller.is_running or controller.proposals.wanted is not None or self.tab.suggester.is_active
        QTest.keyClick(self.tab.view.surface, Qt.Key.Key_Escape)
        if not is_taken:
            QTest.keyClick(self.twin.surface, Qt.Key.Key_Escape)

    # the window

    def time(self) -> None:
        """One of the timers that wait is over."""
        owners = [
            self.window,
            *(part for tab in self.twins for part in (tab.controller, tab.view, tab.suggester, tab.doubt)),
        ]
        timers = [
            timer
            for owner in owners
            for timer in owner.findChildren(QTimer)
            if timer.isActive() and timer.isSingleShot()
        ]
        if timers:
            timer = self.chance.choice(timers)
            timer.stop()
            timer.timeout.emit()
            if timer.parent() is self.window.finding:
                self._bring_caret_along()

    def setting(self) -> None:
        key = self.chance.choice([*SETTINGS, "engine.enabled"])
        self.window.settings[key] = self.chance.choice(SETTINGS[key])
        for twin in self.twins.values():
            twin.apply_settings()

    def load_model(self) -> None:
        if self.session.loads and self.window.settings["engine.enabled"]:
            self.session.finish_load()

    def switch_tab(self) -> None:
        self.window.tabs.step(self.chance.choice([1, -1]))

    def open(self) -> None:
        if len(self.twins) < MOST_TABS:
            path = self.folder / f"file {self.chance.randrange(6)}.py"
            if path not in self.disk:
                self._write_file(path, TEXT)
            self.window.filing.open(path)
            self._meet()

    def new(self) -> None:
        if len(self.twins) < MOST_TABS:
            self.window.filing.new()
            self._meet()

    def close(self) -> None:
        if self.chance.random() < 0.5:
            self.window.filing.close(self.chance.choice(list(self.twins)))

    def save(self) -> None:
        self.window.filing.save(self.chance.choice([self.tab, self.tab, self.chance.choice(list(self.twins))]))
        self._bring_caret_along()

    def reload(self) -> None:
        self.window.filing.reload(self.tab)
        self._bring_caret_along()

    def write_outside(self) -> None:
        """Another program writes one of the files."""
        paths = [tab.document.path for tab in self.twins if tab.document.path in self.disk]
        if paths:
            path = self.chance.choice(paths)
            assert path is not None
            self._write_file(path, f"from outside {self.steps}\n{TEXT}")
            self.window.look_at_disk()

    # within

    def _both(self, command: str, act: Callable[[EditorView], object]) -> None:
        self.window.actions_.commands.run(command)
        act(self.twin)

    def _write_file(self, path: Path, text: str) -> None:
        self.disk[path] = text.encode()
        path.write_bytes(self.disk[path])

    def _meet(self) -> None:
        """Makes the twins of documents that have none."""
        self._forget_closed()
        for tab in self.window.tabs.all:
            if tab not in self.twins:
                self._make_twin(tab)

    def _make_twin(self, tab: Tab) -> None:
        document = Document()
        document.eol = tab.document.eol
        twin = self.twins[tab] = EditorView(document, self.window.settings, LIGHT)
        twin.resize(tab.view.size().expandedTo(QSize(200, 200)))
        twin.set_text(tab.view.text())
        twin.set_language(tab.document.language or "text")
        self.undo_floor[tab] = tab.view.text()
        replace, finish = tab.view.replace_spans, tab.view.surface.finish_composition

        def replace_both(changes: Iterable[tuple[int, int, str]]) -> None:
            """The only way proposals change the text: each change begins a text that is proposed for its place."""
            wanted = list(changes)
            spots = {spot.place.span.start: spot for spot in tab.controller.proposals.pending.live_spots}
            for start, end, text in wanted:
                assert end <= spots[start].place.span.end
                assert spots[start].text.startswith(text)
            replace(wanted)
            twin.replace_spans(wanted)
            self.seen.add("accepted")

        def finish_both() -> None:
            finish()
            twin.surface.finish_composition()

        replace_found = random_finding.replacing(self.window, tab.view, twin, self.seen.add)
        tab.view.replace_found = replace_found  # type: ignore[method-assign]
        tab.view.replace_spans = replace_both  # type: ignore[method-assign]
        tab.view.surface.finish_composition = finish_both  # type: ignore[method-assign]

    def _forget_closed(self) -> None:
        for tab in [tab for tab in self.twins if tab not in self.window.tabs.all]:
            self.twins.pop(tab).deleteLater()
            del self.undo_floor[tab]
            self.seen.add("closed")
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def _on_loaded(self, tab: Tab) -> None:
        if tab in self.twins:
            twin, path = self.twins[tab], tab.document.path
            assert path is not None
            line, column = selection.caret_place(twin.surface)
            self.undo_floor[tab] = self.disk[path].decode()
            twin.document.eol = tab.document.eol
            twin.set_text(self.undo_floor[tab])
            twin.set_language(tab.document.language or "text")
            twin.go_to(line, column)
            self.seen.add("loaded again")

    def _on_saved(self, tab: Tab) -> None:
        """What is in the file is what the twin holds: nothing provisional."""
        twin, path = self.twins[tab], tab.document.path
        assert path is not None
        self.disk[path] = twin.text().encode()
        assert path.read_bytes() == self.disk[path]
        twin.set_savepoint()
        twin.set_language(tab.document.language or "text")
        self.seen.add(f"saved while {tab.controller.state}")

    def _bring_caret_along(self) -> None:
        """The twins take over carets that a command has moved."""
        for tab, twin in self.twins.items():
            real = tab.view.surface
            if selection.state(real) != selection.state(twin.surface):
                twin.surface.setSelection(real.selectionNCaret(0), real.selectionNAnchor(0))
                for number in range(1, real.selections()):
                    twin.surface.addSelection(real.selectionNCaret(number), real.selectionNAnchor(number))


def deliver() -> None:
    """Delivers what is queued."""
    QCoreApplication.sendPostedEvents()
