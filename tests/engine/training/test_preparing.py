from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import TrainingError
from engine.training.config import OBJECTIVES
from engine.training.preparing import Preparation, prepare
from engine.training.run import train
from engine.training.samples import SampleStore
from tests.engine.training.small import tiny_config, write_corpus


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.training.cutting._BATCH", 20)


def packed(data: Path, out: Path, told: list[str], **changes: object) -> int:
    prepare(Preparation(tiny_config(data, samples=600, **changes), out, told.append))
    return len(SampleStore(out / "samples"))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_run_of_few_steps_packs_no_more_than_it_takes_and_never_too_little(
    data: Path, tmp_path: Path, objective: str
) -> None:
    config = tiny_config(data, samples=600, steps=3, objective=objective)
    progress = train(config, tmp_path, lambda news: None)
    assert (progress.step, progress.round) == (3, 0)
    assert len(SampleStore(tmp_path / "samples")) < 200


def test_a_run_that_ends_by_the_clock_packs_all_its_samples(data: Path, tmp_path: Path) -> None:
    told: list[str] = []
    assert packed(data, tmp_path, told, steps=None, minutes=1.0) > 500
    assert any(line.startswith("Packing 600 samples from") for line in told)


def test_samples_of_a_shorter_run_are_packed_anew_for_a_longer_one(data: Path, tmp_path: Path) -> None:
    told: list[str] = []
    few = packed(data, tmp_path, told, steps=1)
    assert any("what 1 step(s) can use, at most 600 samples," in line for line in told)
    told.clear()
    assert packed(data, tmp_path, told, steps=1) == few
    assert told == []
    assert packed(data, tmp_path, told, steps=9) > few


def test_files_that_are_no_text_are_named_when_a_corpus_is_read(tmp_path: Path) -> None:
    data = write_corpus(tmp_path / "corpus")
    told: list[str] = []
    (data / "scan.txt").write_bytes(b"\x89PNG\0" * 50)
    packed(data, tmp_path / "out", told, steps=1)
    assert "1 file(s) are no text and were left out, scan.txt among them." in told


def test_a_tokenizer_that_is_no_text_says_so(data: Path, tmp_path: Path) -> None:
    (tmp_path / "binary.json").write_bytes(bytes(range(256)))
    with pytest.raises(TrainingError, match="is no text"):
        packed(data, tmp_path / "out", [], tokenizer=tmp_path / "binary.json")
