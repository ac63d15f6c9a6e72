"""That the presets' benchmark still runs, in miniature; no times are asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import PRESETS
from engine.training.questions import MissingLine
from tests.bench.bench_presets import measure
from tests.engine.tiny import load_tiny, write_checkpoint


@pytest.mark.bench
def test_every_preset_has_a_row(tmp_path: Path) -> None:
    adapter = load_tiny(write_checkpoint(tmp_path / "tiny"))
    rows = measure(adapter, [MissingLine("first = 1\nsecond = first + 1\nthird = 3\n", 10, 28)])
    assert [row["preset"] for row in rows] == [preset.name for preset in PRESETS]
    assert all(isinstance(row["passes"], float) and row["passes"] >= 1 for row in rows)
