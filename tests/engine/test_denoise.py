"""The reverse process on a real (tiny) model: steps, order, exactness, same request same result."""

from __future__ import annotations

import pytest
import torch

from engine.cache import CleanTokenCache
from engine.canvas import Canvas, Piece, lay_out
from engine.denoise import DenoiseSettings, DenoisingStep, Prefill, Progress, denoise, denoise_batch
from engine.models.base import ModelAdapter
from engine.sampling import SamplingRule
from engine.types import ContextOrder
from tests.engine.tiny import load_tiny, write_checkpoint


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> ModelAdapter:
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint")))


def make_canvas(adapter: ModelAdapter, capacity: int = 20, prefix: int = 70, *, can_shrink: bool = False) -> Canvas:
    pieces = [
        Piece(ids=tuple(i % 60 for i in range(prefix))),
        Piece(span=0, hole=True, capacity=capacity),
        Piece(ids=tuple(i % 50 for i in range(40))),
    ]
    empty = adapter.config.special_tokens.empty if can_shrink else None
    return lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=1, empty=empty)


def make_settings(
    adapter: ModelAdapter, *, steps: int = 5, alpha_0: float = 1.0, sampler: str = "ancestral"
) -> DenoiseSettings:
    special = adapter.config.special_tokens
    rule = SamplingRule(1.0, 0.95, special.never_written(), special.empty)
    return DenoiseSettings(steps, alpha_0, rule, sampler)


def run(
    adapter: ModelAdapter, cache: CleanTokenCache, canvas: Canvas, settings: DenoiseSettings, seed: int = 0
) -> list[Progress]:
    progress = []
    for report in denoise(adapter, cache, canvas, settings, torch.Generator().manual_seed(seed)):
        cache.check_integrity()
        progress.append(report)
    return progress


def steps_of(progress: list[Progress]) -> list[DenoisingStep]:
    return [report for report in progress if isinstance(report, DenoisingStep)]


@pytest.mark.parametrize("sampler", ["ancestral", "confidence", "margin", "maskgit-plus"])
@pytest.mark.parametrize(("alpha_0", "expected"), [(1.0, 5), (0.0, 20), (0.5, 15)])
def test_alpha_0_sets_how_many_forward_passes_a_run_takes(
    adapter: ModelAdapter, sampler: str, alpha_0: float, expected: int
) -> None:
    canvas = make_canvas(adapter)
    steps = steps_of(
        run(adapter, adapter.new_cache(), canvas, make_settings(adapter, alpha_0=alpha_0, sampler=sampler))
    )
    assert len(steps) == expected
    assert steps[-1].step == steps[-1].steps == expected
    assert canvas.masked() == []
    assert sorted(p for step in steps for p in step.accepted) == list(range(70, 90))


def test_the_sequential_part_goes_from_left_to_right(adapter: ModelAdapter) -> None:
    steps = steps_of(run(adapter, adapter.new_cache(), make_canvas(adapter), make_settings(adapter, alpha_0=0.0)))
    assert [step.accepted for step in steps] == [(p,) for p in range(70, 90)]


def test_the_planned_number_of_steps_never_grows(adapter: ModelAdapter) -> None:
    for seed in range(8):
        canvas = make_canvas(adapter, can_shrink=True)
        steps = steps_of(run(adapter, adapter.new_cache(), canvas, make_settings(adapter, alpha_0=0.6), seed))
        planned = [step.steps for step in steps]
        assert planned == sorted(planned, reverse=True)
        assert [step.step for step in steps] == list(range(1, len(steps) + 1))


def test_the_mask_and_the_frame_tokens_are_never_written(adapter: ModelAdapter) -> None:
    forbidden = set(adapter.config.special_tokens.never_written())
    for seed in range(5):
        canvas = make_canvas(adapter, can_shrink=True)
        run(adapter, adapter.new_cache(), canvas, make_settings(adapter), seed)
        assert not {written.token for written in canvas.written.values()} & forbidden


@pytest.mark.parametrize("alpha_0", [0.0, 0.4, 1.0])
def test_the_same_run_gives_the_same_text_with_a_cold_and_a_warm_cache(adapter: ModelAdapter, alpha_0: float) -> None:
    settings = make_settings(adapter, alpha_0=alpha_0)
    cold, warm = make_canvas(adapter), make_canvas(adapter)
    run(adapter, adapter.new_cache(), cold, settings, seed=3)
    cache = adapter.new_cache()
    run(adapter, cache, make_canvas(adapter), settings, seed=9)
    first = run(adapter, cache, warm, settings, seed=3)[0]
    assert isinstance(first, Prefill)
    assert first.reused > 0
    assert warm.accepted == cold.accepted
    assert warm.written == cold.written


def test_seeds_differ(adapter: ModelAdapter) -> None:
    one, other = make_canvas(adapter), make_canvas(adapter)
    run(adapter, adapter.new_cache(), one, make_settings(adapter), seed=1)
    run(adapter, adapter.new_cache(), other, make_settings(adapter), seed=2)
    assert one.written != other.written


def test_a_stop_in_the_middle_leaves_a_valid_cache_and_no_trace_in_the_next_run(adapter: ModelAdapter) -> None:
    settings = make_settings(adapter)
    cache = adapter.new_cache()
    stopped = denoise(adapter, cache, make_canvas(adapter), settings, torch.Generator().manual_seed(1))
    for _ in range(4):
        next(stopped)
    stopped.close()
    cache.check_integrity()
    after, fresh = make_canvas(adapter), make_canvas(adapter)
    run(adapter, cache, after, settings, seed=7)
    run(adapter, adapter.new_cache(), fresh, settings, seed=7)
    assert after.written == fresh.written


def test_an_empty_prefix_and_suffix_can_be_filled(adapter: ModelAdapter) -> None:
    canvas = lay_out([Piece(span=0, hole=True, capacity=6)], order=ContextOrder.SUFFIX_FIRST, grid=16, empty=None)
    progress = run(adapter, adapter.new_cache(), canvas, make_settings(adapter))
    assert isinstance(progress[0], Prefill)
    assert len(canvas.written) == 6


def test_a_batch_of_variations_equals_single_runs(adapter: ModelAdapter) -> None:
    settings = make_settings(adapter, alpha_0=0.5)
    canvases = [make_canvas(adapter, can_shrink=True) for _ in range(4)]
    generators = [torch.Generator().manual_seed(seed) for seed in range(4)]
    cache = adapter.new_cache()
    passes = 0
    for report in denoise_batch(adapter, cache, canvases, settings, generators):
        cache.check_integrity()
        passes += isinstance(report, tuple)
    counts = []
    for seed, canvas in enumerate(canvases):
        alone = make_canvas(adapter, can_shrink=True)
        counts.append(len(steps_of(run(adapter, adapter.new_cache(), alone, settings, seed))))
        assert canvas.accepted == alone.accepted
    assert passes == max(counts)
