from __future__ import annotations

import struct
import zlib
from pathlib import Path

from tests.bench.novels import main


def vector(lines: list[str]) -> bytes:
    """Lines as R keeps them."""
    data = b"X\n" + b"\0" * 12 + struct.pack(">II", 0x10, len(lines))
    for line in lines:
        data += struct.pack(">Ii", 0x40009, len(line)) + line.encode()
    packed = zlib.compress(data)
    return struct.pack(">I", len(data)) + packed


def test_each_novel_becomes_a_file_with_a_paragraph_a_line(tmp_path: Path) -> None:
    novels = [["A SHORT NOVEL", "", "It was late", "and it rained.", "", "", "The end."], ["B", "", "One."]]
    (tmp_path / "Rdata.rdb").write_bytes(b"".join(map(vector, novels)))
    main(tmp_path / "Rdata.rdb", tmp_path / "out")
    texts = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}
    assert texts == {
        "a-short-novel.txt": "A SHORT NOVEL\n\nIt was late and it rained.\n\nThe end.\n",
        "b.txt": "B\n\nOne.\n",
    }
