"""train.jsonl: a line of JSON for every logged step and every measure of held-out text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

JOURNAL_FILE = "train.jsonl"

Write = Callable[[Mapping[str, object]], None]


@contextmanager
def journal(folder: Path, step: int) -> Iterator[Write]:
    """Opens the log of a run that goes on behind `step` (0: begins). What a lost stretch of it had logged is taken out.

    Raises:
        OSError: the disk is full.
    """
    path = folder / JOURNAL_FILE
    entries = read_journal(folder)
    kept = [entry for entry in entries if step and _step(entry) <= step]
    if not kept or len(kept) < len(entries):
        path.write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="utf-8")
    with path.open("a", encoding="utf-8") as stream:

        def write(entry: Mapping[str, object]) -> None:
            stream.write(json.dumps(entry) + "\n")
            stream.flush()

        yield write


def read_journal(folder: Path) -> list[dict[str, object]]:
    """All whole lines of a run's log; none where there is no log."""
    try:
        lines = (folder / JOURNAL_FILE).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:  # the line during which the disk was full
            continue
        if isinstance(entry, dict):
            found.append(entry)
    return found


def _step(entry: Mapping[str, object]) -> int:
    step = entry.get("step")
    return step if isinstance(step, int) else 0
