from __future__ import annotations

from pathlib import Path

import pytest

from engine.training.textfiles import decoded, text_files


@pytest.mark.parametrize(
    "data",
    ["Ein Wort – größer".encode(), "Ein Wort – größer".encode("utf-8-sig"), "Ein Wort – größer".encode("utf-16"),
     "Ein Wort – größer".encode("cp1252")],
)  # fmt: skip
def test_the_encodings_of_writers_are_read(data: bytes) -> None:
    assert decoded(data) == "Ein Wort – größer"


@pytest.mark.parametrize("data", [b"PK\x03\x04" + bytes(40), b"\x89PNG\r\n\x1a\n\0\0", bytes(range(1, 20)) * 9])
def test_binary_files_are_no_text(data: bytes) -> None:
    assert decoded(data) is None


def test_a_folder_gives_its_texts_and_leaves_out_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b.md", "a/one.txt", ".git/x.txt", "__pycache__/y.py", ".hidden.txt", "image.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text", encoding="utf-8")
    assert [path.relative_to(tmp_path).as_posix() for path in text_files(tmp_path)] == ["b.md", "a/one.txt"]
