from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main
from engine.training import evaluation, judging
from engine.training.packing import PackingRules
from tests.engine.tiny import write_checkpoint
from tests.engine.training.small import prose, write_corpus
from tests.engine.training.test_run import losses_of


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def model(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    losses_of(corpus, folder, 2)
    return folder


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    lines = [
        {"prefix": "in the ", "middle": "end", "suffix": " of | it", "id": "a"},
        {"prefix": "", "middle": "x", "suffix": ""},
    ]
    (tmp_path / "set.jsonl").write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return tmp_path / "set.jsonl"


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held-out Python is what is installed here: a small part of it will do."""
    from engine.training import corpus

    monkeypatch.setattr(judging, "LINE_CAPACITY", 8)
    monkeypatch.setattr(corpus, "HELD_OUT_SHARE", 4)
    monkeypatch.setattr(corpus, "collect_held_out", lambda packages: [])
    monkeypatch.setattr(evaluation, "RULES", PackingRules(windows=((64, 1.0),), tasks=evaluation.RULES.tasks))


def test_the_table_of_held_out_text(model: Path, short: None, capsys: pytest.CaptureFixture[str]) -> None:
    """The corpus is the one that the run beside the model names."""
    options = ["--samples", "3", "--questions", "2", "--threads", "1", "--dtype", "float32"]
    assert main(["eval", str(model), *options]) == 0
    printed = capsys.readouterr()
    assert "5-gram Kneser-Ney" in printed.out
    assert "prose: bits per byte" in printed.out
    assert "Counting 5-grams" in printed.err
    assert main(["eval", str(model), *options, "--no-kneser-ney", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["bits"]["prose"]["alpha_0_0"] > 0
    assert main(["eval", str(model), *options, "--no-kneser-ney", "--markdown", "--goals", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("| goal |")
    assert f"{found['bits']['prose']['alpha_0_0']:.2f}" in lines[2]


def test_an_infilling_set_is_filled_row_by_row(model: Path, rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--data", str(rows), "--threads", "1", "--dtype", "float32", "--capacity", "4"]
    assert main(["eval", str(model), *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["summary"]["rows"] == 2
    assert [row["name"] for row in found["rows"]] == ["a", ""]
    assert all(row["bits_per_byte"] > 0 for row in found["rows"])
    assert main(["eval", str(model), *options]) == 0
    assert "set.jsonl: " in capsys.readouterr().out


def test_a_corpus_of_which_nothing_is_held_out_is_said_before_the_rest(
    model: Path, tmp_path: Path, short: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from engine.training import corpus

    monkeypatch.setattr(corpus, "HELD_OUT_SHARE", 10**9)
    (tmp_path / "one.txt").write_text(prose(1), encoding="utf-8")
    assert main(["eval", str(model), "--corpus", str(tmp_path), "--no-kneser-ney"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[1].endswith("was held out (one document in fifty is): only Python is measured.")
    assert "give a larger corpus" in lines[2]


def test_mistakes_are_one_sentence_and_status_2(tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = str(write_checkpoint(tmp_path / "model"))
    (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
    (tmp_path / "bad.jsonl").write_text('{"prefix": 1}', encoding="utf-8")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.txt").write_bytes(b"\x89PNG\0" * 50)
    (tmp_path / "pictures" / "b.png").write_bytes(b"\x89PNG\0" * 50)
    cases = [
        ([model], "--corpus"),
        ([model, "--corpus", str(tmp_path / "none")], "does not exist"),
        ([model, "--corpus", str(tmp_path / "pictures")], "no text to measure on"),
        (["no-such-model"], "no model"),
        (["no-such-model", "--data", str(rows)], "no model"),
        ([model, "--data", str(tmp_path / "empty.jsonl")], "is empty"),
        ([model, "--data", str(tmp_path / "bad.jsonl")], "Line 1"),
        ([model, "--data", str(rows), "--json", "--markdown"], "not both"),
    ]
    for words, sentence in cases:
        assert main(["eval", *words]) == 2, words
        printed = capsys.readouterr()
        assert sentence in printed.err
        assert printed.out == ""
        assert "Traceback" not in printed.err
