"""How late the window's event loop is while the engine runs infills with previews in a real window.

A precise 5 ms timer on the GUI thread notes how much later than 5 ms after its last call it is called: first with an
idle engine, then while one infill follows another. Prints one JSON object last; asserts nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import stage

if TYPE_CHECKING:
    from app.window import MainWindow

INTERVAL_MS = 5


@contextmanager
def lateness() -> Iterator[list[float]]:
    """Collects the timer's lateness in milliseconds while the event loop runs inside."""
    from PySide6.QtCore import Qt, QTimer

    late: list[float] = []
    last = time.perf_counter()

    def tick() -> None:
        nonlocal last
        now = time.perf_counter()
        late.append(max(0.0, 1000.0 * (now - last) - INTERVAL_MS))
        last = now

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(INTERVAL_MS)
    timer.timeout.connect(tick)
    timer.start()
    try:
        yield late
    finally:
        timer.stop()


def measure(model: str, threads: int, runs: int, idle_ms: int) -> dict[str, object]:
    """Opens the window, waits for the model, and measures idle and under load."""
    from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer

    from app import main as editor

    with stage.own_folders(model, threads) as home:
        app = QCoreApplication.instance() or editor._make_application()
        window = editor.make_window()
        try:
            document = Path(home / "document.md")
            document.write_text(stage.SAMPLE.read_text(encoding="utf-8") * 4, encoding="utf-8")
            window.open_paths([(document, None, 1)])
            window.show()
            window.engine.start()
            stage.wait_for_model(window)
            with lateness() as idle:
                loop = QEventLoop()
                QTimer.singleShot(idle_ms, loop, loop.quit)
                loop.exec()
            with lateness() as late:
                steps = sum(_one_run(window) for _ in range(runs))
        finally:
            window.close()
            app.processEvents()
    return {
        "idle_ms": stage.summary(idle),
        "running_ms": stage.summary(late),
        "runs": runs,
        "steps": steps,
        "model": model,
    }


def _one_run(window: MainWindow) -> int:
    """Fills a sentence, waits for the proposal, discards it. Returns the number of denoising steps."""
    from engine.types import TextSpan

    tab = window.tabs.current
    assert tab is not None
    text = tab.view.text()
    start = text.index("He had kept")
    tab.view.select([TextSpan(start, text.index("\n", start))])
    steps: list[int] = []
    note = tab.controller.progress.connect(lambda progress: steps.append(progress.step))
    tab.controller.fill()
    stage.wait_for(tab.controller.state_changed, lambda state: state in {"proposal", "idle"})
    tab.controller.progress.disconnect(note)
    tab.controller.reject()
    return max(steps, default=0)


def main() -> None:
    """The command line."""
    options = stage.parser(__doc__ or "")
    options.add_argument("--runs", type=int, default=40)
    options.add_argument("--idle-ms", type=int, default=3000)
    given = options.parse_args()
    print(json.dumps(measure(given.model, given.threads, given.runs, given.idle_ms)))


if __name__ == "__main__":
    main()
