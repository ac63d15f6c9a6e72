"""How long it takes from asking for the next variation to the painted text, in a real window.

The engine is a stepped stand-in: what is measured is the window's own work, with the panel of variations open and
closed, in a short text and in one of 1 MB with wrapped lines. Prints one JSON object last; asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import stage

if TYPE_CHECKING:
    from app.window import MainWindow

_LARGE = 1_000_000
_WORDS = "the old keeper lit a lamp every evening and wrote down what he saw from his window at night".split()


def measure(switches: int) -> dict[str, object]:
    """Opens a window for each of the cases."""
    figures: dict[str, object] = {"switches": switches}
    for name, least, panel in (("short", 0, False), ("short_with_panel", 0, True), ("1_mb_with_panel", _LARGE, True)):
        times = _case(switches, least, with_panel=panel)
        figures[f"{name}_ms"] = stage.summary([wall for wall, _ in times])
        figures[f"{name}_cpu_ms"] = stage.summary([cpu for _, cpu in times])
    return figures


def _case(switches: int, least: int, *, with_panel: bool) -> list[tuple[float, float]]:
    from PySide6.QtCore import QCoreApplication

    from app import main as editor
    from app.infill.bridge import EngineBridge
    from app.settings import Settings
    from app.theme import Themes
    from app.window import MainWindow
    from engine.types import InfillRequest, TextSpan
    from tests.fakes import SteppedSession

    def answer(request: InfillRequest) -> list[str]:
        return [" ".join(_WORDS[(place * (request.seed % 7 + 1)) % len(_WORDS)] for place in range(60)) + "."]

    with stage.own_folders("redraft-mini", 1) as home:
        app = QCoreApplication.instance() or editor._make_application()
        settings, session = Settings(), SteppedSession(answer)
        settings["infill.variations"] = 8
        settings["infill.seed_locked"] = True
        settings["editor.wrap"] = True
        window = MainWindow(settings, Themes(settings), EngineBridge(session))
        try:
            document = Path(home / "document.md")
            text = stage.SAMPLE.read_text(encoding="utf-8")
            document.write_text(text * (1 + least // len(text.encode())), encoding="utf-8")
            window.open_paths([(document, None, 1)])
            window.show()
            window.docks.show_proposal(with_panel)
            tab = window.tabs.current
            assert tab is not None
            start = tab.view.text().index("He had kept")
            tab.view.select([TextSpan(start, tab.view.text().index("\n", start))])
            tab.controller.fill()
            session.run.finish()
            app.processEvents()
            return [_switch(window) for _ in range(switches)]
        finally:
            for tab in window.tabs.all:
                tab.controller.close()
            window.close()
            app.processEvents()


def _switch(window: MainWindow) -> tuple[float, float]:
    """Milliseconds until the next variation is painted, in the text and in the panel: by the clock, and of the
    processor, which is what counts on a machine that has other work. What Scintilla does in idle time afterwards, like
    wrapping the lines out of sight, is not counted."""
    from PySide6.QtCore import QCoreApplication

    began, cpu = time.perf_counter(), time.process_time()
    window.actions_.of("proposal.next_variation").trigger()
    tab = window.tabs.current
    assert tab is not None
    tab.view.preview.viewport().repaint()
    if window.docks.proposal_shown():
        window.proposal_panel.repaint()
    times = 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - cpu)
    QCoreApplication.processEvents()
    return times


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--switches", type=int, default=200)
    print(json.dumps(measure(options.parse_args().switches)))


if __name__ == "__main__":
    main()
