from __future__ import annotations

import json
import os
import re
import signal
import threading
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from engine.errors import TrainingError
from engine.models.registry import find
from engine.training import command
from engine.training.checkpoint import read_model
from engine.training.config import TrainConfig, preset
from tests.engine.training.small import prose, write_corpus

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
    assert read_model(tmp_path / "b")[1].name == f"redraft-tiny-{data.name}"


def test_going_on_without_a_preset_is_short_and_gentle(data: Path) -> None:
    wish = command._wishes([data], None, {"name": "mine"}, "redraft-mini", None)
    config = wish.config
    assert wish.origin is not None
    assert (config.name, config.minutes, config.samples, config.python) == ("mine", 20.0, 20_000, False)
    assert (config.own, config.data) == ((data.resolve(),), None)
    assert config.rate < preset("cpu").rate
    by_steps = command._wishes([data], None, {"steps": 5}, "redraft-mini", None).config
    assert (by_steps.minutes, by_steps.steps) == (None, 5)


def going_on(folder: Path, text: str, *texts: Path) -> TrainConfig:
    """What going on with the bundled model makes of a config file."""
    (folder / "own.toml").write_text(text, encoding="utf-8")
    return command._wishes([folder / "own.toml", *texts], None, {}, "redraft-mini", None).config


def test_going_on_takes_gentle_rates_that_come_down_over_all_of_the_rest(data: Path, tmp_path: Path) -> None:
    base = preset("cpu")
    for config, share in (
        (going_on(tmp_path, "", data), command._OWN_RATE),
        (going_on(tmp_path, f'data = "{data.as_posix()}"'), command._GOING_ON_RATE),
    ):
        assert config.matrix_rate == pytest.approx(base.matrix_rate * share)
        assert config.rate == pytest.approx(base.rate * share)
        assert config.warmup + config.cooldown == 1.0
        assert 0 < config.warmup < 0.2


def test_what_a_config_says_of_rates_and_schedule_is_taken_as_it_is(data: Path, tmp_path: Path) -> None:
    config = going_on(tmp_path, "matrix_rate = 0.007\nwarmup = 0.3\nname = 'mine'", data)
    assert (config.matrix_rate, config.warmup, config.cooldown, config.name) == (0.007, 0.3, 0.7, "mine")
    assert config.rate == pytest.approx(preset("cpu").rate * command._OWN_RATE)
    config = going_on(tmp_path, "rate = 0.001\ncooldown = 0.95", data)
    assert (config.rate, config.cooldown) == (0.001, 0.95)
    assert config.warmup == pytest.approx(0.05)
    both = going_on(tmp_path, "warmup = 0.0\ncooldown = 0.5", data)
    assert (both.warmup, both.cooldown) == (0.0, 0.5)


def test_an_own_model_cannot_take_a_bundled_ones_name(data: Path) -> None:
    with pytest.raises(TrainingError, match="another --name"):
        command._wishes([data], None, {"name": "redraft-mini"}, "redraft-mini", None)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_run_with_a_checkpoint_that_resumes(
    data: Path, tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.training import progress
    from engine.training.account import Report

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


@pytest.mark.parametrize(("number", "later"), [(signal.SIGINT, 0.2), (signal.SIGTERM, 9.0)])
def test_a_signal_that_comes_on_two_ways_is_one_wish_to_stop(
    number: signal.Signals, later: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([5.0, 5.0 + later])
    monkeypatch.setattr("engine.training.command.time", SimpleNamespace(monotonic=lambda: next(ticks)))
    with command._stop_signals(once=True) as stopped:
        assert not stopped()
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)
        assert stopped()


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_a_terminal_that_closes_is_a_wish_to_stop_but_not_under_nohup() -> None:
    before = signal.getsignal(signal.SIGHUP)
    try:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        with command._stop_signals(once=True) as stopped:
            os.kill(os.getpid(), signal.SIGHUP)
            assert stopped()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with command._stop_signals(once=True) as stopped:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stopped()
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("once", [True, False])
def test_a_second_interrupt_ends_a_run_at_once_unless_there_are_several_processes(
    once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([5.0, 9.0])
    monkeypatch.setattr("engine.training.command.time", SimpleNamespace(monotonic=lambda: next(ticks)))
    with (
        pytest.raises(KeyboardInterrupt) if once else nullcontext(),
        command._stop_signals(once=once) as stopped,
    ):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert stopped()
        assert not once


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--preset", "huge"), "no preset 'huge'"),
        (("--preset", "tiny", "--data", "no/such/folder"), "does not exist"),
        (("missing.toml",), "cannot be read"),
        (("--from", "no-such-model"), "no model"),
        (("--preset", "tiny", "--data", "no/such/folder", "--resume"), "no training checkpoint"),
        ((), "what to train on"),
        (("--minutes", "1"), "what to train on"),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    status, output = call(*words, "--out", tmp_path)
    assert status == 2
    assert sentence in output
    assert "Traceback" not in output


def test_own_files_make_a_model_that_is_known_by_name_with_a_report(data: Path, tmp_path: Path) -> None:
    first = tmp_path / "a"
    assert call("--preset", "tiny", "--data", data, "--out", first, "--steps", "3")[0] == 0
    novel, letters = tmp_path / "My Novel.txt", tmp_path / "letters"
    novel.write_text("\n".join(prose(number) for number in range(30)), encoding="utf-8")
    letters.mkdir()
    (letters / "one.md").write_text("\n".join(prose(number) for number in range(50, 60)), encoding="utf-8")
    words = (novel, letters, "--from", first, "--preset", "tiny", "--steps", "4")
    status, output = call(*words)
    assert status == 0, output
    name = "redraft-tiny-my-novel"
    assert f"--model {name}" in output
    assert "Bits per byte of held-out text" in output
    folder = find(name)
    assert read_model(folder)[1].name == name
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert [entry["kind"] for entry in report["measures"]] == ["text", "text"]
    assert all(entry["before"] > 0 and entry["after"] > 0 for entry in report["measures"])
    status, output = call(*words)
    assert status == 2
    assert "--name, or --resume" in output


@pytest.mark.parametrize("name", ["none.json", "broken.json"])
def test_a_tokenizer_that_cannot_be_read_is_a_sentence(data: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    config = tmp_path / "mine.toml"
    config.write_text(f'preset = "tiny"\ndata = "{data.as_posix()}"\ntokenizer = "{name}"\n', encoding="utf-8")
    status, output = call(config, "--out", tmp_path / "out")
    assert status == 2
    assert "json" in output


@pytest.mark.parametrize("more", [(), ("--pack-only",)])
def test_a_model_is_not_trained_over(data: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    words = ("--preset", "tiny", "--data", data, "--out", tmp_path, "--steps", "2")
    assert call(*words)[0] == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    status, output = call(*words, *more)
    assert status == 2
    assert "--resume" in output
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_run_by_calls_goes_on_after_a_crash_between_two_checkpoints(data: Path, tmp_path: Path) -> None:
    words = ("--preset", "tiny", "--data", data, "--out", tmp_path, "--steps", "4", "--call-minutes", "9")
    assert call(*words)[0] == 0
    (tmp_path / "state").rename(tmp_path / "state.old")
    status, output = call(*words[:-3], "6", *words[-2:])
    assert status == 0, output
    assert "(6 steps" in output


def test_a_run_goes_on_call_by_call_with_one_command(data: Path, tmp_path: Path) -> None:
    words = ("--preset", "tiny", "--data", data, "--out", tmp_path, "--steps", "400", "--call-minutes", "0.01")
    status, output = call(*words)
    assert status == 0, output
    first = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["training"]["steps"]
    assert call(*words)[0] == 0
    second = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["training"]["steps"]
    assert 0 < first < second < 400


def test_packing_alone_makes_the_samples_that_a_later_call_trains_on(data: Path, tmp_path: Path) -> None:
    words = ("--preset", "tiny", "--data", data, "--out", tmp_path, "--steps", "2")
    status, output = call(*words, "--pack-only")
    assert status == 0, output
    assert re.search(r"^Packed [\d.]+ MB of text in [\d.]+ s \([\d.]+ MB/s\)$", output, re.MULTILINE)
    assert not (tmp_path / "model.safetensors").exists()
    before = (tmp_path / "samples" / "samples.bin").stat().st_mtime_ns
    assert call(*words)[0] == 0
    assert (tmp_path / "samples" / "samples.bin").stat().st_mtime_ns == before


def test_a_model_of_another_make_is_refused(data: Path, tmp_path: Path) -> None:
    assert call("--preset", "tiny", "--data", data, "--out", tmp_path / "other", "--steps", "1")[0] == 0
    description = tmp_path / "other" / "config.json"
    entry = json.loads(description.read_text(encoding="utf-8")) | {"tie_embeddings": False}
    description.write_text(json.dumps(entry), encoding="utf-8")
    novel = tmp_path / "novel.txt"
    novel.write_text(prose(1) * 9, encoding="utf-8")
    status, output = call(novel, "--from", tmp_path / "other", "--steps", "1", "--out", tmp_path / "out")
    assert status == 2
    assert "not made by this trainer" in output
