"""What the window's benchmarks share: a real window with a real engine, in folders of its own, and honest summaries."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtCore import SignalInstance

    from app.window import MainWindow

SAMPLE = Path(__file__).parents[2] / "resources" / "samples" / "welcome.md"
PATIENCE_MS = 120_000


def parser(description: str) -> argparse.ArgumentParser:
    """Options that every benchmark of the window has."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--model", default="redraft-mini", help="a model's name or folder")
    options.add_argument("--threads", type=int, default=0, help="CPU threads of the engine; 0 chooses")
    return options


@contextmanager
def own_folders(model: str, threads: int) -> Iterator[Path]:
    """A temporary home with settings that name the model; the user's own settings stay out of the measurement."""
    with tempfile.TemporaryDirectory(prefix="redraft-bench-") as name:
        home = Path(name)
        for variable in ("REDRAFT_CONFIG_DIR", "REDRAFT_DATA_DIR", "REDRAFT_LOG_DIR"):
            os.environ[variable] = str(home)
        (home / "settings.toml").write_text(
            f"[engine]\nmodel = {json.dumps(model)}\nthreads = {threads}\n[infill]\nseed_locked = true\n",
            encoding="utf-8",
        )
        yield home


def wait_for(signal: SignalInstance, is_it: Callable[[object], bool]) -> object:
    """Runs the event loop until `signal` comes with a value for which `is_it`; returns the value.

    Raises:
        TimeoutError: it did not come.
    """
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    seen: list[object] = []

    def look(value: object) -> None:
        if not seen and is_it(value):
            seen.append(value)
            loop.quit()

    signal.connect(look)
    QTimer.singleShot(PATIENCE_MS, loop, loop.quit)
    loop.exec()
    signal.disconnect(look)
    if not seen:
        raise TimeoutError("the engine did not answer")
    return seen[0]


def wait_for_model(window: MainWindow) -> None:
    """Runs the event loop until the model is loaded.

    Raises:
        RuntimeError: it cannot be loaded.
    """
    from engine.types import Failed, ModelReady

    answer = wait_for(window.bridge.model_state, lambda event: isinstance(event, ModelReady | Failed))
    if isinstance(answer, Failed):
        raise RuntimeError(answer.message)


def summary(values: Sequence[float]) -> dict[str, float]:
    """p50, p99 and the greatest of some milliseconds."""
    ordered = sorted(values)

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)

    return {"p50": at(0.50), "p99": at(0.99), "max": round(ordered[-1], 2), "count": len(ordered)}


def rss_mb() -> float | None:
    """Resident memory of this process now, in MB; None where the system does not tell."""
    if not sys.platform.startswith("linux"):
        return None
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)
