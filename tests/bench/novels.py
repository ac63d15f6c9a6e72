"""Whole novels that no training file comes from, for `redraft train --from` (docs/training-log.md): Jane Austen's six,
out of Debian's package r-cran-janeaustenr (the texts of Project Gutenberg, public domain).

    apt-get download r-cran-janeaustenr && dpkg-deb -x r-cran-janeaustenr_*.deb austen
    python -m tests.bench.novels austen/usr/lib/R/site-library/janeaustenr/data/Rdata.rdb novels

The package keeps each novel as a vector of printed lines (R's serialization, XDR, in zlib streams one after the other).
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

_VECTOR = b"\0\0\0\x10"
"""Marks a vector of strings; its length follows."""
_STRING = 9


def read_vectors(data: bytes) -> Iterator[list[str]]:
    """The vector of strings in each stream: a size, then zlib."""
    while data:
        stream = zlib.decompressobj()
        yield _strings(stream.decompress(data[4:]))
        data = stream.unused_data


def plain(lines: list[str]) -> str:
    """The printed lines as text: a paragraph a line, an empty line between two."""
    paragraphs = "\n".join(lines).split("\n\n")
    joined = (" ".join(paragraph.split("\n")).strip() for paragraph in paragraphs)
    return "\n\n".join(paragraph for paragraph in joined if paragraph) + "\n"


def _strings(data: bytes) -> list[str]:
    place = data.index(_VECTOR) + 8
    (count,) = struct.unpack(">I", data[place - 4 : place])
    found = []
    for _ in range(count):
        flags, length = struct.unpack(">Ii", data[place : place + 8])
        if flags & 0xFF != _STRING:
            raise ValueError("not a vector of strings")
        place += 8
        found.append(data[place : place + max(0, length)].decode("utf-8"))
        place += max(0, length)
    return found


def main(source: Path, folder: Path) -> None:
    """Writes each novel to a file that its first line names."""
    folder.mkdir(parents=True, exist_ok=True)
    for lines in read_vectors(source.read_bytes()):
        name = "-".join(lines[0].lower().split())
        (folder / f"{name}.txt").write_text(plain(lines), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
