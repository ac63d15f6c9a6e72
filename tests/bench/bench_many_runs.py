"""Whether many runs in a row leave memory or threads behind, in a real window with a real engine.

After some runs for warming up, resident memory is noted after each run; the slope is that of the line of least squares.
Prints one JSON object last; asserts nothing.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from tests.bench import stage
from tests.bench.bench_first_frame import discard, fill_sentence, open_sample

if TYPE_CHECKING:
    from app.window.tabs import Tab


def measure(model: str, threads: int, runs: int, warm_up: int) -> dict[str, object]:
    """Fills one sentence again and again, and discards each result."""
    from PySide6.QtCore import QCoreApplication

    from app import main as editor

    with stage.own_folders(model, threads) as home:
        app = QCoreApplication.instance() or editor._make_application()
        window = editor.make_window()
        try:
            window.show()
            window.engine.start()
            stage.wait_for_model(window)
            tab = open_sample(window, home / "document.md", 0)
            for _ in range(warm_up):
                _one_run(tab)
            before, memory = threading.active_count(), list[float]()
            for _ in range(runs):
                _one_run(tab)
                memory.append(stage.rss_mb() or 0.0)
            after = threading.active_count()
        finally:
            discard(window)
            window.close()
            app.processEvents()
    return {
        "runs": runs,
        "warm_up": warm_up,
        "rss_first_mb": memory[0],
        "rss_last_mb": memory[-1],
        "slope_kb_per_run": round(1000 * slope(memory), 3),
        "threads_before": before,
        "threads_after": after,
        "threads_when_closed": threading.active_count(),
        "model": model,
    }


def slope(values: list[float]) -> float:
    """How much a value grows from one to the next, by least squares; 0 for fewer than two."""
    middle, mean = (len(values) - 1) / 2, sum(values) / max(1, len(values))
    spread = sum((index - middle) ** 2 for index in range(len(values)))
    return sum((index - middle) * (value - mean) for index, value in enumerate(values)) / spread if spread else 0.0


def _one_run(tab: Tab) -> None:
    fill_sentence(tab)
    stage.wait_for(tab.controller.state_changed, lambda state: state in {"proposal", "idle"})
    tab.controller.reject()


def main() -> None:
    """The command line."""
    options = stage.parser(__doc__ or "")
    options.add_argument("--runs", type=int, default=1000)
    options.add_argument("--warm-up", type=int, default=20)
    given = options.parse_args()
    print(json.dumps(measure(given.model, given.threads, given.runs, given.warm_up)))


if __name__ == "__main__":
    main()
