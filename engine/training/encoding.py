"""Text to ids in bulk, for packing: the tokenizer's own result, five times as fast.

Our tokenizers split text into words before they merge bytes (engine.training.bpe), so a word has the same ids wherever
it stands, and a corpus has few words. Words are split here by the same pattern and looked up; the tokenizer is asked
about each once. Text with letters outside ASCII goes to the tokenizer itself, whose idea of a letter is Unicode's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain

from engine.tokenization import Tokenizer
from engine.training.bpe import SPLIT

_IN_ASCII = SPLIT.replace(r"\p{L}\p{N}]", "A-Za-z0-9]").replace(r"\p{L}", "[A-Za-z]").replace(r"\p{N}", "[0-9]")
_PATTERN = re.compile(_IN_ASCII, re.ASCII)
_PLAIN = re.compile("[\x00-\x7f‘’“”—–…]*").fullmatch
_MOST_WORDS = 2_000_000


class BulkEncoder:
    """Encodes as `tokenizer` does, and remembers words."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._words = _Words(tokenizer)
        self._is_ours = tokenizer.split_pattern() == SPLIT

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text."""
        if not self._is_ours:
            return self._tokenizer.encode_batch(texts)
        if len(self._words) > _MOST_WORDS:
            self._words.clear()
        found: list[list[int]] = []
        odd: list[int] = []
        word = self._words.__getitem__
        for number, text in enumerate(texts):
            if _PLAIN(text) is None:
                odd.append(number)
                found.append([])
            else:
                found.append(list(chain.from_iterable(map(word, _PATTERN.findall(text)))))
        for number, ids in zip(odd, self._tokenizer.encode_batch([texts[number] for number in odd]), strict=True):
            found[number] = ids
        return found


class _Words(dict[str, tuple[int, ...]]):
    """Ids of words, asked for when first wanted."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def __missing__(self, word: str) -> tuple[int, ...]:
        ids = self[word] = tuple(self._tokenizer.encode(word))
        return ids
