"""Training documents: prose from a folder or archive of text files, Python from the environment, split and held out.

A prose file holds documents separated by a line with a form feed; its folder names its kind (fiction, blog, ...).
"""

from __future__ import annotations

import hashlib
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import TrainingError
from engine.training.copies import without_copies
from engine.training.documents import PYTHON, Document
from engine.training.python_source import collect, collect_held_out
from engine.training.textfiles import TEXT_SUFFIXES, decoded

SEPARATOR = "\n\f\n"
HELD_OUT_PACKAGES = frozenset({"rich", "jinja2", "markdown-it-py"})
"""No training file comes from these."""
HELD_OUT_SHARE = 50
"""One document in so many is held out."""
KIND_WEIGHTS = {"fiction": 1.0, "textbook": 1.0, "blog": 1.5, "spec": 0.1, "gov": 1.0, "docs": 1.0, "health": 0.6}
"""How often text of a kind is used, against its size. Kinds not named here count once."""
REPEATED_KINDS = {"stories": 4.0}
SKIPPED_KINDS = frozenset({"edits"})
"""Copy-edit pairs: not running text."""

_WANTED = "give a folder of .txt, .md or .py files"
_STRAIGHT = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "—": "--", "–": "-", "…": "..."})


@dataclass(frozen=True, slots=True)
class Corpus:
    """All documents, apart: those to learn from, and those that only evaluation may see. `not_text`: files that were
    left out because they are no text, whatever their names say."""

    training: tuple[Document, ...]
    held_out: tuple[Document, ...]
    not_text: tuple[Path, ...] = ()


def read_corpus(data: Path | None, *, python: bool, cap_bytes: int = 12_000_000, seed: int = 0) -> Corpus:
    """Reads prose from `data` (a folder, a text file or a .tar.xz of such) and, if asked, installed Python source.
    Paragraphs of the training part that mostly stand in the held-out part too are left out of it.

    Raises:
        TrainingError: there is no usable text, or none in `data`.
    """
    training: list[Document] = []
    held_out: list[Document] = []
    not_text: list[Path] = []
    for document in read_prose(data, not_text) if data is not None else ():
        (held_out if _is_held_out(document.text) else training).append(document)
    if data is not None and not training and not held_out:
        raise TrainingError(f"There is no text to train on in {data}{_others(not_text)}: {_WANTED}.")
    training = without_copies(training, held_out)[0]
    if python:
        for held, files in enumerate(collect(HELD_OUT_PACKAGES, cap_bytes, seed)):
            for file in files:
                document = Document(PYTHON, file.package, file.text, 1.5 if file.documented else 1.0)
                (held_out if held or _is_held_out(file.text) else training).append(document)
    if not training:  # one novel that happens to be the one in fifty
        training, held_out = held_out, []
    if not training:
        raise TrainingError(f"There is no text to train on: {_WANTED}.")
    return Corpus(tuple(training), tuple(held_out), tuple(not_text))


def read_held_out(data: Path | None, *, python: bool = False) -> list[Document]:
    """What evaluation may look at: the held-out documents of `data`, and the held-out packages (not the held-out files
    of packages that training has seen others of).

    Args:
        python: whether training had installed Python source, too; else it was not left with nothing (`read_corpus`).

    Raises:
        TrainingError: `data` is not there, cannot be read, or has no text.
    """
    not_text: list[Path] = []
    found = list(read_prose(data, not_text)) if data is not None else []
    if data is not None and not found:
        raise TrainingError(f"There is no text to measure on in {data}{_others(not_text)}: {_WANTED}.")
    prose = [document for document in found if _is_held_out(document.text)]
    if len(prose) == len(found) and not python:  # one novel that happens to be the one in fifty: it was trained on
        prose = []
    return prose + [Document(PYTHON, file.package, file.text) for file in collect_held_out(HELD_OUT_PACKAGES)]


def read_prose(data: Path, not_text: list[Path] | None = None) -> Iterator[Document]:
    """Documents of a folder, file or archive, in a stable order; fiction has straight quotes in half of them. Files
    that turn out to be no text are left out, and added to `not_text`.

    Raises:
        TrainingError: `data` is not there or cannot be read.
    """
    for name, text in _read_files(data):
        if text is None:
            if not_text is not None:
                not_text.append(name)
            continue
        kind = name.parent.name if name.parent.name not in ("", ".") else "text"
        if name.suffix.lower() == ".py":
            kind = PYTHON
        if kind in SKIPPED_KINDS:
            continue
        weight = KIND_WEIGHTS.get(kind, REPEATED_KINDS.get(kind, 1.0))
        for part in text.replace("\r\n", "\n").split(SEPARATOR):
            if len(part.strip()) < 40:
                continue
            straighten = kind == "fiction" and _digest(part) % 2 == 0
            yield Document(kind, name.stem, part.translate(_STRAIGHT) if straighten else part, weight)


def _others(not_text: list[Path]) -> str:
    return f" ({len(not_text)} file(s) there are no text)" if not_text else ""


def _read_files(data: Path) -> Iterator[tuple[Path, str | None]]:
    if not data.exists():
        raise TrainingError(f"The training data {data} does not exist.")
    try:
        if data.is_dir():
            for path in sorted(data.rglob("*")):
                if path.is_file() and path.suffix.lower() in TEXT_SUFFIXES:
                    yield path.relative_to(data.parent), decoded(path.read_bytes())
        elif tarfile.is_tarfile(data):
            with tarfile.open(data) as archive:
                members = (entry for entry in archive.getmembers() if entry.isfile())
                for member in sorted(members, key=lambda entry: entry.name):
                    handle = archive.extractfile(member)
                    if handle is None or Path(member.name).suffix.lower() not in TEXT_SUFFIXES:
                        continue
                    yield Path(member.name), decoded(handle.read())
        else:
            text = decoded(data.read_bytes())
            if text is None:
                raise TrainingError(f"The training data {data} is no text: save it as plain text first.")
            yield Path(data.name), text
    except (OSError, EOFError, tarfile.TarError, lzma.LZMAError, zlib.error) as error:
        raise TrainingError(f"The training data {data} cannot be read: {error}.") from error


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def _is_held_out(text: str) -> bool:
    """Depends on the text alone, so that it holds in every run and every copy."""
    return (_digest(text) >> 8) % HELD_OUT_SHARE == 0
