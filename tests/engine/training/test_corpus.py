from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from engine.errors import TrainingError
from engine.training import corpus
from engine.training.corpus import read_corpus, read_prose
from engine.training.python_source import SourceFile
from tests.engine.training.small import code, prose, write_corpus


def test_documents_are_split_at_form_feeds_and_kinds_are_folders(tmp_path: Path) -> None:
    found = list(read_prose(write_corpus(tmp_path, 5)))
    assert [document.kind for document in found] == ["fiction"] * 5 + ["notes"] * 5
    assert [document.text for document in found] == [prose(number) for number in range(5)] + [
        code(number) for number in range(5)
    ]


def test_an_archive_reads_like_its_folder(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "corpus", 4)
    with tarfile.open(tmp_path / "corpus.tar.xz", "w:xz") as archive:
        archive.add(folder, arcname=".")
    from_archive = list(read_prose(tmp_path / "corpus.tar.xz"))
    assert [document.text for document in from_archive] == [document.text for document in read_prose(folder)]
    assert {document.kind for document in from_archive} == {"fiction", "notes"}


def test_one_document_in_fifty_is_held_out_and_none_is_in_both(tmp_path: Path) -> None:
    found = read_corpus(write_corpus(tmp_path, 800), python=False)
    training, held_out = ({document.text for document in part} for part in (found.training, found.held_out))
    assert not training & held_out
    assert 10 <= len(held_out) <= 60
    again = read_corpus(write_corpus(tmp_path, 800), python=False)
    assert again == found


def test_what_is_held_out_is_not_learned_from_as_a_copy_elsewhere(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path, 800)
    held_out = read_corpus(folder, python=False).held_out[0].text
    text = f"A paragraph of its own, which no other document has, stands here before it.\n\n{held_out}"
    (folder / "copy.txt").write_text(text, encoding="utf-8")
    found = read_corpus(folder, python=False)
    copies = [document.text for document in found.training if document.source == "copy"]
    assert len(copies) == 1
    assert copies[0].startswith("A paragraph of its own")
    assert held_out[-60:] not in copies[0]


def test_quotes_are_straightened_in_about_half_of_the_fiction_only(tmp_path: Path) -> None:
    for kind in ("fiction", "blog"):
        (tmp_path / kind).mkdir()
        texts = [f"“Document {number},” she said — and it’s as long as it has to be…" for number in range(200)]
        (tmp_path / kind / "a.txt").write_text("\n\f\n".join(texts), encoding="utf-8")
    straight = {"fiction": 0, "blog": 0}
    for document in read_prose(tmp_path):
        assert document.text.isascii() or "“" in document.text
        straight[document.kind] += document.text.isascii()
    assert 70 < straight["fiction"] < 130
    assert straight["blog"] == 0


def test_copy_edit_pairs_and_other_files_are_left_out(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path, 2)
    (folder / "edits").mkdir()
    (folder / "edits" / "pairs.txt").write_text("x" * 100, encoding="utf-8")
    (folder / "fiction" / "picture.png").write_bytes(b"\x89PNG" * 50)
    assert len(list(read_prose(folder))) == 4


def test_files_that_are_no_text_whatever_their_names_are_left_out_and_told(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "corpus", 4)
    (folder / "fiction" / "scan.txt").write_bytes(b"\x89PNG\0" * 50)
    with tarfile.open(tmp_path / "corpus.tar.xz", "w:xz") as archive:
        archive.add(folder, arcname=".")
    for data in (folder, tmp_path / "corpus.tar.xz"):
        found = read_corpus(data, python=False)
        assert [path.name for path in found.not_text] == ["scan.txt"]
        assert len(found.training) == 8
    for path in folder.rglob("made.txt"):
        path.unlink()
    with pytest.raises(TrainingError, match=r"no text to train on in .* \(1 file\(s\) there are no text\)"):
        read_corpus(folder, python=False)


def test_a_single_file_will_do(tmp_path: Path) -> None:
    (tmp_path / "novel.md").write_text(prose(1), encoding="utf-8")
    (document,) = read_prose(tmp_path / "novel.md")
    assert (document.source, document.text) == ("novel", prose(1))


def test_a_corpus_of_one_document_is_trained_on_even_if_it_would_be_held_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "novel.md").write_text(prose(1), encoding="utf-8")
    monkeypatch.setattr(corpus, "HELD_OUT_SHARE", 1)
    found = read_corpus(tmp_path / "novel.md", python=False)
    assert (len(found.training), len(found.held_out)) == (1, 0)


def test_a_corpus_that_was_trained_on_whole_is_never_measured_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "novel.md").write_text(prose(1), encoding="utf-8")
    monkeypatch.setattr(corpus, "HELD_OUT_SHARE", 1)
    monkeypatch.setattr(corpus, "collect_held_out", lambda packages: [])
    assert corpus.read_held_out(tmp_path / "novel.md") == []


def test_a_corpus_beside_python_may_be_held_out_whole_and_is_measured_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "novel.md").write_text(prose(1), encoding="utf-8")
    file = SourceFile("a", "a.py", "MIT", code(1), documented=False)
    monkeypatch.setattr(corpus, "_is_held_out", lambda text: text != file.text)
    monkeypatch.setattr(corpus, "collect", lambda packages, cap, seed: ([file], []))
    monkeypatch.setattr(corpus, "collect_held_out", lambda packages: [])
    held_out = read_corpus(tmp_path / "novel.md", python=True).held_out
    assert [document.text for document in held_out] == [prose(1)]
    assert corpus.read_held_out(tmp_path / "novel.md", python=True) == list(held_out)


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_no_text_to_measure_on_is_said_before_packages_are_read(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(corpus, "collect_held_out", lambda packages: pytest.fail("too late"))
    with pytest.raises(TrainingError, match=r"no text to measure on|does not exist"):
        corpus.read_held_out(tmp_path / name)


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_no_text_is_an_error_that_says_what_to_give(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match=r"no text to train on|does not exist"):
        read_corpus(tmp_path / name, python=False)


def test_an_empty_folder_is_an_error_beside_installed_python_too(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no text to train on in"):
        read_corpus(tmp_path, python=True)


def test_endings_in_capitals_and_those_of_writers_are_read(tmp_path: Path) -> None:
    for name in ("CHAPTER1.TXT", "notes.org", "paper.tex"):
        (tmp_path / name).write_text(f"What stands in {name}, more than forty characters of it.", encoding="utf-8")
    assert {document.source for document in read_prose(tmp_path)} == {"CHAPTER1", "notes", "paper"}


def test_a_damaged_archive_is_an_error(tmp_path: Path) -> None:
    folder = write_corpus(tmp_path / "corpus", 40)
    path = tmp_path / "corpus.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, arcname=".")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(TrainingError, match="cannot be read"):
        read_corpus(path, python=False)


def test_held_out_packages_never_train(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [SourceFile("rich", "a.py", "MIT", code(1), documented=True)]
    others = [SourceFile("other", f"{n}.py", "MIT", code(n), documented=False) for n in range(2, 40)]
    monkeypatch.setattr(corpus, "collect", lambda held_out, cap, seed: (others, files))
    found = read_corpus(None, python=True)
    assert "rich" not in {document.source for document in found.training}
    assert "rich" in {document.source for document in found.held_out}
    assert all(document.is_code for document in found.training)
