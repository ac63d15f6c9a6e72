"""`redraft score`: figures that are right, words in order, errors in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main
from engine.cli.scoring import least_likely_words
from engine.types import TokenScore
from tests.engine.tiny import write_checkpoint


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_checkpoint(tmp_path_factory.mktemp("checkpoint")))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_bytes("The naïve cat.\r\nThe dog.\r\n".encode())
    return path


def run(*arguments: str | Path) -> int:
    return main(["score", *map(str, arguments), "--device", "cpu", "--dtype", "float32", "--threads", "1"])


def test_json_covers_the_file_and_agrees_with_its_bits(
    file: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file, "--model", model, "--json") == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    text = file.read_bytes().decode()
    assert result["tokens"][0]["start"] == 0
    assert result["tokens"][-1]["end"] == len(text)
    bits = -sum(token["logprob"] for token in result["tokens"]) / 0.6931471805599453
    assert result["bits_per_byte"] == pytest.approx(bits / len(text.replace("\r\n", "\n").encode()))


def test_a_span_is_bounded_over_orders(file: Path, model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(file, "--model", model, "--span", "4:9", "--orders", "4", "--json") == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["importance_weighted"] > 0
    assert result["nelbo"] > 0
    assert run(file, "--model", model, "--span", "4:9", "--orders", "4") == 0
    assert "over 4 random orders at most" in capsys.readouterr().out
    assert run(file, "--model", model, "--orders", "4") != 0
    assert "need a span" in capsys.readouterr().err


def test_the_least_likely_words_are_printed_with_their_place(
    file: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file, "--model", model, "--words", "3") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "bits per byte" in lines[0]
    assert len(lines) == 4
    assert all(line.split("\t")[2] in {"The", "naïve", "cat", ".", "dog"} for line in lines[1:])


def test_a_words_surprise_is_the_sum_of_its_tokens() -> None:
    tokens = [TokenScore(0, 2, -1.0), TokenScore(2, 3, -2.0), TokenScore(3, 7, -0.5)]
    assert least_likely_words("one two", tokens) == [(0, 3.0), (4, 0.5)]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--span", "3:3"), "empty"),
        (("--span", "0:999"), "outside"),
        (("--span", "x"), "START:END"),
        (("--model", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_scored_is_said_in_a_sentence(
    file: Path, model: str, arguments: tuple[str, ...], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(file, *(() if "--model" in arguments else ("--model", model)), *arguments) == 2
    assert word in capsys.readouterr().err
