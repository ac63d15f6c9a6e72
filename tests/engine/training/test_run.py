from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from safetensors.torch import load_file

from engine.errors import EngineError, ModelError, TrainingError
from engine.models.registry import load
from engine.training.account import Report
from engine.training.bpe import train_bpe
from engine.training.journal import read_journal
from engine.training.run import Call, train
from engine.types import ModelChoice
from tests.engine.training.small import tiny_config, write_corpus


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def losses_of(
    data: Path, out: Path, steps: int, ema: float = 0.0, dtype: str = "float32", **options: object
) -> list[float]:
    """Runs so many steps and returns the losses of this call's steps."""
    reports: list[Report] = []
    config = tiny_config(data, steps=12, workers=2, ema=ema, dtype=dtype)
    call = Call(stopped=lambda: len(reports) >= steps, **options)  # type: ignore[arg-type]
    train(config, out, lambda news: reports.append(news) if isinstance(news, Report) else None, call)
    return [report.step.loss for report in reports]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_resumed_run_goes_on_exactly_as_if_it_had_never_stopped(data: Path, tmp_path: Path, dtype: str) -> None:
    whole = losses_of(data, tmp_path / "whole", 12, dtype=dtype)
    first = losses_of(data, tmp_path / "parts", 5, dtype=dtype)
    rest = losses_of(data, tmp_path / "parts", 12, dtype=dtype, resume=True)
    assert first + rest == whole
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("whole", "parts")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_the_loss_falls_and_the_engine_loads_what_was_trained(data: Path, tmp_path: Path) -> None:
    losses = losses_of(data, tmp_path, 12)
    assert losses[-1] < losses[0] - 0.5
    info = load(ModelChoice(name=str(tmp_path), device="cpu", dtype="float32", threads=1)).info
    assert (info.name, info.family, info.trained_alpha_0) == ("redraft-tiny", "esolm", (0.0, 1.0))
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert config["training"]["steps"] == 12
    assert config["special_tokens"]["pad"] == config["vocab_size"] - 1
    assert {"mask", "begin", "end", "empty", "pad"} == set(config["special_tokens"])


def test_a_model_whose_tokenizer_was_exchanged_is_refused(data: Path, tmp_path: Path) -> None:
    losses_of(data, tmp_path, 1)
    tokens = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    assert json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["text_tokens"] == len(tokens["vocab"])
    other = train_bpe(["Another text altogether. " * 20], 300)
    (tmp_path / "tokenizer.json").write_text(other.to_str(), encoding="utf-8")
    with pytest.raises(ModelError, match="trained with one of"):
        load(ModelChoice(name=str(tmp_path), device="cpu", dtype="float32", threads=1))


def test_the_log_has_a_line_for_logged_steps_and_one_for_the_end(data: Path, tmp_path: Path) -> None:
    losses_of(data, tmp_path, 12)
    lines = [json.loads(line) for line in (tmp_path / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["step"] for line in lines] == [0, 5, 10, 12]
    assert {"loss", "context_loss", "rows", "seconds", "rate"} <= set(lines[1])
    assert [set(lines[place]) for place in (0, -1)] == [{"step", "held_out"}] * 2


@pytest.fixture
def much_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.training.corpus.HELD_OUT_SHARE", 4)


def held_out_of(out: Path) -> dict[object, dict[str, float]]:
    """The log's rows of held-out text, by step."""
    return {
        entry["step"]: cast(dict[str, float], entry["held_out"]) for entry in read_journal(out) if "held_out" in entry
    }


def test_the_log_of_a_run_that_goes_on_from_a_model_begins_with_what_that_reached(
    data: Path, tmp_path: Path, much_held_out: None
) -> None:
    losses_of(data, tmp_path / "first", 12)
    losses_of(data, tmp_path / "second", 2, source=tmp_path / "first")
    losses_of(data, tmp_path / "second", 12, source=tmp_path / "first", resume=True)
    rows = held_out_of(tmp_path / "second")
    assert list(rows) == [0, 2, 12]
    assert set(rows[0]) == {"prose_alpha_0", "prose_alpha_1"}
    assert rows[0] == pytest.approx(held_out_of(tmp_path / "first")[12], abs=0.02)


def test_what_the_first_measure_takes_is_no_time_of_training(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def measure(*_args: object) -> dict[str, float]:
        now[0] += 1000.0
        return {}

    monkeypatch.setattr("engine.training.run._held_out", measure)
    progress = train(tiny_config(data, steps=2, minutes=1.0), tmp_path, lambda news: None, Call(clock=lambda: now[0]))
    assert (progress.step, progress.seconds) == (2, 0.0)


def test_a_run_with_averages_writes_and_measures_them_and_resumes_exactly(
    data: Path, tmp_path: Path, much_held_out: None
) -> None:
    whole = losses_of(data, tmp_path / "whole", 12, ema=0.8)
    losses_of(data, tmp_path / "parts", 5, ema=0.8)
    losses_of(data, tmp_path / "parts", 12, ema=0.8, resume=True)
    plain = losses_of(data, tmp_path / "plain", 12)
    assert whole == plain
    whole_weights, parts, plain_weights = (
        load_file(tmp_path / name / "model.safetensors") for name in ("whole", "parts", "plain")
    )
    state = load_file(tmp_path / "whole" / "state" / "state.safetensors")
    for name, value in whole_weights.items():
        assert torch.equal(value, parts[name]), name
        if f"average/{name}" in state:
            assert torch.equal(value, state[f"average/{name}"].bfloat16()), name
            assert torch.equal(plain_weights[name], state[f"master/{name}"].bfloat16()), name
    assert held_out_of(tmp_path / "whole")[12] == held_out_of(tmp_path / "parts")[12]
    assert held_out_of(tmp_path / "whole")[12] != held_out_of(tmp_path / "plain")[12]
    assert held_out_of(tmp_path / "whole")[0] == held_out_of(tmp_path / "plain")[0]


def test_a_run_ends_by_the_clock(data: Path, tmp_path: Path) -> None:
    ticks = count(step=6.0)
    progress = train(
        tiny_config(data, steps=None, minutes=1.0), tmp_path, lambda news: None, Call(clock=lambda: next(ticks))
    )
    assert 1 <= progress.step <= 10
    assert progress.seconds >= 60


def test_going_on_from_a_model_keeps_its_tokenizer_and_starts_where_it_was(data: Path, tmp_path: Path) -> None:
    losses = losses_of(data, tmp_path / "first", 12)
    more = losses_of(data, tmp_path / "second", 3, source=tmp_path / "first")
    names = ("first", "second")
    texts = [(tmp_path / name / "tokenizer.json").read_text(encoding="utf-8") for name in names]
    assert texts[0] == texts[1]
    assert more[0] < losses[0] - 0.5


def test_resuming_without_a_checkpoint_says_so(data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no training checkpoint"):
        losses_of(data, tmp_path, 2, resume=True)


def test_a_damaged_checkpoint_says_so(data: Path, tmp_path: Path) -> None:
    losses_of(data, tmp_path, 2)
    path = tmp_path / "state" / "state.safetensors"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(TrainingError, match="damaged"):
        losses_of(data, tmp_path, 4, resume=True)


def test_a_run_whose_samples_are_gone_resumes_with_its_own_tokenizer(tmp_path: Path) -> None:
    data, out = write_corpus(tmp_path / "corpus"), tmp_path / "out"
    losses_of(data, out, 2)
    before = (out / "tokenizer.json").read_bytes()
    shutil.rmtree(out / "samples")
    (data / "more.txt").write_text("Quite other words, zigzag quartz jukebox, stand here. " * 400, encoding="utf-8")
    losses_of(data, out, 4, resume=True)
    assert (out / "tokenizer.json").read_bytes() == before


def test_a_damaged_model_to_go_on_from_shows_before_anything_is_packed(data: Path, tmp_path: Path) -> None:
    losses_of(data, tmp_path / "first", 2)
    weights = tmp_path / "first" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(EngineError):
        losses_of(data, tmp_path / "second", 2, source=tmp_path / "first")
    assert not (tmp_path / "second").exists()


def test_a_checkpoint_of_another_run_says_so(data: Path, tmp_path: Path) -> None:
    losses_of(data, tmp_path, 2)
    with pytest.raises(TrainingError, match="another config"):
        train(tiny_config(data, rate=0.5, workers=2), tmp_path, lambda news: None, Call(resume=True))


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match="no text to train on"):
        train(tiny_config(tmp_path / "empty"), tmp_path / "out", lambda news: None)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_checkpoint(data: Path, tmp_path: Path) -> None:
    losses_of(data, tmp_path, 2)
    before = (tmp_path / "model.safetensors").read_bytes()
    with pytest.raises(TrainingError, match="no number"):
        train(tiny_config(data, rate=1e6, matrix_rate=1e30, warmup=0.0), tmp_path, lambda news: None)
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_a_stop_while_the_samples_are_packed_trains_nothing_and_says_so(data: Path, tmp_path: Path) -> None:
    told: list[Report | str] = []
    call = Call(stopped=lambda: any("Packing" in str(news) for news in told))
    with pytest.raises(TrainingError, match="Stopped before training began"):
        train(tiny_config(data), tmp_path, told.append, call)
    assert not (tmp_path / "samples" / "about.json").exists()


def full(*_args: object, **_options: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("place", ["samples.np.save", "preparing.train_bpe", "journal.json.dumps"])
def test_a_full_disk_is_a_sentence_wherever_it_shows(
    data: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, name = place.partition(".")
    target = getattr(__import__(f"engine.training.{module}", fromlist=["x"]), name.split(".")[0])
    if "." in name:
        stand_in = SimpleNamespace(**{entry: getattr(target, entry) for entry in dir(target)})
        setattr(stand_in, name.split(".")[1], full)
        monkeypatch.setattr(f"engine.training.{module}.{name.split('.')[0]}", stand_in)
    else:
        monkeypatch.setattr(f"engine.training.{place}", full)
    with pytest.raises(TrainingError, match="No space left"):
        train(tiny_config(data), tmp_path, lambda news: None)


def test_a_full_disk_at_a_checkpoint_leaves_the_older_one_to_resume_from(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = losses_of(data, tmp_path, 4)
    with monkeypatch.context() as patch:
        patch.setattr("engine.training.checkpoint.save_file", full)
        with pytest.raises(
            TrainingError, match=r"No space left.* is whole: make room, and go on from it with --resume"
        ):
            losses_of(data, tmp_path, 8, resume=True)
    again = losses_of(data, tmp_path, 8, resume=True)
    assert len(first) == 4
    assert len(again) == 8
    assert not list(tmp_path.glob("*.new"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_loses_nothing(data: Path, tmp_path: Path, number: signal.Signals) -> None:
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); from engine.cli import main; "
        "sys.exit(main(sys.argv[1:]))"
    )
    words = ["train", "--preset", "tiny", "--data", str(data), "--out", str(tmp_path), "--steps", "100000"]
    root = Path(__file__).parents[3]
    child = subprocess.Popen(
        [sys.executable, "-c", code, *words], cwd=root, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stderr is not None
    assert any("loss" in line for line in iter(child.stderr.readline, ""))
    child.send_signal(number)
    output, errors = child.communicate(timeout=600)
    assert child.returncode == 0, errors
    assert "The model is in" in output
    assert "Traceback" not in errors
    done = json.loads((tmp_path / "state" / "state.json").read_text(encoding="utf-8"))["progress"]["step"]
    assert json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))["training"]["steps"] == done > 0


def test_a_run_without_memory_says_what_to_change(data: Path, tmp_path: Path) -> None:
    def say(news: Report | str) -> None:
        if isinstance(news, Report):
            torch.empty(1 << 47, dtype=torch.uint8)

    with pytest.raises(TrainingError, match="rows_per_batch"):
        train(tiny_config(data), tmp_path, say)


def test_a_run_stopped_while_its_corpus_is_read_learns_no_tokenizer(data: Path, tmp_path: Path) -> None:
    told: list[Report | str] = []
    with pytest.raises(TrainingError, match="Stopped before training began"):
        train(tiny_config(data), tmp_path, told.append, Call(stopped=lambda: True))
    assert told == ["Reading the corpus"]
