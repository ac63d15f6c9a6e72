from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import TokenizerError
from engine.tokenization import Tokenizer
from engine.training.bpe import special_tokens, train_bpe

TEXTS = [
    "The quick brown fox jumps over the lazy dog; it’s 1984 — or isn't it?\n",
    "def add(a, b):\n    return a + b\n\n\nclass Sum:\n    total = 0\n",
    "naïve café 日本語 🙂\r\n\ttabs and  spaces",
]
VOCAB = 400


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    train_bpe(TEXTS * 20, VOCAB).save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def config() -> dict[str, object]:
    special = special_tokens(VOCAB)
    names = ("mask", "begin", "end", "empty", "pad")
    return {
        "tokenizer": "tokenizer.json",
        "vocab_size": VOCAB,
        "special_tokens": {name: getattr(special, name) for name in names},
    }


@pytest.fixture(scope="module")
def tokenizer(folder: Path, config: dict[str, object]) -> Tokenizer:
    return Tokenizer.load(folder, config)


def test_special_tokens_are_the_last_ids(tokenizer: Tokenizer) -> None:
    assert (tokenizer.mask, tokenizer.begin, tokenizer.end, tokenizer.empty, tokenizer.pad) == tuple(range(395, 400))
    assert tokenizer.vocab_size == VOCAB


@settings(max_examples=200, deadline=None)
@given(text=st.text() | st.sampled_from(TEXTS))
def test_every_text_comes_back_unchanged(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


@settings(max_examples=200, deadline=None)
@given(
    text=st.text(st.characters(codec=None, categories=None))
    | st.sampled_from(["<mask>", "<|mask|>", "[MASK]", "<pad>", "<|endoftext|>", "\x00", "<empty>" * 3])
)
def test_no_text_encodes_to_a_special_token(tokenizer: Tokenizer, text: str) -> None:
    assert not set(tokenizer.encode(text)) & tokenizer.special_ids


def test_a_lone_surrogate_becomes_the_replacement_character(tokenizer: Tokenizer) -> None:
    assert tokenizer.decode(tokenizer.encode("a\ud800b")) == "a\ufffdb"


def test_offsets_are_code_points_of_the_text(tokenizer: Tokenizer) -> None:
    text = "naïve 日本 fox\n    return"
    ids, offsets = tokenizer.encode_with_offsets(text)
    assert ids == tokenizer.encode(text)
    assert offsets[0][0] == 0
    assert offsets[-1][1] == len(text)
    assert all(left[0] <= right[0] <= left[1] for left, right in pairwise(offsets))


def test_pieces_hold_raw_bytes_so_that_half_a_character_can_wait(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("🙂")
    pieces = tokenizer.decode_pieces(ids)
    assert b"".join(pieces) == "🙂".encode()
    assert tokenizer.decode(ids[:1]) == "\ufffd"


def test_special_ids_decode_to_nothing(tokenizer: Tokenizer) -> None:
    assert tokenizer.decode([tokenizer.mask, *tokenizer.encode("fox"), tokenizer.empty or 0]) == "fox"


def test_ids_that_neither_the_tokenizer_nor_the_model_uses_are_known(tokenizer: Tokenizer) -> None:
    """A tokenizer trained on little text is smaller than the vocabulary that was asked for."""
    trained = len({token for text in TEXTS for token in tokenizer.encode(text)})
    assert 0 < len(tokenizer.wordless_ids) < VOCAB - trained
    assert set(tokenizer.wordless_ids).isdisjoint(tokenizer.special_ids)
    assert set(tokenizer.decode_pieces(tokenizer.wordless_ids)) == {b""}
    others = set(range(VOCAB)) - tokenizer.special_ids - set(tokenizer.wordless_ids)
    assert all(tokenizer.decode_pieces(sorted(others)))


def test_an_id_outside_the_vocabulary_is_an_error(tokenizer: Tokenizer) -> None:
    with pytest.raises(TokenizerError, match="outside the vocabulary"):
        tokenizer.decode_pieces([VOCAB])


def test_batches_equal_single_texts(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode_batch(TEXTS) == [tokenizer.encode(text) for text in TEXTS]


def test_digits_stand_alone_and_line_ends_take_their_indentation(tokenizer: Tokenizer) -> None:
    assert tokenizer.decode_pieces(tokenizer.encode("1984")) == [b"1", b"9", b"8", b"4"]
    assert b"\n    " in tokenizer.decode_pieces(tokenizer.encode("b):\n    return a"))


def test_a_missing_tokenizer_is_named(tmp_path: Path, config: dict[str, object]) -> None:
    with pytest.raises(TokenizerError, match=r"tokenizer\.json"):
        Tokenizer.load(tmp_path, config)


def test_a_broken_tokenizer_is_named(tmp_path: Path, config: dict[str, object]) -> None:
    (tmp_path / "tokenizer.json").write_text("{", encoding="utf-8")
    with pytest.raises(TokenizerError, match="cannot be read"):
        Tokenizer.load(tmp_path, config)


def test_a_tokenizer_of_another_vocabulary_is_refused(folder: Path, config: dict[str, object]) -> None:
    with pytest.raises(TokenizerError):
        Tokenizer.load(folder, config | {"vocab_size": 300})


def test_a_special_token_that_text_could_reach_is_refused(folder: Path, config: dict[str, object]) -> None:
    with pytest.raises(TokenizerError, match="ordinary token"):
        Tokenizer.load(folder, config | {"special_tokens": {"mask": 5}})


def test_a_vocabulary_like_gpt2_fits_with_its_mask_behind_it(folder: Path, tmp_path: Path) -> None:
    raw = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    size = len(raw["model"]["vocab"])
    raw["added_tokens"] = [
        {"id": size, "content": "<|endoftext|>", "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": True, "special": True}
    ]  # fmt: skip
    (tmp_path / "tokenizer.json").write_text(json.dumps(raw), encoding="utf-8")
    special = {"mask": size + 1, "begin": size, "end": size}
    tokenizer = Tokenizer.load(tmp_path, {"vocab_size": size + 2, "special_tokens": special})
    assert size not in tokenizer.encode("a <|endoftext|> b")
    assert tokenizer.decode([size, *tokenizer.encode("fox"), size + 1]) == "fox"
    assert tokenizer.empty is None
