from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from engine.training import command
from engine.training.checkpoint import read_model
from engine.training.config import preset
from tests.engine.training.small import write_corpus

APP = typer.Typer()
APP.command()(command.train)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def call(*words: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(APP, [str(word) for word in words])
    return result.exit_code, result.output


def test_a_preset_trains_a_model(data: Path, tmp_path: Path) -> None:
    status, output = call("--preset", "tiny", "--data", data, "--out", tmp_path, "--steps", "3")
    assert status == 0, output
    assert "3 steps" in output
    assert read_model(tmp_path)[1].name == "redraft-tiny"


def test_a_config_file_trains_a_model(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    config.write_text(f'preset = "tiny"\nname = "mine"\ndata = "{data.as_posix()}"\nsteps = 2\n', encoding="utf-8")
    status, output = call(config, "--out", tmp_path / "out")
    assert status == 0, output
    assert read_model(tmp_path / "out")[1].name == "mine"


def test_a_model_goes_on_with_the_users_text(data: Path, tmp_path: Path) -> None:
    assert call("--preset", "tiny", "--data", data, "--out", tmp_path / "a", "--steps", "3")[0] == 0
    status, output = call(
        data, "--preset", "tiny", "--from", tmp_path / "a", "--out", tmp_path / "b", "--steps", "2"
    )  # fmt: skip
    assert status == 0, output
    assert read_model(tmp_path / "b")[1].name == "redraft-tiny"


def test_going_on_without_a_preset_is_short_and_gentle(data: Path) -> None:
    config, folder = command._wishes(data, None, {}, "redraft-mini")
    assert folder is not None
    assert (config.name, config.minutes, config.samples, config.python) == ("redraft-mini", 20.0, 20_000, False)
    assert config.rate < preset("cpu").rate
    by_steps, _ = command._wishes(data, None, {"steps": 5}, "redraft-mini")
    assert (by_steps.minutes, by_steps.steps) == (None, 5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_with_a_checkpoint_that_resumes(
    data: Path, tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.training import progress
    from engine.training.run import Report

    def interrupting(stream):
        def tell(news) -> None:
            if isinstance(news, Report) and news.progress.step == 2:
                os.kill(os.getpid(), number)

        return tell

    before = signal.getsignal(number)
    with monkeypatch.context() as patch:
        patch.setattr(progress, "_lines", interrupting)
        status, output = call("--preset", "tiny", "--data", data, "--out", tmp_path, "--steps", "500")
    assert status == 0, output
    assert "(2 steps" in output or "(3 steps" in output
    assert signal.getsignal(number) == before
    assert threading.active_count() == 1
    status, output = call("--preset", "tiny", "--data", data, "--out", tmp_path, "--steps", "5", "--resume")
    assert status == 0, output
    assert "(5 steps" in output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--preset", "huge"), "no preset 'huge'"),
        (("--preset", "tiny", "--data", "no/such/folder"), "does not exist"),
        (("missing.toml",), "cannot be read"),
        (("--from", "no-such-model"), "no model"),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    status, output = call(*words, "--out", tmp_path)
    assert status == 2
    assert sentence in output
    assert "Traceback" not in output
