"""Static steps, recorded and replayed, against the ordinary step: the same logits, the same cache, at random feeds."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cache import BLOCK
from engine.canvas import Placed
from engine.models.esolm import EsoLMAdapter
from engine.models.step_rows import ROW_COUNTS, padded_columns, padded_rows, rows_of_step
from tests.engine.models.tape import TapeRecorder, load_static
from tests.engine.models.walking import TOLERANCE, VOCABULARY, Pair, Walk, assert_same_cache
from tests.engine.tiny import load_tiny, write_checkpoint


@dataclass(frozen=True)
class Recorded(Pair):
    recorder: TapeRecorder


@pytest.fixture(scope="module", params=[False, True], ids=["masks-apart", "masks-see-masks"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    folder: Path = tmp_path_factory.mktemp("checkpoint")
    write_checkpoint(folder, masks_see_masks=request.param, tie_embeddings=not request.param)
    plain = cast(EsoLMAdapter, load_tiny(folder))
    recorder = TapeRecorder()
    return Recorded(plain, load_static(folder, recorder), recorder)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=25)
def test_random_feeds_give_the_same_logits_and_the_same_caches(pair: Recorded, seed: int) -> None:
    walk = Walk(pair, random.Random(seed))
    for _ in range(10):
        walk.do_anything()
    for plain, static in walk.caches:
        assert_same_cache(pair, plain, static)


def test_the_walks_really_replayed(pair: Recorded) -> None:
    walk = Walk(pair, random.Random(7))
    before = pair.recorder.replayed
    for _ in range(6):
        walk.caches[0][0].clear()
        walk.caches[0][1].clear()
        for count in (4, 3, 4):
            clean = [Placed(walk.rng.randrange(VOCABULARY), position) for position in walk.free()[:count]]
            masked = [position for position in walk.free() if position not in {p.position for p in clean}][:3]
            expected = pair.plain.step(walk.caches[0][0], clean, masked)
            assert torch.allclose(pair.static.step(walk.caches[0][1], clean, masked), expected, atol=TOLERANCE, rtol=0)
    assert pair.recorder.replayed >= before + 16


def test_logits_stay_what_they_are_when_the_next_step_runs(pair: Recorded) -> None:
    cache = pair.static.new_cache()
    steps = [pair.static.step(cache, [Placed(5, position)], [20, 30]) for position in range(4)]
    copies = [logits.clone() for logits in steps]
    pair.static.step(cache, [Placed(9, 9)], [20, 30])
    assert all(torch.equal(logits, copy) for logits, copy in zip(steps, copies, strict=True))
    assert not torch.equal(steps[-1], steps[-2])


def test_a_context_is_the_same_to_the_last_bit_cold_recorded_and_replayed(pair: Recorded) -> None:
    rng = random.Random(2)
    context = [Placed(rng.randrange(VOCABULARY), position) for position in range(3 * BLOCK)]
    results = []
    for _ in range(4):
        cache = pair.static.new_cache()
        for start in range(0, len(context), BLOCK):
            pair.static.step(cache, context[start : start + BLOCK], (), as_block=True)
        assert cache.common(context) == len(context)
        results.append(pair.static.step(cache, (), [200, 201]))
    assert all(torch.equal(result, results[0]) for result in results)


def test_bfloat16_stays_close_to_float32(pair: Recorded) -> None:
    half = load_static(pair.plain.config.folder, None, dtype=torch.bfloat16)
    clean = [Placed(position * 7 % VOCABULARY, position) for position in range(64)]
    masked = list(range(100, 112))
    exact = pair.static.step(pair.static.new_cache(), clean, masked).softmax(-1)
    rounded = half.step(half.new_cache(), clean, masked).float().softmax(-1)
    assert (exact - rounded).abs().sum(-1).max() / 2 < 0.08  # total variation distance


def test_a_pass_of_more_rows_than_any_recording_runs_as_it_is(pair: Recorded) -> None:
    clean = [Placed(position % VOCABULARY, position) for position in range(200)]
    masked = list(range(200, 290))
    recordings = pair.static.recordings
    caches = pair.plain.new_cache(), pair.static.new_cache()
    for _ in range(3):
        expected = pair.plain.step(caches[0], clean, masked)
        logits = pair.static.step(caches[1], clean, masked)
        assert torch.allclose(logits, expected, atol=TOLERANCE, rtol=0)
        for cache in caches:
            cache.clear()
    assert len(clean) + len(masked) > ROW_COUNTS[-1]
    assert pair.static.recordings == recordings


def test_nothing_to_feed_is_no_pass_at_all(pair: Recorded) -> None:
    cache = pair.static.new_cache()
    assert pair.static.step(cache, (), ()).shape == (0, pair.plain.config.vocab_size)
    assert len(cache) == 0


def test_a_cache_can_be_filled_to_its_last_row(pair: Recorded) -> None:
    room = pair.static.new_cache().room
    for rows in (room, room - 1):
        plain, static = pair.plain.new_cache(), pair.static.new_cache()
        for start in range(0, rows - 4, 128):
            chunk = [Placed(p % VOCABULARY, p % 256) for p in range(start, min(start + 128, rows - 4))]
            pair.plain.step(plain, chunk, ())
            pair.static.step(static, chunk, ())
        masked = range(4)
        expected = pair.plain.step(plain, (), masked)
        assert torch.allclose(pair.static.step(static, (), masked), expected, atol=TOLERANCE, rtol=0)


def test_padded_sizes_are_few_and_large_enough() -> None:
    assert [padded_rows(rows) for rows in (1, 2, 3, 31, 32, 33, 256, 300)] == [2, 2, 4, 32, 32, 64, 256, 300]
    sizes = {padded_columns(columns, 8704) for columns in range(1, 8705)}
    assert sorted(sizes) == [256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 8704]
    assert all(padded_columns(columns, 8704) >= columns for columns in range(1, 8705))


def test_padding_writes_where_nothing_looks() -> None:
    rows = rows_of_step(10, [Placed(3, 7)], [8, 9], mask=99, seen=None, masks_see_masks=False)
    packed = rows.packed(4, spill=500).tolist()
    assert packed == [[3, 99, 99, 0], [7, 8, 9, 0], [10, 11, 12, 500], [10, 11, 11, 1], [-1] * 4, [1, 2, 0, 0]]
