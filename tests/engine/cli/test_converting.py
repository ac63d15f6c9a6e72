"""`redraft models convert` from the outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main
from tests.engine.models.published import small_network, trained_tokenizer, write_ckpt, write_hugging_face


def test_a_converted_checkpoint_fills_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_ckpt(tmp_path / "small.ckpt", small_network(), tokenizer=trained_tokenizer())
    assert main(["models", "convert", str(source), "--out", str(tmp_path / "small")]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "small")
    text = tmp_path / "text.txt"
    text.write_text("the man in the van", encoding="utf-8")
    options = ["--span", "4:7", "--model", str(tmp_path / "small"), "--device", "cpu", "--threads", "1", "--json"]
    assert main(["fill", str(text), *options]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["model"] == "small"


def test_what_cannot_be_converted_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "convert", str(tmp_path / "none.ckpt")]) == 2
    assert main(["models", "convert", str(write_hugging_face(tmp_path / "hub", small_network()))]) == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert "There is no file" in answer.err
    assert "--alpha0" in answer.err
    assert "Traceback" not in answer.err


def test_models_alone_lists_them_still(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    assert "models" in json.loads(capsys.readouterr().out.splitlines()[-1])
