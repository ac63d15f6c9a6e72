"""The user's own files as documents: some to learn from, some held out for the report.

1. With twenty documents or more, whole ones are held out, chosen by a hash of their text, a tenth of all text.
2. With fewer, every document is cut into sections at paragraph borders (in code where a line begins at the margin) and
   about every tenth section is held out. What lies between two of them is a document of its own.
3. Paragraphs of the training part that mostly stand in the held-out part too (drafts, copies) leave the training part.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path

from engine.errors import TrainingError
from engine.training.corpus import PYTHON, SEPARATOR, Corpus, Document
from engine.training.textfiles import decoded, text_files

ENOUGH_DOCUMENTS = 20
HELD_OUT = 10
"""One part in so many is held out ..."""
MOST_HELD_OUT = 500_000
"""... but no more characters than these."""
_SECTION = 2_500
"""Characters of a section, at least, where the text is long enough."""
_LARGEST = 0.3
"""No document with more of all text is held out whole."""
_SHINGLE_WORDS = 8
_SEEN_SHARE = 0.5

_TEXT_BORDER = re.compile(r"\n[ \t]*\n\s*")
_LINE_BORDER = re.compile(r"\n+")
_CODE_BORDER = re.compile(r"\n\n+(?=[^\s)\]}])")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class OwnText:
    """The user's files, split.

    Attributes:
        note: how the held-out part was chosen, in a sentence or two for the user. dropped: characters of step 3.
        not_text: files that were left out because they are no text.
    """

    corpus: Corpus
    note: str
    dropped: int
    not_text: tuple[Path, ...]

    @property
    def digest(self) -> str:
        """Changes with the text."""
        found = hashlib.blake2b(digest_size=16)
        for document in (*self.corpus.training, *self.corpus.held_out):
            found.update(document.text.encode("utf-8", "replace"))
        return found.hexdigest()


def read_own(paths: Sequence[Path]) -> OwnText:
    """Reads files and folders, splits them (steps 1 and 2), and takes near-duplicates out of the training part (3).

    Raises:
        TrainingError: a path does not exist, cannot be read or is no text, or there is no text in any.
    """
    not_text: list[Path] = []
    documents = [document for path in paths for document in _documents(path, not_text)]
    documents = list({document.text: document for document in documents}.values())
    if not documents:
        where = " or ".join(map(str, paths))
        reason = f": {len(not_text)} file(s) there are no text" if not_text else ""
        raise TrainingError(f"There is no text to train on in {where}{reason}.")
    training, held_out, note = _split(documents)
    kept, dropped = without_copies(training, held_out)
    if not kept:
        kept, held_out, dropped = training, [], 0
        note = "Nothing was held out: what is left to learn from would only repeat it."
    return OwnText(Corpus(tuple(kept), tuple(held_out)), note, dropped, tuple(not_text))


def without_copies(training: Sequence[Document], held_out: Sequence[Document]) -> tuple[list[Document], int]:
    """Step 3: the training documents without their paragraphs that are mostly held out too, and how many characters
    left. A paragraph's neighbors become documents of their own."""
    seen = {shingle for document in held_out for shingle in _shingles(document.text)}
    kept, dropped = [], 0
    for document in training:
        parts = _parts(document, 0)
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


def _documents(path: Path, not_text: list[Path]) -> Iterator[Document]:
    if not path.exists():
        raise TrainingError(f"The training data {path} does not exist.")
    try:
        for file in text_files(path) if path.is_dir() else [path]:
            text = decoded(file.read_bytes())
            if text is None and file == path:
                raise TrainingError(f"The training data {path} is no text: save it as plain text first.")
            if text is None:
                not_text.append(file)
                continue
            kind = PYTHON if file.suffix == ".py" else "text"
            for part in text.replace("\r\n", "\n").split(SEPARATOR):
                if len(part.strip()) >= 40:
                    yield Document(kind, file.name, part)
    except OSError as error:
        raise TrainingError(f"The training data {path} cannot be read: {error}.") from error


def _split(documents: Sequence[Document]) -> tuple[list[Document], list[Document], str]:
    total = sum(len(document.text) for document in documents)
    wanted = min(total // HELD_OUT, MOST_HELD_OUT)
    if len(documents) >= ENOUGH_DOCUMENTS:
        held, size = set(), 0
        for number in sorted(range(len(documents)), key=lambda number: _digest(documents[number].text)):
            if size < wanted and len(documents[number].text) <= _LARGEST * total:
                held.add(number)
                size += len(documents[number].text)
        training = [document for number, document in enumerate(documents) if number not in held]
        note = f"{len(held)} whole documents of {len(documents)}, chosen by a hash of their text, were held out."
        return training, [documents[number] for number in sorted(held)], note
    section = _SECTION if total >= 2 * HELD_OUT * _SECTION else max(1, total // HELD_OUT // 2)
    training, held_out = [], []
    every = max(HELD_OUT, -(-total // MOST_HELD_OUT))
    place = every // 2
    for document in documents:
        kept, out, place = _split_document(document, section, every, place)
        training += kept
        held_out += out
    if not held_out:
        return list(documents), [], "Nothing was held out: the text is too short to be cut at a paragraph's border."
    note = (
        f"There are too few documents ({len(documents)}) to hold out whole ones: {len(held_out)} parts of them, cut at "
        "paragraphs' borders, were held out."
    )
    return training, held_out, note


def _split_document(
    document: Document, section: int, every: int, place: int
) -> tuple[list[Document], list[Document], int]:
    """Step 2 for one document. `place` counts sections through all documents: when it is 0, one is held out."""
    training, held_out = [], []
    between: list[str] = []
    parts = _parts(document, section)
    for part in parts:
        if place == 0 and len(parts) > 1:
            held_out.append(replace(document, text=part))
            training.append("".join(between))
            between = []
        else:
            between.append(part)
        place = (place - 1) % every
    training.append("".join(between))
    return [replace(document, text=text) for text in training if text.strip()], held_out, place


def _parts(document: Document, at_least: int) -> list[str]:
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
    words = _WORD.findall(text)
    return [hash(tuple(words[start : start + _SHINGLE_WORDS])) for start in range(len(words) - _SHINGLE_WORDS + 1)]


def _is_copy(part: str, seen: set[int]) -> bool:
    shingles = _shingles(part)
    return bool(shingles) and sum(shingle in seen for shingle in shingles) > _SEEN_SHARE * len(shingles)


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
