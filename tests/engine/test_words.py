"""Words as tokens hold them, and what may stand in their place: without a model."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest

from engine.types import Candidate, TextSpan
from engine.words import Word, best_of, words_of


def words(*tokens: str, start: int = 0, end: int | None = None) -> list[Word]:
    text = "".join(tokens)
    ranges = list(pairwise(accumulate(map(len, tokens), initial=0)))
    return words_of(text, TextSpan(start, len(text) if end is None else end), ranges)


def test_a_word_knows_the_tokens_that_touch_it_and_what_else_they_hold():
    the, man = words("The", " ma", "n's,", " ")
    assert (the.text, the.first, the.last, the.lead, the.trail) == ("The", 0, 1, "", "")
    assert (man.text, man.first, man.last, man.lead, man.trail) == ("man's", 1, 3, " ", ",")
    assert (man.start, man.end, man.size) == (4, 9, 2)


def test_of_two_words_in_one_token_only_the_first_is_judged():
    assert [word.text for word in words("a", " b-c", " d")] == ["a", "b", "d"]
    assert [word.text for word in words("one", " two", " three", start=4, end=7)] == ["two"]


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        (" dog,", "dog"),
        (" old dog,", "old dog"),
        (" dog", None),  # the comma would be gone
        ("dog,", None),  # and here the space
        (" cat,", None),  # as it is
        (" the old dog,", None),
        (" x,", None),  # the beginning of a longer word
        (" a,", "a"),
        (" -,", None),
    ],
)
def test_only_a_whole_word_or_two_between_the_same_neighbors_may_stand_instead(written, instead):
    (cat,) = words("a", " cat,", start=1)
    assert cat.instead(written, "a cat,") == instead


def test_the_best_are_the_likeliest_each_once_and_the_one_that_looks_alike_is_among_them():
    found = [Candidate("their", -4.0), Candidate("a", -1.0), Candidate("a", -3.0), Candidate("some", -2.0)]
    assert [one.text for one in best_of("thier", found, 5)] == ["a", "some", "their"]
    assert [one.text for one in best_of("thier", found, 2)] == ["a", "their"]
    assert [one.text for one in best_of("xyz", found, 2)] == ["a", "some"]
    assert [one.text for one in best_of("man", [*found, Candidate("the man", -9.0)], 2)] == ["a", "the man"]
    assert best_of("a", [], 3) == ()
