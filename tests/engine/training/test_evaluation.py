from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.config import read_config
from engine.session import EngineSession
from engine.tokenization import Tokenizer
from engine.training import evaluation
from engine.training.evaluation import answerer, count_ngrams, evaluate, judge_lines
from engine.training.packing import PackingRules
from engine.training.questions import MissingLine, missing_lines
from engine.types import ModelChoice
from tests.engine.training.small import documents, small_tokenizer, write_corpus
from tests.engine.training.test_run import losses_of


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    losses_of(write_corpus(tmp_path_factory.mktemp("corpus")), folder, 2)
    return folder


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return small_tokenizer()


@pytest.fixture(scope="module")
def lines() -> list[MissingLine]:
    return missing_lines(documents(), 20, 0)


def test_perfect_answers_score_one(lines: list[MissingLine], tokenizer: Tokenizer) -> None:
    found = judge_lines(lines, tokenizer, lambda question, capacity: question.line)
    assert found == {"exact": 1.0, "parses": 1.0, "length_within_20_percent": 1.0, "count": 20}


def test_broken_answers_score_nothing(lines: list[MissingLine], tokenizer: Tokenizer) -> None:
    found = judge_lines(lines, tokenizer, lambda question, capacity: "((")
    assert (found["exact"], found["parses"], found["length_within_20_percent"]) == (0.0, 0.0, 0.0)


def test_the_second_answer_has_twice_the_capacity(lines: list[MissingLine], tokenizer: Tokenizer) -> None:
    asked: list[int] = []

    def answer(question: MissingLine, capacity: int) -> str:
        asked.append(capacity)
        return question.line

    judge_lines(lines[:1], tokenizer, answer)
    assert asked == [evaluation.LINE_CAPACITY, 2 * len(tokenizer.encode(lines[0].line))]


def test_answers_come_from_the_engine_and_keep_to_the_capacity(model: Path, lines: list[MissingLine]) -> None:
    session = EngineSession(ModelChoice(name=str(model), device="cpu", dtype="float32", threads=1))
    try:
        first, again = (answerer(session, 0.0)(lines[0], 6) for _ in range(2))
    finally:
        session.close()
    assert first == again
    assert len(first.encode()) <= 6 * 24


def test_every_measure_is_reported_and_a_rerun_gives_the_same(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = PackingRules(windows=((64, 1.0),), tasks=evaluation.RULES.tasks, context_length=256)
    monkeypatch.setattr(evaluation, "RULES", rules)
    monkeypatch.setattr(evaluation, "LINE_CAPACITY", 8)
    made = documents(8)
    found = evaluate(model, made, samples=6, questions=2)
    assert not any("kneser_ney" in name for name in found)
    assert found == evaluate(model, made, samples=6, questions=2)
    for name in ("prose", "python"):
        for alpha_0 in (0, 1):
            bits = found[f"{name}_bits_per_byte_alpha_0_{alpha_0}"]
            assert isinstance(bits, float)
            assert 1.0 < bits < 20.0
    assert {"lines_alpha_0_0", "lines_alpha_0_1", "wrong_word"} <= set(found)


def test_a_yardstick_that_has_seen_the_text_needs_fewer_bits_than_the_model(
    model: Path, tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = PackingRules(windows=((64, 1.0),), tasks=evaluation.RULES.tasks, context_length=256)
    monkeypatch.setattr(evaluation, "RULES", rules)
    config = read_config(model)
    ngrams = count_ngrams(documents(8), Tokenizer.load(model, config.tokenizer_entry()))
    found = evaluate(model, documents(8), samples=6, questions=1, yardstick=ngrams)
    for name in ("prose", "python"):
        yardstick, bits = found[f"{name}_bits_per_byte_kneser_ney"], found[f"{name}_bits_per_byte_alpha_0_0"]
        assert isinstance(yardstick, float)
        assert isinstance(bits, float)
        assert 0.0 < yardstick < bits


def test_missing_data_is_one_sentence(tmp_path: Path) -> None:
    import typer

    app = typer.Typer()
    app.command()(evaluation.main)
    result = CliRunner().invoke(app, ["--data", str(tmp_path / "none"), "--model", "redraft-mini"])
    assert result.exit_code == 2
    assert "does not exist" in result.output
