from __future__ import annotations

import pytest

from engine.tokenization import Tokenizer
from engine.training.judging import LINE_CAPACITY, LineShares, chance, judge_lines, judge_words
from engine.training.questions import MissingLine, WrongWord, missing_lines, wrong_words
from tests.engine.training.small import documents, small_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return small_tokenizer()


@pytest.fixture(scope="module")
def lines() -> list[MissingLine]:
    return missing_lines(documents(), 20, 0)


def test_perfect_answers_score_one(lines: list[MissingLine], tokenizer: Tokenizer) -> None:
    assert judge_lines(lines, tokenizer, lambda question, capacity: question.line) == LineShares(1.0, 1.0, 1.0)


def test_broken_answers_score_nothing(lines: list[MissingLine], tokenizer: Tokenizer) -> None:
    assert judge_lines(lines, tokenizer, lambda question, capacity: "((") == LineShares(0.0, 0.0, 0.0)


def test_the_second_answer_has_twice_the_capacity(lines: list[MissingLine], tokenizer: Tokenizer) -> None:
    asked: list[int] = []

    def answer(question: MissingLine, capacity: int) -> str:
        asked.append(capacity)
        return question.line

    judge_lines(lines[:1], tokenizer, answer)
    assert asked == [LINE_CAPACITY, 2 * len(tokenizer.encode(lines[0].line))]


def word_scores(question: WrongWord, number: int) -> list[tuple[int, int, float]]:
    """Word `number` is the least likely, the others the likelier the later."""
    return [
        (start, end, -100.0 if index == number else -50.0 + index) for index, (start, end) in enumerate(question.words)
    ]


def test_a_wrong_word_is_found_where_its_token_is_among_the_least_likely() -> None:
    questions = wrong_words(documents(), 10, 0)
    assert judge_words(questions, lambda question: word_scores(question, question.wrong)) == 1.0
    late = [question for question in questions if question.wrong > 5]
    assert late
    assert judge_words(late, lambda question: word_scores(question, 0)) == 0.0


def test_chance_is_five_in_so_many_words() -> None:
    question = WrongWord("", 0, 0, tuple((number, number + 1) for number in range(20)), 3)
    assert chance([question]) == 0.25
    assert chance([]) == 0.0
