"""The commands to find and to replace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.commands import Command
from app.panels.find_signs import SignButton

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


def find_commands(window: MainWindow) -> list[Command]:
    """Open the bar, go to what is found, replace it, and say how it is looked for."""
    find, bar, has_tab = window.finding, window.finding.bar, window.has_tab

    def is_open() -> bool:
        return find.is_open

    def switch(command: str, title: str, key: str, button: SignButton, *, first: bool = False) -> Command:
        def turn(_on: bool) -> None:
            button.click()

        return Command(command, title, turn, (key,), is_open, button.isChecked, starts_section=first)

    on, back, every = find.find_next, find.find_previous, find.select_all
    return [
        Command("edit.find", "Find…", find.open, ("Ctrl+F",), has_tab, starts_section=True),
        Command("edit.replace", "Replace…", lambda: find.open(replace=True), ("Ctrl+H",), has_tab),
        Command("edit.find_next", "Find Next", on, ("F3",), has_tab),
        Command("edit.find_previous", "Find Previous", back, ("Shift+F3",), has_tab),
        Command("edit.select_found", "Select All Found", every, (), find.is_ready, text_key="Alt+Return"),
        Command("edit.replace_one", "Replace This", find.replace, (), find.is_ready, text_key="Return"),
        Command("edit.replace_all", "Replace All", find.replace_all, (), find.is_ready, text_key="Ctrl+Alt+Return"),
        switch("edit.match_case", "Match Case", "Alt+C", bar.case, first=True),
        switch("edit.whole_words", "Whole Words", "Alt+W", bar.word),
        switch("edit.regex", "Regular Expression", "Alt+X", bar.regex),
        switch("edit.in_selection", "Find in Selection", "Alt+S", bar.scope),
    ]
