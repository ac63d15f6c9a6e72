"""The process that searches for regular expressions: one that would take forever is ended with it, and the window
goes on. `re` cannot be interrupted, and holds the interpreter's lock, so that a thread would not do.

Both ends of its pipes are here. Of the standard library only, so that it starts fast.
"""

from __future__ import annotations

import faulthandler
import json
import os
import struct
import sys
from array import array
from collections.abc import Sequence
from dataclasses import asdict
from typing import BinaryIO

from app.editor.search import BadPatternError, Haystack, Matches, Query, Search, SearchJob

_LENGTH = struct.Struct(">Q")


def packed_job(job: SearchJob, text: str) -> bytes:
    """A job as it goes into the process."""
    return _packed(json.dumps(asdict(job)).encode(), text.encode("utf-8", "surrogatepass"))


def unpacked_answer(data: bytearray) -> tuple[Matches, list[str], str] | None:
    """Found places, their replacements, and a sentence if something was wrong; None while it has not all arrived."""
    parts = _unpacked(data)
    if parts is None:
        return None
    head, starts, ends = parts
    told = json.loads(head)
    return Matches(array("q", starts), array("q", ends)), told["texts"], told["error"]


def serve(limit_s: float) -> None:
    """Answers jobs until there are no more. The process ends itself when one takes longer than `limit_s`."""
    come, go = sys.stdin.buffer, sys.stdout.buffer
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - os.devnull is no path on Windows
        while (parts := _read(come)) is not None:
            faulthandler.dump_traceback_later(limit_s, exit=True, file=nowhere)
            answer = _answer(parts)
            faulthandler.cancel_dump_traceback_later()
            go.write(answer)
            go.flush()


def _answer(parts: Sequence[bytes]) -> bytes:
    job, error = _job(json.loads(parts[0])), ""
    matches, texts = Matches(), list[str]()
    try:
        search = Search(job, Haystack(parts[1].decode("utf-8", "surrogatepass"))).run()
        matches, texts = search.matches, search.texts
    except BadPatternError as reason:
        error = str(reason)
    head = json.dumps({"texts": texts, "error": error}).encode()
    return _packed(head, matches.starts.tobytes(), matches.ends.tobytes())


def _job(told: dict[str, object]) -> SearchJob:
    query, within, only, template = told["query"], told["within"], told["only"], told["template"]
    assert isinstance(query, dict)
    return SearchJob(
        Query(**query),
        tuple((start, end) for start, end in within) if isinstance(within, list) else None,
        template if isinstance(template, str) else None,
        (only[0], only[1]) if isinstance(only, list) else None,
    )


def _packed(*parts: bytes) -> bytes:
    return b"".join([bytes([len(parts)]), *(_LENGTH.pack(len(part)) + part for part in parts)])


def _unpacked(data: bytearray) -> list[bytes] | None:
    places, at = list[tuple[int, int]](), 1
    for _ in range(data[0] if data else 1):
        body = at + _LENGTH.size
        if len(data) < body or len(data) < body + _LENGTH.unpack_from(data, at)[0]:
            return None
        at = body + _LENGTH.unpack_from(data, at)[0]
        places.append((body, at))
    return [bytes(data[first:last]) for first, last in places]


def _read(stream: BinaryIO) -> list[bytes] | None:
    count = stream.read(1)
    if not count:
        return None
    return [stream.read(_LENGTH.unpack(stream.read(_LENGTH.size))[0]) for _ in range(count[0])]
