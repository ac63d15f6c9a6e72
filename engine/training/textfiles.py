"""Files as text: what is no text is told apart, encodings that writers' files have are read."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from pathlib import Path

TEXT_SUFFIXES = frozenset({".txt", ".text", ".md", ".markdown", ".rst", ".adoc", ".org", ".tex", ".fountain", ".py"})
"""What is read of a folder. A file that is named itself may end as it likes."""
_SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist"})
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
_MOST_CONTROL = 0.02
_LOOKED_AT = 65_536


def decoded(data: bytes) -> str | None:
    """The text of a file: UTF-8, UTF-16 with a byte order mark, else Windows' Western one; None if it is none."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    start = data[:_LOOKED_AT]
    if b"\0" in start or len(start) - len(start.translate(None, _CONTROL)) > _MOST_CONTROL * len(start):
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def text_files(folder: Path) -> Iterator[Path]:
    """Files below a folder that may be text by their names, in a stable order; hidden ones are left out."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS and not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if path.suffix.lower() in TEXT_SUFFIXES and not name.startswith(".") and path.is_file():
                yield path
