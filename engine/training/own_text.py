"""The user's own files as documents: some to learn from, some held out for the report.

1. With twenty documents or more, whole ones are held out, chosen by a hash of their text, a tenth of all text.
2. With fewer, every document is cut into sections at paragraph borders (in code where a line begins at the margin) and
   about every tenth section is held out. What lies between two of them is a document of its own.
3. Paragraphs of the training part that mostly stand in the held-out part too (drafts, copies) leave the training part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import TrainingError
from engine.training.copies import parts_of, without_copies
from engine.training.corpus import SEPARATOR, Corpus
from engine.training.documents import PYTHON, Document
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
    parts = parts_of(document, section)
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


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
