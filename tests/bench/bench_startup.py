"""How long from starting the command to a painted window and to a loaded model, and how much memory that takes.

Each repeat is a new process that runs the editor's own `main`. Times count from before the process is made, so the
interpreter's start is in them. Prints one JSON object last; asserts nothing.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from tests.bench import stage

if TYPE_CHECKING:
    from app.window import MainWindow

FIGURES = ("window_visible_ms", "model_ready_ms", "rss_window_mb", "rss_model_mb", "rss_after_run_mb")


def measure(model: str, threads: int, repeats: int) -> dict[str, object]:
    """Medians over `repeats` starts."""
    options = ["--child", "--model", model, "--threads", str(threads)]
    rows: list[dict[str, Any]] = []
    for _ in range(repeats):
        command = [sys.executable, "-m", "tests.bench.bench_startup", *options, "--started", repr(time.time())]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(answer.stdout.splitlines()[-1]))
    medians = {name: round(statistics.median(row[name] for row in rows), 1) for name in FIGURES if rows[0][name]}
    return {**medians, "repeats": repeats, "model": model}


def child(model: str, threads: int, started: float) -> dict[str, object]:
    """One start in this process: runs `app.main.main` on the sample and closes the window when all is measured."""
    from app import main as editor

    figures: dict[str, object] = dict.fromkeys(FIGURES)
    make_window = editor.make_window

    def watched() -> MainWindow:
        window = make_window()
        _watch(window, figures, started)
        return window

    editor.make_window = watched
    with stage.own_folders(model, threads):
        status = editor.main([str(stage.SAMPLE)])
    if status or "failure" in figures:
        raise SystemExit(str(figures.get("failure", status)))
    return figures


def _watch(window: MainWindow, figures: dict[str, object], started: float) -> None:
    """Notes the first paint and the loaded model, then fills a sentence once and closes the window."""
    from PySide6.QtCore import QEvent, QObject

    from engine.types import Failed, ModelReady, TextSpan

    class FirstPaint(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint and figures["window_visible_ms"] is None:
                figures["window_visible_ms"] = 1000.0 * (time.time() - started)
                figures["rss_window_mb"] = stage.rss_mb()
            return False

    def model_state(event: object) -> None:
        if isinstance(event, Failed):
            figures["failure"] = event.message
            window.close()
        elif isinstance(event, ModelReady):
            figures["model_ready_ms"] = 1000.0 * (time.time() - started)
            figures["rss_model_mb"] = stage.rss_mb()
            run()

    def run() -> None:
        tab = window.tabs.current
        assert tab is not None
        start = tab.view.text().index("He had kept")
        tab.view.select([TextSpan(start, start + 72)])
        tab.controller.state_changed.connect(ended)
        tab.controller.fill()

    def ended(state: str) -> None:
        tab = window.tabs.current
        if state in {"proposal", "idle"} and figures["rss_after_run_mb"] is None and tab is not None:
            figures["rss_after_run_mb"] = stage.rss_mb()
            tab.controller.reject()
            window.close()

    window.installEventFilter(FirstPaint(window))
    window.bridge.model_state.connect(model_state)


def main() -> None:
    """The command line."""
    options = stage.parser(__doc__ or "")
    options.add_argument("--repeats", type=int, default=5)
    options.add_argument("--child", action="store_true", help="measure one start in this process")
    options.add_argument(
        "--started", type=float, default=0.0, help="when the process was made, in seconds of the clock"
    )
    given = options.parse_args()
    if given.child:
        print(json.dumps(child(given.model, given.threads, given.started)))
    else:
        print(json.dumps(measure(given.model, given.threads, given.repeats)))


if __name__ == "__main__":
    main()
