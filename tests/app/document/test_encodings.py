"""The encoding of a file is found so that the same bytes come back, or the file is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.document.encodings import ENCODINGS, detect, encoding_label
from app.document.files import encode


@pytest.mark.parametrize(
    ("data", "encoding", "bom"),
    [
        (b"", "utf-8", False),
        (b"plain", "utf-8", False),
        ("naïve 日本 😀".encode(), "utf-8", False),
        ("naïve".encode("utf-8-sig"), "utf-8", True),
        ("naïve".encode("utf-16"), "utf-16-le", True),
        (b"\xfe\xff" + "日本".encode("utf-16-be"), "utf-16-be", True),
        ("naïve".encode("utf-32"), "utf-32-le", True),
        ("no mark at all\r\n".encode("utf-16-le"), "utf-16-le", False),
        ("no mark at all\r\n".encode("utf-16-be"), "utf-16-be", False),
        ("caf\xe9".encode("latin-1"), "cp1252", False),
        ("“quoted” 5 €".encode("cp1252"), "cp1252", False),
        (b"caf\xe9 \x81\x8d", "iso-8859-1", False),
    ],
)
def test_an_encoding_is_found_by_its_mark_or_its_bytes(data, encoding, bom):
    decoded = detect(data)
    assert decoded is not None
    assert (decoded.encoding, decoded.bom) == (encoding, bom)
    assert encode(decoded.text, encoding, bom=bom) == data


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01",
        b"text and a \0 zero",
        bytes(range(1, 32)) * 20 + b"\xff",
        b"\xff\xfe" + b"\x00\xd8" + b"A\0",  # a lone surrogate in UTF-16
    ],
)
def test_what_is_no_text_is_refused(data):
    decoded = detect(data)
    assert decoded is None or encode(decoded.text, decoded.encoding, bom=decoded.bom) == data
    if b"\0" in data:
        assert decoded is None


@given(st.binary(max_size=300))
def test_whatever_is_accepted_gives_back_the_same_bytes(data):
    decoded = detect(data)
    if decoded is not None:
        assert encode(decoded.text, decoded.encoding, bom=decoded.bom) == data


@given(st.binary(max_size=100), st.sampled_from(sorted(ENCODINGS)))
def test_an_encoding_chosen_by_hand_gives_back_the_same_bytes_or_is_refused(data, encoding):
    decoded = detect(data, encoding)
    if decoded is not None:
        assert encode(decoded.text, decoded.encoding, bom=decoded.bom) == data


def test_an_encoding_that_does_not_fit_the_bytes_is_refused():
    assert detect(b"caf\xe9", "utf-8") is None
    assert detect(b"plain", "no-such-encoding") is None


def test_every_encoding_has_a_name_for_people():
    assert encoding_label("cp1252") == "Windows-1252"
    assert encoding_label("utf-32-le") == "UTF-32-LE"
