from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from engine.errors import TrainingError
from engine.tokenization import Tokenizer
from engine.training.assembling import capacity_of
from engine.training.cutting import cut_batches
from engine.training.documents import Document
from engine.training.packing import PackingRules, pack, pack_records
from engine.training.samples import Sample, records_of
from tests.engine.training.plain import plain_samples
from tests.engine.training.small import documents, small_tokenizer

RULES = PackingRules(windows=((64, 0.5), (128, 0.5)), context_length=256)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return small_tokenizer()


@pytest.fixture(scope="module")
def samples(tokenizer: Tokenizer) -> list[Sample]:
    return [sample for batch in pack(documents(), tokenizer, 400, RULES, 0) for sample in batch]


def text_of(sample: Sample, tokenizer: Tokenizer) -> str:
    return tokenizer.decode([token for piece in sample.pieces for token in piece.ids])


def test_every_sample_is_a_piece_of_one_document(samples: list[Sample], tokenizer: Tokenizer) -> None:
    texts = [document.text for document in documents()]
    for sample in samples:
        text = text_of(sample, tokenizer)
        homes = [home for home in texts if text.strip("\ufffd") in home]
        assert homes, text
        if sample.starts:
            assert any(home.startswith(text) for home in homes)
        if sample.ends:
            assert any(home.endswith(text) for home in homes)


def test_every_sample_has_a_hole_and_fits_the_context(samples: list[Sample]) -> None:
    for sample in samples:
        assert any(piece.is_hole for piece in sample.pieces)
        assert sample.length <= RULES.context_length
        assert all(piece.capacity >= max(1, len(piece.ids)) for piece in sample.pieces if piece.is_hole)


def test_holes_are_never_next_to_each_other(samples: list[Sample]) -> None:
    assert not any(left.is_hole and right.is_hole for sample in samples for left, right in pairwise(sample.pieces))


def test_all_tasks_turn_up(samples: list[Sample]) -> None:
    holes = [sum(piece.is_hole for piece in sample.pieces) for sample in samples]
    assert sum(count == 1 for count in holes) > 150
    assert sum(2 <= count <= 4 for count in holes) > 30
    assert sum(count > 4 for count in holes) > 20
    assert sum(sample.pieces[-1].is_hole for sample in samples) > 20
    assert sum(sample.pieces[0].is_hole for sample in samples) > 10


def test_code_is_half_of_the_samples(samples: list[Sample], tokenizer: Tokenizer) -> None:
    code = sum("On day" not in text_of(sample, tokenizer) and "the" not in text_of(sample, tokenizer).split()
               for sample in samples)  # fmt: skip
    assert 0.4 < code / len(samples) < 0.6


def test_the_same_seed_packs_the_same_samples(tokenizer: Tokenizer) -> None:
    first, again, other = (
        [sample for batch in pack(documents(), tokenizer, 30, RULES, seed) for sample in batch] for seed in (1, 1, 2)
    )
    assert first == again != other


def test_other_processes_pack_the_same_samples(tokenizer: Tokenizer) -> None:
    arguments = (documents(), tokenizer, 2100, PackingRules(windows=((64, 1.0),), context_length=128), 3)
    alone = list(pack_records(*arguments, processes=0))
    assert len(alone) == 2
    assert list(pack_records(*arguments, processes=1)) == alone


@pytest.mark.parametrize("processes", [0, 1])
def test_packing_ends_with_the_batch_that_has_rows_enough(
    tokenizer: Tokenizer, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.training.cutting._BATCH", 20)
    arguments = (documents(), tokenizer, 200, RULES, 3)
    everything = list(pack_records(*arguments, processes=0))
    rows = everything[0].least_rows + 1
    assert list(pack_records(*arguments, rows=rows, processes=processes)) == everything[:2]
    assert list(pack_records(*arguments, rows=10**9, processes=0)) == everything


@pytest.mark.parametrize("context_length", [64, 256])
def test_fast_packing_gives_what_plain_packing_gives(tokenizer: Tokenizer, context_length: int) -> None:
    rules = PackingRules(windows=RULES.windows, context_length=context_length)
    texts = [*documents(), Document("text", "made", "„Größe“, sagte Čapek … und ging: 水を飲む. " * 9)]
    plain = [plain_samples(batch, tokenizer, rules) for batch in cut_batches(texts, 2300, rules, 5)]
    assert list(pack(texts, tokenizer, 2300, rules, 5)) == plain
    fast = list(pack_records(texts, tokenizer, 2300, rules, 5))
    assert [replace(records, text_bytes=0) for records in fast] == [records_of(samples) for samples in plain]


def test_records_tell_how_much_text_they_were_made_from(tokenizer: Tokenizer) -> None:
    rules = PackingRules(windows=((128, 1.0),), tasks=(0.0, 0.0, 1.0, 0.0, 0.0))
    text = "Ein Käfer … lief über die Straße.\n"
    (records,) = pack_records([Document("text", "made", text * 2)], tokenizer, 3, rules, 0)
    assert records.text_bytes == 3 * 2 * len(text.encode())


def test_slack_is_sometimes_nothing_and_often_ends_on_the_grid() -> None:
    generator = np.random.default_rng(0)
    capacities = [capacity_of(10, 37, RULES, generator) for _ in range(2000)]
    assert 0.08 < np.mean([capacity == 10 for capacity in capacities]) < 0.2
    assert np.mean([(37 + capacity) % 64 == 0 for capacity in capacities]) > 0.35
    assert max(capacities) - 10 <= RULES.max_slack + RULES.suffix_grid
    assert len({capacity for capacity in capacities if (37 + capacity) % 64}) > 100


def test_an_empty_hole_still_has_a_position() -> None:
    generator = np.random.default_rng(0)
    assert min(capacity_of(0, 0, RULES, generator) for _ in range(200)) == 1


def test_too_short_documents_are_an_error(tokenizer: Tokenizer) -> None:
    with pytest.raises(TrainingError, match="long enough"):
        next(pack([Document("fiction", "made", "short")], tokenizer, 1, RULES, 0))


def test_prose_alone_or_code_alone_is_enough(tokenizer: Tokenizer) -> None:
    for code in (False, True):
        kept = [document for document in documents() if document.is_code == code]
        assert next(pack(kept, tokenizer, 10, RULES, 0))
