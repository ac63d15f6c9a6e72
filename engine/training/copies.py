"""Near-duplicates between what is learned from and what is held out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from engine.training.documents import Document

_SHINGLE_WORDS = 8
_SEEN_SHARE = 0.5

_TEXT_BORDER = re.compile(r"\n[ \t]*\n\s*")
_LINE_BORDER = re.compile(r"\n+")
_CODE_BORDER = re.compile(r"\n\n+(?=[^\s)\]}])")


def without_copies(training: Sequence[Document], held_out: Sequence[Document]) -> tuple[list[Document], int]:
    """The training documents without their paragraphs that mostly stand in the held-out ones too (half of their runs of
    eight words), and how many characters left. A paragraph's neighbors become documents of their own."""
    seen = {shingle for document in held_out for shingle in _shingles(document.text)}
    kept, dropped = [], 0
    for document in training:
        if seen.isdisjoint(_shingles(document.text)):
            kept.append(document)
            continue
        parts = parts_of(document, 0)
        copies = [_is_copy(part, seen) for part in parts]
        if not any(copies):
            kept.append(document)
            continue
        for is_copy, group in groupby(zip(copies, parts, strict=True), key=lambda pair: pair[0]):
            text = "".join(part for _, part in group)
            if is_copy:
                dropped += len(text)
            elif text.strip():
                kept.append(replace(document, text=text))
    return kept, dropped


def parts_of(document: Document, at_least: int) -> list[str]:
    """A document cut at borders into parts of at least so many characters (the last may be shorter); joined they are
    the document. With 0, every paragraph is a part."""
    text = document.text
    border = _CODE_BORDER if document.is_code else _TEXT_BORDER if _TEXT_BORDER.search(text) else _LINE_BORDER
    edges = [0]
    for match in border.finditer(text):
        if match.end() - edges[-1] >= max(1, at_least) and match.end() < len(text):
            edges.append(match.end())
    return [text[left:right] for left, right in pairwise([*edges, len(text)])]


def _shingles(text: str) -> list[int]:
    words = text.split()
    return list(map(hash, zip(*(words[start:] for start in range(_SHINGLE_WORDS)), strict=False)))


def _is_copy(part: str, seen: set[int]) -> bool:
    shingles = _shingles(part)
    return bool(shingles) and sum(shingle in seen for shingle in shingles) > _SEEN_SHARE * len(shingles)
