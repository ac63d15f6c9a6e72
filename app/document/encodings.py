"""Which encoding a file is in. Only an answer that gives back the same bytes is given."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "cp1252": "Windows-1252",
    "iso-8859-1": "ISO 8859-1",
    "iso-8859-15": "ISO 8859-15",
    "cp1250": "Windows-1250",
    "cp1251": "Windows-1251",
    "koi8-r": "KOI8-R",
    "shift_jis": "Shift JIS",
    "euc-jp": "EUC-JP",
    "euc-kr": "EUC-KR",
    "gb18030": "GB 18030",
    "big5": "Big5",
}
"""Encodings that the user can choose, with what is shown for them."""

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16 LE, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 64 * 1024
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\b\x1b\x1a\x0b")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text and how it stood in the bytes."""

    text: str
    encoding: str
    bom: bool


def encoding_label(encoding: str) -> str:
    """What the user reads for an encoding."""
    return ENCODINGS.get(encoding, encoding.upper())


def detect(data: bytes, encoding: str | None = None) -> Decoded | None:
    """The text of `data`, in `encoding` or the one found; None when it is not (such) text."""
    for mark, marked in _BOMS:
        if data.startswith(mark) and encoding in (None, marked):
            decoded = _strictly(data[len(mark) :], marked, bom=True)
            if decoded is not None or encoding is not None:
                return decoded
    if encoding is not None:
        return _strictly(data, encoding)
    if b"\0" in data:
        return _utf16_without_mark(data)
    return _strictly(data, "utf-8") or _single_byte(data)


def _strictly(data: bytes, encoding: str, *, bom: bool = False) -> Decoded | None:
    try:
        text = data.decode(encoding)
        if "\0" in text or (encoding != "utf-8" and text.encode(encoding) != data):
            return None
    except (UnicodeError, LookupError):
        return None
    return Decoded(text, encoding, bom)


def _utf16_without_mark(data: bytes) -> Decoded | None:
    """Western text in UTF-16 has its zero bytes on one side only; anything else with zeros is binary."""
    if len(data) % 2:
        return None
    sample = data[:_SAMPLE]
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) < 0.3 * len(sample) / 2 or min(even, odd) > 0:
        return None
    decoded = _strictly(data, "utf-16-le" if odd > even else "utf-16-be")
    return decoded if decoded is not None and _reads_as_text(decoded.text[:_SAMPLE].encode("utf-8")) else None


def _single_byte(data: bytes) -> Decoded | None:
    """The Latin-1 family: Windows-1252 where its letters fit, else ISO 8859-1, which takes every byte."""
    if not _reads_as_text(data[:_SAMPLE]):
        return None
    return _strictly(data, "cp1252") or _strictly(data, "iso-8859-1")


def _reads_as_text(sample: bytes) -> bool:
    odd = sum(1 for byte in sample if byte < 32 and byte not in _TEXT_CONTROLS)
    return odd <= len(sample) // 200
