from __future__ import annotations

import numpy as np
import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from engine.config import SpecialTokens
from engine.models.registry import bundled_folder
from engine.tokenization import Tokenizer
from engine.training import encoding
from engine.training.bpe import SPLIT, special_tokens, train_bpe
from engine.training.encoding import BulkEncoder
from tests.engine.training.small import code, prose, small_tokenizer

SMALL = small_tokenizer()
ENCODER = BulkEncoder(SMALL)
PIECES = st.sampled_from(
    "don't|'TIS|’re|'s|x|12| |  |    |…|—|“Yes,”|_a_|def f(a):|é|²|日本|'|''|-->|don’t.".split("|")
    + "ß|µ|ªº|Größe|Дом|ώ|¿|→|½|\xad|\xa0".split("|")
    + "\t|\n|\r\n|\x0b|\x0c|\x1c|\x85|\u2003|\u017f|\u2167|e\u0301|\ud800".split("|")
)


def encoded(texts: list[str], encoder: BulkEncoder = ENCODER) -> list[list[int]]:
    return [np.frombuffer(ids, dtype=np.uint16).tolist() for ids in encoder.encode_batch(texts)]


@given(st.lists(st.lists(PIECES, max_size=12).map("".join), max_size=6))
def test_bulk_encoding_is_the_tokenizers_own(texts: list[str]) -> None:
    assert encoded(texts) == SMALL.encode_batch(texts)


@given(st.text(max_size=40))
def test_so_it_is_for_any_text(text: str) -> None:
    assert encoded([text]) == [SMALL.encode(text)]


def test_every_familiar_character_is_taken_as_the_tokenizer_takes_it() -> None:
    forms = (
        "a{0}b {0}c",
        "'{0}s'{0} 's{0}",
        "don’t{0} x’S{0}",
        "1{0}2 {0}{0}. .{0}",
        "\n{0}\n  {0} ",
        "'ll{0}'RE{0}",
        "\t{0}\r\n",
    )
    marks = [chr(code) for block in encoding._BLOCKS for code in range(*block)]
    assert len(marks) > 2000
    for form in forms:
        texts = [form.format(mark) for mark in marks]
        assert encoded(texts) == SMALL.encode_batch(texts)


def test_documents_and_all_their_cuts_are_encoded_alike() -> None:
    folder = bundled_folder()
    assert folder is not None
    tokenizer = Tokenizer(
        tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json")), special_tokens(16_384), 16_384
    )
    texts = [text[start:] for text in (prose(3), code(3)) for start in range(300)]
    assert encoded(texts, BulkEncoder(tokenizer)) == tokenizer.encode_batch(texts)


def test_a_tokenizer_with_another_split_is_asked_itself() -> None:
    backend = tokenizers.Tokenizer(tokenizers.models.BPE())
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    backend.train_from_iterator([prose(1)], trainer)
    tokenizer = Tokenizer(backend, SpecialTokens(mask=310), 320)
    assert tokenizer.split_pattern() is None
    assert encoded(["don't  go"], BulkEncoder(tokenizer)) == [tokenizer.encode("don't  go")]


def test_a_tokenizer_with_tokens_of_its_own_is_asked_itself() -> None:
    backend = train_bpe([prose(1)], 300)
    backend.add_tokens(["old mill"])
    tokenizer = Tokenizer(backend, SpecialTokens(mask=310), 320)
    assert tokenizer.split_pattern() is None
    assert encoded(["an old mill"], BulkEncoder(tokenizer)) == [tokenizer.encode("an old mill")]


@pytest.mark.parametrize("word", [" mill", "…", " ’", "\n\n    ", "x", " Größe"])
def test_a_word_alone_is_encoded_as_ever(word: str) -> None:
    assert SMALL.encode_word(word) == SMALL.encode(word)


def test_our_tokenizers_say_how_they_split() -> None:
    assert SMALL.split_pattern() == SPLIT


def test_words_are_forgotten_before_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "_MOST_WORDS", 3)
    texts = [prose(1), prose(2)]
    encoder = BulkEncoder(SMALL)
    assert encoded(texts, encoder) == SMALL.encode_batch(texts)
    assert len(encoder._words) <= 3


@pytest.mark.parametrize("texts", [[], ["", "a"]])
def test_nothing_is_encoded_as_nothing(texts: list[str]) -> None:
    assert encoded(texts) == SMALL.encode_batch(texts)
