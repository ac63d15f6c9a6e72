"""The commands for doubtful words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.commands import Command
from app.window.tabs import Tab

if TYPE_CHECKING:
    from app.window.main_window import MainWindow


def doubt_commands(window: MainWindow) -> list[Command]:
    """Mark them, go through them, show what is likelier, have them written anew."""

    def run(act: Callable[[Tab], object]) -> Callable[[], object]:
        def after_settling(tab: Tab) -> object:
            window.engine.settle()
            return act(tab)

        return window.with_front(after_settling)

    def has_marks() -> bool:
        tab = window.tabs.current
        return tab is not None and bool(tab.doubt.words)

    def can_clear() -> bool:
        tab = window.tabs.current
        return tab is not None and (bool(tab.doubt.words) or tab.doubt.is_running)

    front = window.with_front
    mark, rewrite = run(lambda tab: tab.doubt.mark()), run(lambda tab: tab.doubt.rewrite())
    clear, show = front(lambda tab: tab.doubt.clear()), front(lambda tab: tab.doubt_popup.open_at_caret())
    on, back = front(lambda tab: tab.doubt.step(1)), front(lambda tab: tab.doubt.step(-1))
    return [
        Command("infill.doubt", "Mark Doubtful Words", mark, ("Ctrl+Alt+D",), window.has_tab, starts_section=True),
        Command("infill.doubt_next", "Go to Next Doubtful Word", on, ("F7",), has_marks),
        Command("infill.doubt_previous", "Go to Previous Doubtful Word", back, ("Shift+F7",), has_marks),
        Command("infill.doubt_show", "Show Better Words", show, ("Alt+Return", "Alt+Enter"), has_marks),
        Command("infill.doubt_rewrite", "Rewrite Doubtful Words", rewrite, ("Ctrl+Alt+R",), has_marks),
        Command("infill.doubt_clear", "Clear Marks of Doubtful Words", clear, ("Ctrl+Alt+Shift+D",), can_clear),
    ]
