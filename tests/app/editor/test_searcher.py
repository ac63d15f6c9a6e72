"""Searches that leave the event loop free."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication
from pytestqt.qtbot import QtBot

from app.editor import searcher as module
from app.editor.search import BadPatternError, Query, SearchJob
from app.editor.search_serving import packed_job, unpacked_answer
from app.editor.searcher import TOO_LONG, Answer, Searcher


@pytest.fixture
def searcher(qtbot: QtBot) -> Iterator[Searcher]:
    made = Searcher(limit_s=0.5)
    yield made
    made.close()


def answer_of(qtbot, searcher, job, text):
    with qtbot.waitSignal(searcher.answered) as signal:
        searcher.search(job, text)
        assert searcher.is_busy
    assert not searcher.is_busy
    return signal.args[0]


def test_words_are_found_in_slices(qtbot, searcher, monkeypatch):
    monkeypatch.setattr(module, "SLICE_MS", 0.0)
    job = SearchJob(Query("a"))
    answers: list[Answer] = []
    searcher.answered.connect(answers.append)
    searcher.search(job, "a" * 1000)
    QCoreApplication.processEvents()
    assert answers == []
    qtbot.waitUntil(lambda: bool(answers))
    assert answers[0].job is job
    assert len(answers[0].matches) == 1000


def test_who_does_not_want_to_wait_gets_words_at_once(searcher):
    answers: list[Answer] = []
    searcher.answered.connect(answers.append)
    searcher.search(SearchJob(Query("a")), "banana")
    assert answers == []
    searcher.finish()
    assert len(answers[0].matches) == 3


def test_a_newer_job_takes_the_place_of_the_older(qtbot, searcher):
    searcher.search(SearchJob(Query("a")), "banana")
    searcher.search(SearchJob(Query("(x+x+)+y", is_regex=True)), "x" * 60)
    answer = answer_of(qtbot, searcher, SearchJob(Query("n", is_regex=True)), "banana")
    assert len(answer.matches) == 2


def test_a_regular_expression_is_found_with_its_replacements(qtbot, searcher):
    job = SearchJob(Query(r"(\w)-(\w)", is_regex=True), within=((4, 12),), template=r"\2-\1")
    answer = answer_of(qtbot, searcher, job, "a-b é-😀\r\nc-d e-f")
    assert [answer.matches[index] for index in range(len(answer.matches))] == [(9, 12)]
    assert answer.texts == ["d-c"]
    again = answer_of(qtbot, searcher, SearchJob(Query(r"\udc80", is_regex=True)), "bytes \udc80 that are no text")
    assert again.matches[0] == (6, 7)


def test_a_pattern_that_takes_forever_is_given_up_and_the_next_one_is_found(qtbot, searcher):
    answer = answer_of(qtbot, searcher, SearchJob(Query("(x+x+)+y", is_regex=True)), "x" * 60)
    assert (answer.error, len(answer.matches)) == (TOO_LONG, 0)
    assert len(answer_of(qtbot, searcher, SearchJob(Query("x", is_regex=True)), "xx").matches) == 2


def test_a_bad_pattern_is_refused_and_a_bad_replacement_answered(qtbot, searcher):
    with pytest.raises(BadPatternError):
        searcher.search(SearchJob(Query("(", is_regex=True)), "a")
    assert not searcher.is_busy
    answer = answer_of(qtbot, searcher, SearchJob(Query("a", is_regex=True), template=r"\1"), "a")
    assert answer.error.startswith("This cannot be a replacement")


def test_a_process_that_cannot_be_started_is_told_of(qtbot, searcher, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    answer = answer_of(qtbot, searcher, SearchJob(Query("a", is_regex=True)), "a")
    assert "no process" in answer.error


def test_an_answer_may_come_in_pieces():
    data = packed_job(SearchJob(Query("a")), "text")
    assert unpacked_answer(bytearray()) is None
    assert all(unpacked_answer(bytearray(data[:count])) is None for count in range(len(data)))
