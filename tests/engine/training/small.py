"""Small training material: prose and code made on the spot, a tokenizer learned from it, a tiny config."""

from __future__ import annotations

from pathlib import Path

from engine.tokenization import Tokenizer
from engine.training.bpe import special_tokens, train_bpe
from engine.training.config import TrainConfig, preset, replaced
from engine.training.documents import Document

VOCAB = 512

_WORDS = (
    "the river ran past an old mill where nobody had worked since that long winter and its wheel stood still".split()
)
_CODE = '''def total_{0}(values):
    """Adds up {0} values."""
    result = {0}
    for value in values:
        if value > {0}:
            result += value
    return result


class Box{0}:
    def __init__(self, size={0}):
        self.size = size
        self.items = [item for item in range(size)]
'''


def prose(number: int) -> str:
    """A document of some 1,500 characters; each number gives another."""
    lines = []
    for line in range(6):
        words = [_WORDS[(number * 7 + line * 3 + place * (number + 2)) % len(_WORDS)] for place in range(45)]
        lines.append(f"On day {number * 10 + line}, " + " ".join(words[:20]) + ". Then " + " ".join(words[20:]) + ".")
    return "\n\n".join(lines) + "\n"


def code(number: int) -> str:
    """A Python module; each number gives another."""
    return "import math\n\n\n" + _CODE.format(number) + "\n\n" + _CODE.format(number + 1)


def documents(count: int = 12) -> list[Document]:
    """Half prose, half code."""
    return [
        Document("python", "made", code(number)) if number % 2 else Document("fiction", "made", prose(number))
        for number in range(count)
    ]


def small_tokenizer() -> Tokenizer:
    """Byte-level BPE of 512 ids learned from the documents."""
    backend = train_bpe([document.text for document in documents()], VOCAB)
    return Tokenizer(backend, special_tokens(VOCAB), VOCAB)


def write_corpus(folder: Path, count: int = 60) -> Path:
    """A corpus folder with one file of prose and one of code, documents separated by form feeds."""
    for kind, make in (("fiction", prose), ("notes", code)):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        text = "\n\f\n".join(make(number) for number in range(count))
        (folder / kind / "made.txt").write_text(text, encoding="utf-8")
    return folder


def tiny_config(data: Path, **changes: object) -> TrainConfig:
    """The preset for tests on this data."""
    return replaced(preset("tiny"), {"data": data} | changes)
