"""The GPT-2 tokenizer that published checkpoints were trained with, brought into the form our checkpoints hold.

Nothing is downloaded: the tokenizer is given by the user, lies in the checkpoint's folder, or is inside the checkpoint.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import models

from engine.errors import TokenizerError

END_OF_TEXT = "<|endoftext|>"
_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}


def find_tokenizer(given: Path | None, embedded: str | None, folder: Path) -> str:
    """The JSON of a tokenizer: the given one, else the one inside the checkpoint, else the one in its folder.

    Raises:
        TokenizerError: there is none, or it cannot be read.
    """
    if given is not None:
        found = _read(given)
        if found is None:
            raise TokenizerError(f"There is no tokenizer.json, and no vocab.json with merges.txt, at {given}.")
        return found
    if embedded is not None:
        return embedded
    found = _read(folder)
    if found is None:
        raise TokenizerError(
            "The checkpoint comes without its tokenizer. Get GPT-2's tokenizer.json (or its vocab.json and merges.txt) "
            f"from huggingface.co/openai-community/gpt2, put it into {folder} or name it with --tokenizer; try again."
        )
    return found


def normalize(source: str, vocab_size: int) -> tuple[str, int]:
    """The tokenizer as ours must be: ordinary tokens and GPT-2's end of text, nothing added, nothing cut.

    Training adds a padding token in the place of the mask and frames texts; both are taken out here.

    Args:
        source: a tokenizer.json.
        vocab_size: the model's; its last id is the mask's, so the tokenizer must have one token less.

    Returns:
        The new tokenizer.json and the id of the end of text.

    Raises:
        TokenizerError: it is no byte-level BPE of that size with an end of text.
    """
    try:
        raw: dict[str, Any] = json.loads(source)
        vocabulary: dict[str, int] = raw["model"]["vocab"]
        added = [entry for entry in raw.get("added_tokens") or [] if entry["id"] < vocab_size - 1]
        is_bpe = raw["model"].get("type", "BPE") == "BPE" and raw.get("normalizer") is None
        end = next((entry["id"] for entry in added if entry["content"] == END_OF_TEXT), vocabulary.get(END_OF_TEXT))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise TokenizerError(f"The tokenizer cannot be read ({type(error).__name__}: {error}).") from error
    if not is_bpe or end is None:
        raise TokenizerError("The tokenizer is not GPT-2's: it is no byte-level BPE with the token <|endoftext|>.")
    entry = {"id": end, "content": END_OF_TEXT, "special": True, "normalized": False}
    entry |= {"single_word": False, "lstrip": False, "rstrip": False}
    raw |= {"added_tokens": [entry], "truncation": None, "padding": None, "post_processor": None}
    raw |= {"pre_tokenizer": _BYTE_LEVEL, "decoder": _BYTE_LEVEL, "normalizer": None}
    return _checked(json.dumps(raw, ensure_ascii=False), vocab_size), end


def _checked(source: str, vocab_size: int) -> str:
    try:
        size = tokenizers.Tokenizer.from_str(source).get_vocab_size(with_added_tokens=True)
    except Exception as error:  # the library raises bare Exception for every malformed file
        raise TokenizerError(f"The tokenizer cannot be read ({error}).") from error
    if size != vocab_size - 1:
        raise TokenizerError(
            f"The tokenizer has {size} tokens; a model with {vocab_size} outputs, the last of them the mask, needs "
            f"one with {vocab_size - 1}."
        )
    return source


def _read(place: Path) -> str | None:
    """A tokenizer.json, or one made from vocab.json and merges.txt; `place` is a file or a folder of such files."""
    if not place.exists():
        return None
    folder = place if place.is_dir() else place.parent
    whole = place if place.is_file() else folder / "tokenizer.json"
    pair = folder / "vocab.json", folder / "merges.txt"
    try:
        if whole.is_file() and whole.name not in ("vocab.json", "merges.txt"):
            return whole.read_text(encoding="utf-8")
        if all(path.is_file() for path in pair):
            return tokenizers.Tokenizer(models.BPE.from_file(*map(str, pair))).to_str()
    except Exception as error:  # the library raises bare Exception for every malformed file
        raise TokenizerError(f"The tokenizer at {place} cannot be read ({error}).") from error
    return None
