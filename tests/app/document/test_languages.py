"""The language of a file follows from its name or its first line."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.document.languages import LANGUAGES, language_label, language_of


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("a.py", "python"), ("A.PYI", "python"), ("README.md", "markdown"), ("x.cpp", "c"), ("x.h", "c"),
        ("d.json", "json"), ("c.yml", "yaml"), ("i.html", "html"), ("n.txt", "text"),
        ("Makefile", "text"), ("x.ts", "javascript"),
    ],
)  # fmt: skip
def test_the_name_decides(name, language):
    assert language_of(Path(name)) == language


def test_without_a_telling_name_the_first_line_decides():
    assert language_of(Path("tool"), "#!/usr/bin/env python3") == "python"
    assert language_of(None, "<!DOCTYPE html>") == "html"
    assert language_of(None, "#!/bin/sh") == "text"
    assert language_of(None) == "text"


def test_no_suffix_belongs_to_two_languages():
    suffixes = [suffix for language in LANGUAGES for suffix in language.suffixes]
    assert len(suffixes) == len(set(suffixes))


def test_an_unknown_language_reads_as_plain_text():
    assert language_label(None) == language_label("klingon") == "Plain Text"
