"""Every word is judged given all the others, as if it alone were masked in a pass of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from torch import Tensor

from engine.cache import CleanTokenCache
from engine.cache_pool import CachePool
from engine.canvas import Placed
from engine.doubt import MISSING, PASSAGE, doubt
from engine.errors import RequestError
from engine.models.base import Feed, ModelAdapter
from engine.session import EngineSession
from engine.types import Doubted, DoubtRequest, ModelChoice, TextSpan, WordDoubt
from tests.engine.stepped import Events
from tests.engine.tiny import load_tiny, write_checkpoint

TEXT = "The naïve café 😀 ends.\r\nThen the man's line after it.\r\n"
WORDS = ["The", "naïve", "café", "ends", "Then", "the", "man's", "line", "after", "it"]


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> ModelAdapter:
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint")))


def judged(adapter: ModelAdapter, request: DoubtRequest) -> list[WordDoubt]:
    return [word for part in doubt(adapter, CachePool(adapter.new_cache).lease, request) for word in part]


def test_every_word_is_judged_once_in_order(adapter):
    words = judged(adapter, DoubtRequest(TEXT))
    assert [TEXT[word.start : word.end] for word in words] == WORDS
    assert all(word.log_likelihood < 0 <= word.doubt for word in words)


def test_only_the_words_of_the_span_are_judged(adapter):
    span = TextSpan(TEXT.index("Then"), TEXT.index("line"))
    words = judged(adapter, DoubtRequest(TEXT, span))
    assert [TEXT[word.start : word.end] for word in words] == ["Then", "the", "man's"]


def test_a_words_likelihood_is_that_of_a_mask_with_all_else_clean(adapter):
    text = " the cat"
    first = judged(adapter, DoubtRequest(text, starts_document=False, ends_document=False))[0]
    ids = adapter.tokenizer.encode(text)
    assert adapter.tokenizer.decode(ids[1:2]) == " "
    cache = adapter.new_cache()
    right_half_first = [Placed(ids[place], place) for place in (2, 3, 4, 1)]
    row = adapter.step(cache, right_half_first, [0]).float().log_softmax(-1)[0]
    assert adapter.tokenizer.decode(ids[:1]) == " the"
    assert first.log_likelihood == pytest.approx(float(row[ids[0]]), abs=1e-4)


def test_the_last_of_many_words_sees_all_the_others(adapter):
    text = "the a the an the a"
    last = judged(adapter, DoubtRequest(text, starts_document=False, ends_document=False))[-1]
    ids = adapter.tokenizer.encode(text)
    cache = adapter.new_cache()
    clean = [Placed(token, position) for position, token in enumerate(ids[:-1])]
    row = adapter.step(cache, clean, [len(ids) - 1]).float().log_softmax(-1)[0]
    assert last.log_likelihood == pytest.approx(float(row[ids[-1]]), abs=0.2)  # fed in another order


@pytest.mark.parametrize(("attention", "most"), [("causal", MISSING), ("mixed2", 1)])
def test_words_before_another_share_a_batch_only_where_they_share_the_context(
    tmp_path: Path, attention: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = load_tiny(write_checkpoint(tmp_path / "model", attention=attention))
    plain, sizes = adapter.step_batch, list[int]()

    def counted(cache: CleanTokenCache, feeds: Sequence[Feed]) -> list[Tensor]:
        sizes.append(len(feeds))
        return plain(cache, feeds)

    monkeypatch.setattr(adapter, "step_batch", counted)
    words = judged(adapter, DoubtRequest("the a the an the a", threshold=1.0, least_doubt=0.0))
    assert len(words) == 6
    assert set(sizes) == {most}


def test_candidates_are_whole_words_likelier_than_what_stands_there(adapter):
    words = judged(adapter, DoubtRequest(TEXT * 3, threshold=1.0, least_doubt=0.0, most_candidates=3))
    offered = [(word, candidate) for word in words for candidate in word.candidates]
    assert offered
    assert all(len(word.candidates) <= 3 for word in words)
    for word, candidate in offered:
        assert candidate.log_likelihood > word.log_likelihood
        assert candidate.text == candidate.text.strip() != ""
        assert candidate.text != (TEXT * 3)[word.start : word.end]


def test_words_that_are_likely_enough_get_no_candidates(adapter):
    words = judged(adapter, DoubtRequest(TEXT, threshold=math.exp(-500), least_doubt=0.0))
    assert not any(word.candidates for word in words)


def test_a_long_text_is_judged_a_passage_at_a_time(adapter):
    text = "the man and the cat in a hat " * 60
    assert len(text) > 2 * PASSAGE
    parts = [part for part in doubt(adapter, CachePool(adapter.new_cache).lease, DoubtRequest(text)) if part]
    assert len(parts) > len(text) // PASSAGE
    assert sum(map(len, parts)) == 60 * 8


@pytest.mark.parametrize("span", [TextSpan(3, 3), TextSpan(0, 999)])
def test_nothing_to_judge_is_refused(adapter, span):
    with pytest.raises(RequestError, match="nothing to judge"):
        judged(adapter, DoubtRequest(TEXT, span))


def test_a_text_without_words_has_no_doubts(adapter):
    assert judged(adapter, DoubtRequest("...\n\n!")) == []


def test_a_session_judges_between_runs(adapter):
    session = EngineSession(ModelChoice(name=str(adapter.config.folder), device="cpu", dtype="float32", threads=1))
    events = Events()
    session.doubt(DoubtRequest(TEXT), events)
    ending = events.ending()
    assert session.close()
    assert isinstance(ending, Doubted)
    assert len(ending.words) == len(WORDS)
