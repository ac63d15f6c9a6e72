from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np
import pytest

from engine.training import kneser_ney
from engine.training.kneser_ney import KneserNey

VOCAB = 7


def make_documents(seed: int = 0) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    return [generator.choice(VOCAB, 40, p=[0.4, 0.2, 0.15, 0.1, 0.1, 0.03, 0.02]).astype(np.uint16) for _ in range(5)]


def slow(documents: list[np.ndarray], history: tuple[int, ...], token: int, order: int) -> float:
    """The textbook formula over dictionaries."""
    grams = {}
    grams[order] = Counter(
        tuple(document[i : i + order].tolist()) for document in documents for i in range(len(document) - order + 1)
    )
    for size in range(order - 1, 0, -1):
        grams[size] = Counter(gram[1:] for gram in grams[size + 1])
    probability = 1 / VOCAB
    for size in range(1, order + 1):
        if len(history) < size - 1:
            break
        counts = grams[size]
        once, twice = (sum(count == n for count in counts.values()) for n in (1, 2))
        discount = once / (once + 2 * twice) if once and twice else 0.5
        after: dict[int, int] = defaultdict(int)
        kind = history[len(history) - size + 1 :]
        for gram, count in counts.items():
            if gram[:-1] == kind:
                after[gram[-1]] += count
        total = sum(after.values())
        if total:
            share = max(after[token] - discount, 0) if token in after else 0
            types = sum(count > 0 for count in after.values())
            probability = share / total + discount * types / total * probability
    return probability


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_equal_the_textbook_formula(order: int) -> None:
    documents = make_documents()
    model = KneserNey(documents, VOCAB, order)
    text = make_documents(1)[0][:20]
    found = 2 ** model.log2_probabilities(text, 0)
    wanted = [slow(documents, tuple(text[:i].tolist()), int(text[i]), order) for i in range(len(text))]
    assert found == pytest.approx(wanted)


def test_probabilities_sum_to_one() -> None:
    model = KneserNey(make_documents(), VOCAB, 3)
    for history in ([0, 1], [6, 6], []):
        total = sum(
            2 ** model.log2_probabilities(np.array([*history, token], dtype=np.uint16), len(history))[0]
            for token in range(VOCAB)
        )
        assert total == pytest.approx(1.0)


@pytest.mark.parametrize("longest", [0, 1, 2, 4])
def test_documents_shorter_than_an_ngram_are_counted_as_far_as_they_reach(longest: int) -> None:
    documents = (
        [document[: longest - number % 2] for number, document in enumerate(make_documents())] if longest else []
    )
    model = KneserNey(documents, VOCAB, 5)
    text = make_documents(1)[0][:12]
    found = 2 ** model.log2_probabilities(text, 0)
    if longest:
        wanted = [slow(documents, tuple(text[:i].tolist()), int(text[i]), longest) for i in range(len(text))]
    else:
        wanted = [1 / VOCAB] * len(text)
    assert found == pytest.approx(wanted)


def test_keys_are_sorted_as_numpy_sorts_them_and_every_place_is_kept() -> None:
    generator = np.random.default_rng(0)
    keys = generator.choice(generator.integers(0, 2**64, 900, dtype=np.uint64), 5000)
    ordered, order = kneser_ney._sorted(keys)
    assert (ordered == np.sort(keys)).all()
    assert (keys[order] == ordered).all()
    assert (np.sort(order) == np.arange(5000)).all()
    found, place, counts = kneser_ney._types(keys)
    wanted, times = np.unique(keys, return_counts=True)
    assert (found == wanted).all()
    assert (counts == times).all()
    assert (keys[place] == found).all()
