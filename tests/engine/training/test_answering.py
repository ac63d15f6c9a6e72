from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.errors import EngineError
from engine.session import EngineSession
from engine.tokenization import Tokenizer
from engine.training.answering import answerer, doubts, fill, forward_answerer, greedy, ngram_doubts, score
from engine.training.kneser_ney import KneserNey
from engine.training.questions import MissingLine, WrongWord
from engine.types import ModelChoice, ScoreRequest, TextSpan
from tests.engine.tiny import load_tiny, write_checkpoint

TEXT = "in the end\nthe hand and a tin\nthen an end\n"
LINE = MissingLine(TEXT, 11, 29)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("model"))


@pytest.fixture
def session(folder: Path) -> Iterator[EngineSession]:
    session = EngineSession(ModelChoice(name=str(folder), device="cpu", dtype="float32", threads=1))
    yield session
    session.close()


def test_answers_come_from_the_engine_and_keep_to_the_capacity(session: EngineSession) -> None:
    first, again = (answerer(session, 0.0)(LINE, 6) for _ in range(2))
    assert first == again
    assert len(first.encode()) <= 6 * 24


def test_the_forward_answer_does_not_know_what_follows_and_is_one_line(session: EngineSession) -> None:
    other = MissingLine(TEXT[:29] + "\nquite another end\n", 11, 29)
    answer = forward_answerer(session)
    assert answer(LINE, 8) == answer(other, 8)
    assert "\n" not in answer(LINE, 8)


def test_a_request_that_cannot_be_carried_out_is_one_sentence(session: EngineSession) -> None:
    with pytest.raises(EngineError, match="too large"):
        fill(session, greedy(TEXT, TextSpan(11, 29), alpha_0=0.0, capacity=5000))
    with pytest.raises(EngineError, match="nothing to score"):
        score(session, ScoreRequest(TEXT, TextSpan(3, 3)))


def test_doubts_cover_the_sentence_and_the_suffix_can_be_hidden(folder: Path) -> None:
    adapter = load_tiny(folder)
    question = WrongWord(TEXT, 11, 29, ((11, 14), (15, 19)), 0)
    other = WrongWord(TEXT[:29] + "\nquite another end\n", 11, 29, question.words, 0)
    both, forward = doubts(adapter, suffix=True), doubts(adapter, suffix=False)
    assert (both(question)[0][0], both(question)[-1][1]) == (11, 29)
    assert both(question) != both(other)
    values = [[token[2] for token in forward(each)] for each in (question, other)]
    assert values[0] == pytest.approx(values[1])


def test_n_grams_doubt_what_they_have_not_seen() -> None:
    from tests.engine.training.small import small_tokenizer

    tokenizer: Tokenizer = small_tokenizer()
    seen = np.array(tokenizer.encode("the old mill stood still. " * 20), dtype=np.uint16)
    text = "the old mill stood still. the old river stood still. "
    question = WrongWord(text, 26, 52, ((26, 29), (30, 33), (34, 39)), 2)
    scores = ngram_doubts(KneserNey([seen], tokenizer.vocab_size), tokenizer)(question)
    assert min(scores, key=lambda token: token[2])[0] >= 33
