"""What is felt of a run in a real window with a real engine: the time from the key to the first painted frame with a
warm cache, and how long a typed letter takes while runs go on, in a short document and in a long one with wrap on.

A key's time is from its event to the surface's text and picture being up to date. Prints one JSON object last; asserts
nothing.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import stage

if TYPE_CHECKING:
    from app.window import MainWindow
    from app.window.tabs import Tab

SENTENCE = "He had kept"


def measure(model: str, threads: int, runs: int, keys: int, long_kb: int) -> dict[str, object]:
    """Opens a short and a long document one after the other and measures both."""
    from PySide6.QtCore import QCoreApplication

    from app import main as editor

    figures: dict[str, object] = {"runs": runs, "keys": keys, "model": model}
    with stage.own_folders(model, threads) as home:
        app = QCoreApplication.instance() or editor._make_application()
        window = editor.make_window()
        try:
            window.settings["editor.wrap"] = True
            window.show()
            window.engine.start()
            stage.wait_for_model(window)
            for name, kilobytes in (("short", 0), ("long", long_kb)):
                tab = open_sample(window, home / f"{name}.md", kilobytes)
                figures[name] = {
                    "bytes": len(tab.view.text().encode()),
                    "first_frame_ms": stage.summary([_first_frame(tab) for _ in range(runs + 1)][1:]),
                    "typing_ms": stage.summary(_typing(window, tab, keys)),
                }
        finally:
            discard(window)
            window.close()
            app.processEvents()
    return figures


def open_sample(window: MainWindow, path: Path, kilobytes: int) -> Tab:
    """A document of at least so many kilobytes."""
    sample = stage.SAMPLE.read_text(encoding="utf-8")
    path.write_text(sample * max(1, 1 + kilobytes * 1000 // len(sample.encode())), encoding="utf-8")
    window.open_paths([(path, None, 1)])
    tab = window.tabs.current
    assert tab is not None
    return tab


def fill_sentence(tab: Tab) -> None:
    """Selects the first such sentence and fills it."""
    from engine.types import TextSpan

    start = tab.view.text().index(SENTENCE)
    tab.view.select([TextSpan(start, tab.view.text().index("\n", start))])
    tab.controller.fill()


def _first_frame(tab: Tab) -> float:
    """Milliseconds from the command to the painting of the first frame; the run then ends as it will, unaccepted."""
    from PySide6.QtCore import QCoreApplication

    begin = time.perf_counter()
    fill_sentence(tab)
    stage.wait_for(tab.controller.progress, lambda _progress: True)
    while tab.controller.stage.pacer.timer.isActive():  # the frame waits for its turn
        QCoreApplication.processEvents()
    tab.view.preview.viewport().repaint()
    took = 1000 * (time.perf_counter() - begin)
    if tab.controller.is_running:
        stage.wait_for(tab.controller.state_changed, lambda state: state in {"proposal", "idle"})
    tab.controller.reject()
    return took


def _typing(window: MainWindow, tab: Tab, keys: int) -> list[float]:
    """Milliseconds of each letter that is typed at the end of the document, a run going on above."""
    from PySide6.QtCore import QCoreApplication
    from PySide6.QtTest import QTest

    took: list[float] = []
    while len(took) < keys:
        if not tab.controller.is_running:
            tab.controller.reject()
            fill_sentence(tab)
            tab.view.go_to_offset(tab.view.length)
        QCoreApplication.processEvents()
        begin = time.perf_counter()
        QTest.keyClicks(tab.view.surface, "a")
        tab.view.surface.viewport().repaint()
        took.append(1000 * (time.perf_counter() - begin))
    tab.controller.give_up()
    tab.controller.reject()
    return took


def discard(window: MainWindow) -> None:
    """Leaves nothing that closing asks about."""
    for tab in window.tabs.all:
        tab.controller.give_up()
        tab.controller.proposals.reject_all()
        tab.document.set_modified(False)


def main() -> None:
    """The command line."""
    options = stage.parser(__doc__ or "")
    options.add_argument("--runs", type=int, default=30)
    options.add_argument("--keys", type=int, default=500)
    options.add_argument("--long-kb", type=int, default=1000, help="size of the long document")
    given = options.parse_args()
    print(json.dumps(measure(given.model, given.threads, given.runs, given.keys, given.long_kb)))


if __name__ == "__main__":
    main()
