"""`redraft doubt`: every word in the JSON, the doubtful ones in the list, errors in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main
from tests.engine.tiny import write_checkpoint

TEXT = "The naïve cat.\r\nThe dog and the end.\r\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_checkpoint(tmp_path_factory.mktemp("checkpoint")))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT.encode())
    return path


def run(*arguments: str | Path) -> int:
    return main(["doubt", *map(str, arguments), "--device", "cpu", "--dtype", "float32", "--threads", "1"])


def test_json_has_every_word_of_the_span(file, model, capsys):
    assert run(file, "--model", model, "--span", "16:38", "--json") == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [TEXT[word["start"] : word["end"]] for word in result["words"]] == ["The", "dog", "and", "the", "end"]
    assert result["model"] == "tiny"


def test_the_list_says_where_a_word_is_and_what_is_likelier(file, model, capsys):
    assert run(file, "--model", model, "--words", "2", "--candidates", "1") == 0
    lines = capsys.readouterr().out.splitlines()
    assert 1 <= len(lines) <= 2
    place, word, *likelier = lines[0].split("\t")
    row, column = map(int, place.split(":"))
    assert TEXT.splitlines()[row - 1][column - 1 :].startswith(word.split()[0])
    assert all(entry.endswith(" %") for entry in likelier)


def test_an_empty_span_is_refused_in_a_sentence(file, model, capsys):
    assert run(file, "--model", model, "--span", "3:3") == 2
    assert "is empty" in capsys.readouterr().err
