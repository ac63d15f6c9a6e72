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
        self._ids_of_word: dict[str, list[int]] = {}
        self._is_ours = tokenizer.split_pattern() == SPLIT

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text."""
        if not self._is_ours:
            return self._tokenizer.encode_batch(texts)
        plain = [text if _PLAIN(text) else None for text in texts]
        words = [_PATTERN.findall(text) if text is not None else [] for text in plain]
        self._learn(set(chain.from_iterable(words)))
        look_up = self._ids_of_word.__getitem__
        found = [list(chain.from_iterable(map(look_up, line))) for line in words]
        odd = [number for number, text in enumerate(plain) if text is None]
        for number, ids in zip(odd, self._tokenizer.encode_batch([texts[number] for number in odd]), strict=True):
            found[number] = ids
        return found

    def _learn(self, words: set[str]) -> None:
        """Asks the tokenizer about the words that are new."""
        if len(self._ids_of_word) > _MOST_WORDS:
            self._ids_of_word.clear()
        new = list(words.difference(self._ids_of_word))
        self._ids_of_word.update(zip(new, self._tokenizer.encode_batch(new), strict=True))
