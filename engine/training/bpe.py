"""Trains the byte-level BPE of our own models."""

from __future__ import annotations

from collections.abc import Iterable

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from engine.config import SpecialTokens

SPECIAL_TOKENS = ("mask", "begin", "end", "empty", "pad")
"""The last ids of the vocabulary, in this order. They are in config.json only, never in tokenizer.json."""

SPLIT = "|".join(
    (
        r"['’](?i:s|t|re|ve|m|ll|d)(?!\p{L})",  # English endings
        r"[^\r\n\p{L}\p{N}]?\p{L}+",  # a word; one space or punctuation mark may lead it
        r"\p{N}",  # digits one at a time
        r" ?[^\s\p{L}\p{N}]+",  # punctuation
        r"[ \t]*[\r\n]+[ \t]*",  # line ends with the indentation that follows
        r"\s+(?!\S)",
        r"\s+",
    )
)
"""GPT-4's split (cl100k) with single digits, curly apostrophes and newline + indentation as one piece."""


def special_tokens(vocab_size: int) -> SpecialTokens:
    """The special ids of a model of ours with `vocab_size` ids in all."""
    first = vocab_size - len(SPECIAL_TOKENS)
    return SpecialTokens(**{name: first + index for index, name in enumerate(SPECIAL_TOKENS)})


def train_bpe(texts: Iterable[str], vocab_size: int) -> tokenizers.Tokenizer:
    """Learns merges from `texts` until text tokens and special tokens together are `vocab_size` (fewer on little text).

    The result holds text tokens only.
    """
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(tokenizers.Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - len(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=[],
        show_progress=False,
        max_token_length=24,
    )
    backend.train_from_iterator(texts, trainer)
    return backend
