from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.editor.worddiff import diff_words, next_line, next_word, stands_for

TEXTS = st.text(alphabet=st.sampled_from("ab, \n\r'日本.é"), max_size=40)


def pairs(old, new):
    return [(piece.old, piece.new) for piece in diff_words(old, new)]


def test_only_the_words_that_differ_are_marked():
    assert pairs("the quick fox", "the slow fox") == [("the ", "the "), ("quick", "slow"), (" fox", " fox")]


def test_words_that_were_rewritten_together_are_one_piece():
    assert pairs("the quick fox ran", "a slow dog ran") == [("the quick fox", "a slow dog"), (" ran", " ran")]


def test_an_apostrophe_is_inside_a_word_and_punctuation_is_not():
    assert pairs("don't go, now", "don't go; now") == [("don't go", "don't go"), (",", ";"), (" now", " now")]


def test_characters_of_scripts_without_spaces_are_compared_singly():
    assert pairs("日本語", "日米語") == [("日", "日"), ("本", "米"), ("語", "語")]


@given(TEXTS, TEXTS)
def test_the_pieces_make_up_both_texts(old, new):
    pieces = diff_words(old, new)
    assert "".join(piece.old for piece in pieces) == old
    assert "".join(piece.new for piece in pieces) == new


@given(TEXTS, TEXTS, st.integers(0, 40))
def test_what_a_beginning_stands_for_grows_and_ends_with_the_text(old, new, taken):
    lengths = [stands_for(old, new, count) for count in range(len(new) + 1)]
    assert lengths == sorted(lengths)
    assert lengths[-1] == len(old)
    assert stands_for(old, new, taken) <= len(old)


@given(TEXTS)
def test_taking_words_or_lines_takes_all_in_the_end(text):
    for take in (next_word, next_line):
        rest, taken = text, ""
        while rest:
            piece = take(rest)
            assert piece
            rest, taken = rest[len(piece) :], taken + piece
        assert taken == text


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("one two", "one"),
        (" two three", " two"),
        ("well, then", "well,"),
        ("don't", "don't"),
        ("(x)", "("),
        ("\n    return x", "\n    return"),
        ("last \n", "last \n"),
        ("日本", "日"),
        ("  ", "  "),
    ],
)
def test_the_next_word_has_the_space_before_it_and_its_punctuation(text, word):
    assert next_word(text) == word


def test_the_next_line_is_the_first_that_is_not_blank():
    assert next_line("a b\nc") == "a b\n"
    assert next_line("\n\n  a\r\nb") == "\n\n  a\r\n"
    assert next_line("a") == "a"


@pytest.mark.parametrize(
    ("old", "new", "taken", "expected"),
    [
        ("first line here", "FIRST line there", "FIRST", "first"),
        ("one two three", "uno dos tres", "uno", "one"),
        ("one two three", "uno dos tres", "uno dos", "one two"),
        ("one two", "uno", "uno", "one two"),
        ("one", "uno dos tres", "uno dos", "one"),
        ("", "written on", "written", ""),
        ("very big cat", "big cat", "big", "very big"),
    ],
)
def test_word_stands_for_word(old, new, taken, expected):
    assert old[: stands_for(old, new, len(taken))] == expected


def test_long_texts_are_compared_in_reasonable_work():
    old = "the cat and the dog and " * 2000
    assert "".join(piece.new for piece in diff_words(old, old.replace("cat", "bird"))) == old.replace("cat", "bird")
