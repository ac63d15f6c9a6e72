from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from engine.errors import TrainingError
from engine.training import command
from engine.training.account import Report
from engine.training.checkpoint import read_model
from engine.training.config import preset
from engine.training.crew import crew, crew_size
from engine.training.journal import read_journal
from engine.training.run import Call, train
from tests.engine.training.small import tiny_config, write_corpus

APP = typer.Typer()
APP.command()(command.train)
NAMES = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_PORT")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def write_names(folder: Path) -> None:
    """Another process's part: leaves a file with its place in the group."""
    folder.joinpath(os.environ["RANK"]).write_text(" ".join(os.environ[name] for name in NAMES), encoding="utf-8")


def fail(status: int) -> None:
    os._exit(status)


@pytest.mark.usefixtures("two_cores")
def test_a_run_on_two_cores_has_two_processes_and_learns_as_one_does(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    lines = ('preset = "tiny"', f'data = "{data.as_posix()}"', "steps = 6", "log_steps = 1", "workers = 0")
    config.write_text("\n".join(lines), encoding="utf-8")
    result = CliRunner().invoke(APP, [str(config), "--out", str(tmp_path / "two")])
    assert result.exit_code == 0, result.output
    assert result.output.count("The model is in") == 1
    assert read_model(tmp_path / "two")[1].training["processes"] == 2
    heard: list[Report | str] = []
    train(tiny_config(data, steps=6, log_steps=1, accumulate=2), tmp_path / "one", heard.append, Call())
    losses = [[entry["loss"] for entry in read_journal(tmp_path / name) if "loss" in entry] for name in ("one", "two")]
    assert len(losses[0]) == 6
    assert losses[1] == pytest.approx(losses[0], rel=2e-3)


@pytest.mark.usefixtures("two_cores")
def test_only_an_open_number_of_workers_on_a_cpu_becomes_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(preset("cpu"), device="cpu", workers=0)
    assert crew_size(config) == 2
    assert crew_size(replace(config, workers=3)) == 1
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert crew_size(config) == 8
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert crew_size(config) == 1
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert crew_size(config) == 1


def test_each_knows_its_place_and_this_one_forgets_its_own(tmp_path: Path) -> None:
    before = dict(os.environ)
    with crew(2, write_names, tmp_path):
        here = [os.environ[name] for name in NAMES]
    assert dict(os.environ) == before
    assert here[:4] == ["0", "0", "2", "2"]
    assert (tmp_path / "1").read_text(encoding="utf-8").split() == ["1", "1", "2", "2", here[4]]


def test_a_process_that_does_not_start_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.training.crew._begin", _dies)
    with pytest.raises(TrainingError, match="could not be started"), crew(2, fail, 3):
        pytest.fail("the run began")


def _dies(*_arguments: object) -> None:
    sys.exit(7)
