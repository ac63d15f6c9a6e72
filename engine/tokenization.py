"""Text to token ids and back: a byte-level BPE whose special tokens stand outside the text.

`tokenizer.json` knows ordinary tokens only. The special ones (mask, begin, end, empty, pad) exist in the checkpoint's
config alone, as ids beside the tokenizer's, so no text, however odd, can encode to one. Imports without torch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import tokenizers

from engine.config import SpecialTokens
from engine.errors import TokenizerError

__all__ = ["SpecialTokens", "Tokenizer", "byte_alphabet"]

_SURROGATE = re.compile("[\ud800-\udfff]")


class Tokenizer:
    """A checkpoint's tokenizer.

    Attributes:
        vocab_size: number of ids in all, special ones included: the length of a row of logits.
        text_tokens: number of ids that tokenizer.json has.
        mask, begin, end, empty, pad: special ids; None where the family has no such token.
    """

    def __init__(self, backend: tokenizers.Tokenizer, special: SpecialTokens, vocab_size: int) -> None:
        """Joins a plain byte-level BPE with the ids of the special tokens.

        Raises:
            TokenizerError: an id is outside the vocabulary, or text could encode to a special token.
        """
        text_ids: int = backend.get_vocab_size(with_added_tokens=True)
        mask = special.mask
        taken = frozenset(backend.get_vocab(with_added_tokens=True).values())
        clashing = special.ids() & taken
        # GPT-2 keeps one added token, <|endoftext|>, which it also uses as begin and end: text must not reach it.
        if mask in clashing or clashing - _added_ids(backend):
            raise TokenizerError("A special token of the model is also an ordinary token of its tokenizer.")
        if text_ids > vocab_size or max(special.ids()) >= vocab_size:
            raise TokenizerError(f"The tokenizer has {text_ids} tokens and does not fit {vocab_size} of the model.")
        self._backend = backend
        self._backend.encode_special_tokens = True
        self._special = special.ids() | _added_ids(backend)
        self._bytes = _token_bytes(backend, vocab_size, self._special)
        self._wordless = tuple(sorted(set(range(vocab_size)) - taken - special.ids()))
        self.vocab_size = vocab_size
        self.text_tokens = text_ids
        self.mask = mask
        self.begin = special.begin
        self.end = special.end
        self.empty = special.empty
        self.pad = special.pad

    @classmethod
    def load(cls, folder: Path, config: Mapping[str, object]) -> Tokenizer:
        """Loads the tokenizer of a checkpoint folder, whose parsed config.json is `config`.

        Raises:
            TokenizerError: the file is missing or broken, or it does not fit the config's vocabulary.
        """
        name = config.get("tokenizer", "tokenizer.json")
        size = config.get("vocab_size")
        if not isinstance(name, str) or isinstance(size, bool) or not isinstance(size, int):
            raise TokenizerError("The model's config gives no tokenizer file or no vocabulary size.")
        path = folder / name
        if not path.is_file():
            raise TokenizerError(f"The model's tokenizer, {path.name}, is missing from {folder}.")
        try:
            backend = tokenizers.Tokenizer.from_str(path.read_text(encoding="utf-8"))
        except Exception as error:  # the library raises bare Exception for every malformed file
            raise TokenizerError(f"The model's tokenizer, {path.name}, cannot be read: {error}.") from error
        tokens, trained = backend.get_vocab_size(with_added_tokens=True), config.get("text_tokens")
        if trained is not None and trained != tokens:
            raise TokenizerError(
                f"The model's tokenizer, {path.name}, has {tokens} tokens; the model was trained with one of "
                f"{trained}. Install the model again."
            )
        return cls(backend, SpecialTokens.from_config(config), size)

    @property
    def special_ids(self) -> frozenset[int]:
        """Ids that stand for no text."""
        return self._special

    @property
    def wordless_ids(self) -> tuple[int, ...]:
        """Ids that stand for nothing at all: a vocabulary may be larger than what the tokenizer was trained to."""
        return self._wordless

    def encode(self, text: str) -> list[int]:
        """Ids of `text`; never a special one. Lone surrogates count as U+FFFD."""
        ids: list[int] = self._backend.encode(_sound(text), add_special_tokens=False).ids
        return ids

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids, and for each the half-open range of code points it covers (shared where a character is split)."""
        encoding = self._backend.encode(_sound(text), add_special_tokens=False)
        return encoding.ids, encoding.offsets

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """`encode` for many texts, on all cores."""
        encodings = self._backend.encode_batch_fast([_sound(text) for text in texts], add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def encode_word(self, word: str) -> list[int]:
        """`encode` for a piece of text that `split_pattern` leaves whole, quickly: its bytes are merged, no more."""
        stand_ins = word.encode().decode("latin-1").translate(_STAND_INS)
        return [token.id for token in self._backend.model.tokenize(stand_ins)]

    def split_pattern(self) -> str | None:
        """The regular expression that splits text into words before their bytes are merged, where that and a plain map
        of bytes is all that is done to the text; else None."""
        parts = json.loads(self._backend.to_str())
        match parts["normalizer"], parts["added_tokens"], parts["pre_tokenizer"]:
            case None, [], {
                "type": "Sequence",
                "pretokenizers": [
                    {"type": "Split", "pattern": {"Regex": str(pattern)}, "behavior": "Isolated", "invert": False},
                    {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False},
                ],
            }:
                return pattern
        return None

    def decode(self, ids: Sequence[int]) -> str:
        """Text of `ids`; special ones stand for nothing, broken characters become U+FFFD."""
        return b"".join(self.decode_pieces(ids)).decode("utf-8", errors="replace")

    def decode_pieces(self, ids: Sequence[int]) -> list[bytes]:
        """Raw bytes of each token (a token may be half a character); special ones are empty.

        Raises:
            TokenizerError: an id is outside the vocabulary.
        """
        if ids and not (min(ids) >= 0 and max(ids) < self.vocab_size):
            raise TokenizerError(f"A token id is outside the vocabulary of {self.vocab_size}.")
        return [self._bytes[token] for token in ids]


def _sound(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)


def _added_ids(backend: tokenizers.Tokenizer) -> frozenset[int]:
    return frozenset(backend.get_added_tokens_decoder())


def _token_bytes(backend: tokenizers.Tokenizer, vocab_size: int, special: frozenset[int]) -> list[bytes]:
    """Bytes of every id, from GPT-2's printable stand-ins for bytes."""
    to_byte = {character: byte for byte, character in byte_alphabet().items()}
    pieces = [b""] * vocab_size
    for token, index in backend.get_vocab(with_added_tokens=True).items():
        if index in special:
            continue
        try:
            pieces[index] = bytes(to_byte[character] for character in token)
        except KeyError as error:
            raise TokenizerError("The model's tokenizer is not a byte-level one.") from error
    return pieces


def byte_alphabet() -> dict[int, str]:
    """GPT-2's table: a printable character for each byte (its `bytes_to_unicode`)."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    table = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        if byte not in table:
            table[byte] = chr(256 + len(table) - len(printable))
    return table


_STAND_INS = byte_alphabet()
