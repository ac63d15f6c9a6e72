from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import TrainingError
from engine.training.journal import JOURNAL_FILE, journal, read_journal
from engine.training.plot import PLOT_FILE, draw_losses


def logged(folder: Path, steps: range, begins_behind: int = 0) -> None:
    with journal(folder, begins_behind) as write:
        for step in steps:
            write({"step": step, "loss": 5 - step / 10, "context_loss": 6 - step / 10})


def test_a_new_run_begins_a_new_log(tmp_path: Path) -> None:
    logged(tmp_path, range(1, 4))
    logged(tmp_path, range(1, 3))
    assert [entry["step"] for entry in read_journal(tmp_path)] == [1, 2]


def test_a_resumed_run_takes_back_what_was_logged_behind_its_checkpoint(tmp_path: Path) -> None:
    logged(tmp_path, range(1, 9))
    with (tmp_path / JOURNAL_FILE).open("a", encoding="utf-8") as stream:
        stream.write('{"step": 9, "lo')
    logged(tmp_path, range(6, 8), begins_behind=5)
    assert [entry["step"] for entry in read_journal(tmp_path)] == [1, 2, 3, 4, 5, 6, 7]


def test_the_losses_are_drawn_as_a_png(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    logged(tmp_path, range(1, 9))
    with journal(tmp_path, 8) as write:
        write({"step": 8, "held_out": {"prose_alpha_0": 2.0, "prose_alpha_1": 2.2}})
    assert draw_losses(tmp_path) == tmp_path / PLOT_FILE
    assert (tmp_path / PLOT_FILE).read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_a_sentence_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(TrainingError, match="needs matplotlib"):
        draw_losses(tmp_path)
