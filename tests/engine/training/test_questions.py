from __future__ import annotations

import ast

from engine.training.documents import Document
from engine.training.questions import missing_lines, wrong_words
from tests.engine.training.small import code, documents, prose

MODULE = '''"""A module
about = nothing
"""
import os  # noqa

# a comment = of some length
TEXT = """
line = inside(a, string)
"""

def function(argument):
    return argument + 1
'''


def test_missing_lines_are_code_without_comments_and_strings() -> None:
    lines = missing_lines([Document("python", "made", MODULE)], 50, 0)
    assert {line.line for line in lines} == {"import os  # noqa", "def function(argument):", "return argument + 1"}


def test_a_line_filled_with_itself_is_the_file_again() -> None:
    for line in missing_lines(documents(), 40, 1):
        assert line.filled(line.line) == line.text
        assert line.line == line.line.strip()
        ast.parse(line.filled("pass"[: len(line.line)]) if line.line.endswith(":") is False else line.text)


def test_the_same_seed_asks_the_same_questions() -> None:
    assert missing_lines(documents(), 10, 3) == missing_lines(documents(), 10, 3) != missing_lines(documents(), 10, 4)
    assert wrong_words(documents(), 10, 3) == wrong_words(documents(), 10, 3)


def test_exactly_one_word_of_a_sentence_is_wrong_and_all_ranges_are_words() -> None:
    originals = [prose(number) for number in range(8)]
    questions = wrong_words([Document("fiction", "made", text) for text in originals], 20, 0)
    assert len(questions) > 10
    for question in questions:
        assert not any(question.text in text for text in originals)
        words = [question.text[start:end] for start, end in question.words]
        assert all(word.isalpha() for word in words)
        assert question.text[question.start : question.end].endswith(".")
        left, right = question.words[question.wrong]
        head, tail = question.text[max(question.start, left - 8) : left], question.text[right : right + 8]
        assert any(head in text and tail in text for text in originals)


def test_code_has_no_sentences_and_prose_no_lines() -> None:
    assert wrong_words([Document("python", "made", code(1))], 5, 0) == []
    assert missing_lines([Document("fiction", "made", prose(1))], 5, 0) == []
