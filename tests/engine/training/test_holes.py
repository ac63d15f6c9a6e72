from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.training import holes
from engine.training.holes import MAX_HOLE, any_span, block, body, lines, one_hole, sentence, several_holes
from tests.engine.training.plain import plain_expression, plain_phrase, plain_sentence
from tests.engine.training.small import code, prose


@given(text=st.text(min_size=1, max_size=300), is_code=st.booleans(), seed=st.integers(0, 2**32))
def test_a_hole_is_never_empty_and_lies_in_the_text(text: str, is_code: bool, seed: int) -> None:
    start, end = one_hole(text, is_code, np.random.default_rng(seed))
    assert 0 <= start < end <= len(text)
    assert end - start <= MAX_HOLE


@given(text=st.text(min_size=1, max_size=300), is_code=st.booleans(), seed=st.integers(0, 2**32))
def test_several_holes_are_apart_and_in_order(text: str, is_code: bool, seed: int) -> None:
    found = several_holes(text, is_code, np.random.default_rng(seed))
    assert 1 <= len(found) <= 4
    assert all(left[1] + 2 < right[0] for left, right in pairwise(found))


@pytest.mark.parametrize(
    ("fast", "plain"),
    [
        (holes.sentence, plain_sentence),
        (holes.phrase, plain_phrase),
        (holes.expression, plain_expression),
    ],
)
@given(
    text=st.lists(st.sampled_from([*" \n\t.!?\"”’')(:=\x1c\xa0\u2003", "a", "(b)", "= c", "return d", "if e:"])).map(
        "".join
    ),
    seed=st.integers(0, 2**32),
)
def test_the_fast_cutters_cut_as_the_plain_ones(fast: holes.Cutter, plain: holes.Cutter, text: str, seed: int) -> None:
    assert fast(text, np.random.default_rng(seed)) == plain(text, np.random.default_rng(seed))


def draws(cutter: holes.Cutter, text: str, count: int = 100) -> list[str]:
    found = []
    for seed in range(count):
        span = cutter(text, np.random.default_rng(seed))
        if span is not None:
            found.append(text[span[0] : span[1]])
    return found


def test_lines_are_whole_lines() -> None:
    text = code(1)
    for piece in draws(lines, text):
        assert not piece.endswith("\n")
        assert piece.split("\n")[-1] in text.split("\n") or piece.strip() in [line.strip() for line in text.split("\n")]


def test_a_block_keeps_to_its_indentation_and_a_body_is_a_functions() -> None:
    text = code(1)
    for piece in draws(block, text):
        first, *rest = [line for line in piece.splitlines() if line.strip()]
        depth = next(len(line) - len(line.lstrip()) for line in text.splitlines() if line.strip() == first.strip())
        assert all(len(line) - len(line.lstrip()) >= depth for line in rest)
    bodies = set(draws(body, text))
    assert any(piece.startswith('"""Adds up 1') and piece.endswith("return result") for piece in bodies)


def test_sentences_are_whole() -> None:
    found = [piece for piece in draws(sentence, prose(3)) if piece]
    assert len(found) > 30
    assert all(piece[0].isupper() and piece[-1] == "." for piece in found)


@pytest.mark.parametrize("is_code", [True, False])
def test_cuts_fall_inside_words_too(is_code: bool) -> None:
    text = code(1) if is_code else prose(1)
    inside = 0
    for seed in range(300):
        start, _ = one_hole(text, is_code, np.random.default_rng(seed))
        inside += start > 0 and text[start - 1].isalpha() and text[start].isalpha()
    assert inside > 15


def test_short_spans_are_likelier() -> None:
    text = prose(1) * 2
    lengths = [end - start for start, end in (any_span(text, np.random.default_rng(seed)) for seed in range(500))]
    assert np.median(lengths) < 40
    assert max(lengths) > 300
