"""How long finding and replacing take in a text of 1 MB, in a real window without a model.

`key_ms` is from a key in the bar until it is served, `lateness_ms` how late the event loop was while the search went
on, `patterns_found_ms` from a pattern to all that it finds. Prints one JSON object last; asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import stage
from tests.bench.bench_gui_lateness import lateness

if TYPE_CHECKING:
    from app.window import MainWindow

WORD = "lantern"


def measure(kilobytes: int) -> dict[str, object]:
    """Opens a long text, writes a word into the bar, finds patterns, replaces the word everywhere and undoes it."""
    from PySide6.QtCore import QCoreApplication

    from app import main as editor

    with stage.own_folders("redraft-mini", 1) as home:
        app = QCoreApplication.instance() or editor._make_application()
        window = editor.make_window()
        window.settings["engine.enabled"] = False
        try:
            sample = stage.SAMPLE.read_text(encoding="utf-8")
            document = Path(home / "long.md")
            document.write_text(sample * (1000 * kilobytes // len(sample.encode()) + 1), encoding="utf-8")
            window.open_paths([(document, None, 1)])
            window.show()
            app.processEvents()
            window.finding.open(replace=True)
            keys, late = _write(window)
            words = _found(window)
            patterns = [_search(window, pattern) for pattern in (r"\b\w+ing\b", r"^.*the.*$", "e")]
            replaced, undone, places = _replace(window)
        finally:
            window.close()
            app.processEvents()
    return {
        "bytes": len(sample.encode()) * (1000 * kilobytes // len(sample.encode()) + 1),
        "key_ms": stage.summary(keys),
        "lateness_ms": stage.summary(late),
        "word_found": words,
        "patterns_found_ms": patterns,
        "replace_all_ms": replaced,
        "undo_ms": undone,
        "places_replaced": places,
    }


def _write(window: MainWindow) -> tuple[list[float], list[float]]:
    """A word, key by key, each after what the one before it led to."""
    from PySide6.QtTest import QTest

    keys: list[float] = []
    with lateness() as late:
        for letter in WORD:
            begin = time.perf_counter()
            QTest.keyClicks(window.finding.bar.term, letter)
            keys.append(1000 * (time.perf_counter() - begin))
            stage.wait_for(window.finding.search.searcher.answered, lambda _: True)
    return keys, late


def _found(window: MainWindow) -> str:
    return window.finding.bar.count.text()


def _search(window: MainWindow, pattern: str) -> float:
    """Milliseconds from a pattern to all that it finds."""
    bar = window.finding.bar
    if not bar.regex.isChecked():
        bar.regex.click()
        stage.wait_for(window.finding.search.searcher.answered, lambda _: True)
    begin = time.perf_counter()
    bar.term.setText(pattern)
    stage.wait_for(window.finding.search.searcher.answered, lambda _: True)
    return round(1000 * (time.perf_counter() - begin), 1)


def _replace(window: MainWindow) -> tuple[float, float, int]:
    """Milliseconds of replacing a letter everywhere, and of taking it back; how many there were."""
    bar, tab = window.finding.bar, window.tabs.current
    assert tab is not None
    bar.regex.click()
    bar.term.setText("a")
    bar.replacement.setText("ä")
    stage.wait_for(window.finding.search.searcher.answered, lambda _: True)
    begin = time.perf_counter()
    window.finding.replace_all()
    middle = time.perf_counter()
    places = tab.view.text().count("ä")
    again = time.perf_counter()
    tab.view.undo()
    return round(1000 * (middle - begin), 1), round(1000 * (time.perf_counter() - again), 1), places


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kilobytes", type=int, default=1000)
    print(json.dumps(measure(options.parse_args().kilobytes)))


if __name__ == "__main__":
    main()
