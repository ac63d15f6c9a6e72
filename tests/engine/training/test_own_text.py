from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import TrainingError
from engine.training.documents import Document
from engine.training.own_text import ENOUGH_DOCUMENTS, OwnText, read_own
from tests.engine.training.small import code, prose


def novel(sections: int) -> str:
    return "\n".join(prose(number) for number in range(sections))


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def texts(documents: tuple[Document, ...]) -> list[str]:
    return [document.text for document in documents]


def paragraphs(own: OwnText) -> tuple[set[str], set[str]]:
    learned, held_out = (
        {part for text in texts(documents) for part in text.split("\n\n") if len(part.split()) >= 8}
        for documents in (own.corpus.training, own.corpus.held_out)
    )
    return learned, held_out


def test_of_one_book_parts_are_held_out_at_paragraph_borders(tmp_path: Path) -> None:
    text = novel(60)
    own = read_own([write(tmp_path, "novel.txt", text)])
    held_out = sum(map(len, texts(own.corpus.held_out)))
    assert 0.04 < held_out / len(text) < 0.2
    assert "too few documents" in own.note
    for part in texts(own.corpus.held_out) + texts(own.corpus.training):
        assert part in text
        assert part.startswith("On day")
    learned, kept_back = paragraphs(own)
    assert not learned & kept_back


def test_even_a_short_text_has_a_held_out_part(tmp_path: Path) -> None:
    own = read_own([write(tmp_path, "letter.txt", prose(1) + "\n" + prose(2))])
    assert own.corpus.held_out
    assert own.corpus.training


def test_a_single_paragraph_is_learned_from_whole_and_said_so(tmp_path: Path) -> None:
    own = read_own([write(tmp_path, "note.txt", "One paragraph without any border in it, and that is all of it.")])
    assert not own.corpus.held_out
    assert "Nothing was held out" in own.note


def test_of_many_documents_whole_ones_are_held_out_the_same_each_time(tmp_path: Path) -> None:
    for number in range(ENOUGH_DOCUMENTS + 20):
        write(
            tmp_path,
            f"letters/{number:02}.txt",
            f"Letter {number}.\n\n" + " ".join(f"w{number}x{i}" for i in range(300)),
        )
    own = read_own([tmp_path / "letters"])
    whole = {path.read_text(encoding="utf-8") for path in (tmp_path / "letters").iterdir()}
    assert set(texts(own.corpus.held_out)) < whole
    assert set(texts(own.corpus.training)) < whole
    assert 3 <= len(own.corpus.held_out) <= 7
    assert "whole documents" in own.note
    assert read_own([tmp_path / "letters"]).digest == own.digest


def test_files_and_folders_are_read_together_and_code_is_told_apart(tmp_path: Path) -> None:
    paths = [write(tmp_path, "a/notes.md", novel(8)), write(tmp_path, "package/box.py", code(1) + code(40)).parent]
    corpus = read_own(paths).corpus
    assert {document.is_code for document in corpus.training} == {False, True}
    assert {document.source for document in corpus.training} == {"notes.md", "box.py"}


def test_a_draft_of_a_held_out_part_is_not_learned_from(tmp_path: Path) -> None:
    text = novel(60)
    draft = text.replace("the river", "a river").replace("On day 17", "Day 17")
    own = read_own([write(tmp_path, "novel.txt", text), write(tmp_path, "draft.txt", draft)])
    assert own.dropped > 0
    learned, kept_back = paragraphs(own)
    kept_words = {tuple(part.split()[6:18]) for part in kept_back}
    assert not [part for part in learned if tuple(part.split()[6:18]) in kept_words]


def test_binary_files_in_a_folder_are_left_out_and_told(tmp_path: Path) -> None:
    write(tmp_path, "own/novel.txt", novel(9))
    (tmp_path / "own" / "scan.txt").write_bytes(b"%PDF\0\0\0")
    own = read_own([tmp_path / "own"])
    assert [path.name for path in own.not_text] == ["scan.txt"]


def test_what_cannot_be_learned_from_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    binary = tmp_path / "novel.docx"
    binary.write_bytes(b"PK\x03\x04\0\0\0\0")
    (tmp_path / "binaries").mkdir()
    (tmp_path / "binaries" / "a.txt").write_bytes(b"\0\0\0")
    for path, sentence in (
        (tmp_path / "empty", "no text to train on"),
        (tmp_path / "binaries", r"no text to train on.*1 file\(s\) there are no text"),
        (binary, "is no text"),
        (tmp_path / "nowhere", "does not exist"),
    ):
        with pytest.raises(TrainingError, match=sentence):
            read_own([path])
