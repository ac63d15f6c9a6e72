"""Which commands there are, and the menus made from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from app.commands import Command, Commands
from app.infill.context import INSERT, JOIN, Wish
from app.infill.controller import InfillController
from app.window.doubt_commands import doubt_commands
from app.window.find_commands import find_commands
from app.window.proposal_commands import proposal_commands
from app.window.tabs import Tab
from engine.types import Mode

if TYPE_CHECKING:
    from app.window.main_window import MainWindow

_MENUS = {
    "file": "&File",
    "edit": "&Edit",
    "view": "&View",
    "infill": "&Infill",
    "proposal": "&Proposal",
    "help": "&Help",
}


def make_commands(window: MainWindow) -> Commands:
    """All commands of a window."""
    commands = Commands()
    commands.add(
        *_file(window), *_edit(window), *_view(window), *_infill(window), *proposal_commands(window), *_help(window)
    )
    return commands


class Actions:
    """The commands as QActions: in menus, with their keys, enabled when they can act."""

    def __init__(self, commands: Commands, bar: QMenuBar, owner: QWidget) -> None:
        self.commands = commands
        self._owner = owner
        self._pairs: list[tuple[Command, QAction]] = []
        self._menus: dict[str, QMenu] = {}
        self._hidden: frozenset[str] = frozenset()
        for group, title in _MENUS.items():
            menu = self._menus[group] = bar.addMenu(title)
            menu.aboutToShow.connect(self.refresh)
            for command in commands.group(group):
                if command.starts_section:
                    menu.addSeparator()
                menu.addAction(self._action(command, owner))

    def refresh(self) -> None:
        """Shows which commands can act now, and what is switched on."""
        for command, action in self._pairs:
            action.setEnabled(command.can_run and command.group not in self._hidden)
            if command.is_on is not None:
                action.setChecked(command.is_on())

    @property
    def shown_commands(self) -> list[Command]:
        """All commands but those of hidden groups."""
        return [command for command in self.commands if command.group not in self._hidden]

    def show_groups(self, groups: Iterable[str], *, shown: bool) -> None:
        """Shows groups of commands, or hides them: their menus, their entries elsewhere, their keys."""
        self._hidden = self._hidden - set(groups) if shown else self._hidden | set(groups)
        for group, menu in self._menus.items():
            menu.menuAction().setVisible(group not in self._hidden)
        for command, action in self._pairs:
            action.setVisible(command.group not in self._hidden)
        self.refresh()

    def menu(self, *command_ids: str) -> QMenu:
        """A menu of its own with these commands; an empty id separates. Qt leaves out separators that part nothing."""
        self.refresh()
        menu = QMenu(self._owner)
        for command_id in command_ids:
            menu.addAction(self.of(command_id)) if command_id else menu.addSeparator()
        return menu

    def of(self, command_id: str) -> QAction:
        """The action of a command."""
        return next(action for command, action in self._pairs if command.id == command_id)

    def _action(self, command: Command, owner: QWidget) -> QAction:
        shown = f"{command.title}\t{command.key_text}" if command.text_key and not command.keys else command.title
        action = QAction(shown, owner)
        action.setObjectName(command.id)
        action.setShortcuts([QKeySequence(key) for key in command.keys])
        action.setCheckable(command.is_on is not None)
        action.triggered.connect(self._guarded(command))
        owner.addAction(action)
        self._pairs.append((command, action))
        return action

    def _guarded(self, command: Command) -> Callable[[bool], None]:
        """A key pressed when its command cannot act does nothing; the menu's enabled state may be stale by then."""

        def act(on: bool = False) -> None:
            if command.can_run and command.group not in self._hidden:
                if command.is_on is None:
                    command.handler()
                else:
                    command.handler(on)

        return act


def _file(window: MainWindow) -> list[Command]:
    filing, front = window.filing, window.with_front
    has_tab = window.has_tab
    return [
        Command("file.new", "New", filing.new, ("Ctrl+N", "Ctrl+T")),
        Command("file.open", "Open…", filing.ask_open, ("Ctrl+O",)),
        Command("file.save", "Save", front(filing.save), ("Ctrl+S",), has_tab, starts_section=True),
        Command("file.save_as", "Save As…", front(filing.save_as), ("Ctrl+Shift+S",), has_tab),
        Command("file.save_all", "Save All", filing.save_all, ("Ctrl+Alt+S",), has_tab),
        Command("file.reload", "Reload from Disk", front(filing.reload), (), window.has_file),
        Command("file.close", "Close Tab", front(filing.close), ("Ctrl+W", "Ctrl+F4"), has_tab, starts_section=True),
        Command("file.quit", "Quit", window.close, ("Ctrl+Q",)),
    ]


def _edit(window: MainWindow) -> list[Command]:
    def view(act: Callable[[Tab], object]) -> Callable[[], object]:
        return window.with_front(act)

    has_tab = window.has_tab
    return [
        Command("edit.undo", "Undo", view(lambda tab: tab.view.undo()), ("Ctrl+Z",), has_tab),
        Command("edit.redo", "Redo", view(lambda tab: tab.view.redo()), ("Ctrl+Shift+Z", "Ctrl+Y"), has_tab),
        Command("edit.cut", "Cut", view(lambda tab: tab.view.cut()), ("Ctrl+X",), has_tab, starts_section=True),
        Command("edit.copy", "Copy", view(lambda tab: tab.view.copy()), ("Ctrl+C",), has_tab),
        Command("edit.paste", "Paste", view(lambda tab: tab.view.paste()), ("Ctrl+V",), has_tab),
        Command("edit.select_all", "Select All", view(lambda tab: tab.view.select_all()), ("Ctrl+A",), has_tab),
        *find_commands(window),
        Command("edit.go_to_line", "Go to Line…", window.ask_line, ("Ctrl+G",), has_tab, starts_section=True),
    ]


def _view(window: MainWindow) -> list[Command]:
    settings, tabs = window.settings, window.tabs

    def switch(command: str, title: str, key: str) -> Command:
        def turn(on: bool) -> None:
            settings[key] = on

        return Command(command, title, turn, is_on=lambda: bool(settings[key]))

    def zoom(by: int) -> Callable[[], None]:
        def turn() -> None:
            setting = settings.declaration("editor.font_size")
            size = settings["editor.font_size"] + by
            settings["editor.font_size"] = int(min(max(size, setting.minimum or size), setting.maximum or size))

        return turn

    return [
        Command(
            "view.settings", "Settings", window.docks.show_settings, ("Ctrl+,",), is_on=window.docks.settings_shown
        ),
        switch("view.wrap", "Wrap Long Lines", "editor.wrap"),
        switch("view.line_numbers", "Line Numbers", "editor.show_line_numbers"),
        switch("view.whitespace", "White Space", "editor.show_whitespace"),
        Command("view.larger", "Larger Text", zoom(1), ("Ctrl++", "Ctrl+="), starts_section=True),
        Command("view.smaller", "Smaller Text", zoom(-1), ("Ctrl+-",)),
        Command("view.usual_size", "Usual Text Size", lambda: settings.reset("editor.font_size"), ("Ctrl+0",)),
        replace(switch("view.use_model", "Use the Model", "engine.enabled"), keys=("Ctrl+Alt+M",), starts_section=True),
        Command("view.next_pane", "Go to Text or Panels", window.docks.next_pane, ("F6",), starts_section=True),
        Command("view.next_tab", "Next Tab", lambda: tabs.step(1), ("Ctrl+PgDown", "Ctrl+Tab")),
        Command("view.previous_tab", "Previous Tab", lambda: tabs.step(-1), ("Ctrl+PgUp", "Ctrl+Shift+Tab")),
    ]


def _infill(window: MainWindow) -> list[Command]:
    def control(act: Callable[[InfillController], object]) -> Callable[[], object]:
        return window.with_front(lambda tab: act(tab.controller))

    def run(act: Callable[[InfillController], object]) -> Callable[[], object]:
        def after_settling(controller: InfillController) -> object:
            window.engine.settle()
            return act(controller)

        return control(after_settling)

    def by(key: str) -> Callable[[], object]:
        return run(lambda it: it.fill(Wish(Mode.FILL, length_factor=window.settings[key])))

    has_tab, running = window.has_tab, window.is_running
    insert, join = run(lambda it: it.fill(INSERT)), run(lambda it: it.fill(JOIN))
    fill, refine = run(lambda it: it.fill()), run(lambda it: it.refine())
    on, stop = run(lambda it: it.continue_at_caret()), window.feed.runs.stop
    return [
        Command("infill.fill", "Fill Selection", fill, ("Ctrl+Return", "Ctrl+Enter"), has_tab),
        Command("infill.refine", "Refine Selection", refine, ("Ctrl+Alt+Return", "Ctrl+Alt+Enter"), has_tab),
        Command("infill.longer", "Rewrite Longer", by("infill.longer"), ("Ctrl+Alt++", "Ctrl+Alt+="), has_tab),
        Command("infill.shorter", "Rewrite Shorter", by("infill.shorter"), ("Ctrl+Alt+-",), has_tab),
        Command("infill.continue", "Continue at Caret", on, ("Ctrl+Shift+Return", "Ctrl+Shift+Enter"), has_tab),
        Command("infill.insert", "Insert at Caret", insert, ("Ctrl+Alt+I",), has_tab),
        Command("infill.join", "Join Passages at Caret", join, ("Ctrl+Alt+J",), has_tab),
        *doubt_commands(window),
        Command("infill.stop", "Stop", stop, ("Ctrl+.",), running, starts_section=True),
        Command("infill.runs", "Show Runs", window.feed.runs.show_list, ("Ctrl+Shift+.",)),
        Command(
            "infill.history",
            "History",
            window.docks.show_history,
            ("Ctrl+Shift+H",),
            is_on=window.docks.history_shown,
            starts_section=True,
        ),
        Command(
            "infill.show_generated",
            "Show Generated Text",
            lambda on: window.settings.__setitem__("editor.show_generated", on),
            ("Ctrl+Shift+G",),
            is_on=lambda: bool(window.settings["editor.show_generated"]),
        ),
    ]


def _help(window: MainWindow) -> list[Command]:
    return [
        Command("help.keys", "Keys", window.show_keys, ("F1",)),
        Command("help.about", "About Redraft", window.show_about),
    ]
