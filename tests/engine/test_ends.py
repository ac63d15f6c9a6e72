"""Step 5: the end of a hole drawn again when its text stands."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.canvas import Canvas, Piece, lay_out
from engine.denoise import DenoiseSettings, DenoisingStep, denoise, denoise_batch
from engine.ends import REACH
from engine.models.base import ModelAdapter
from engine.passes import Pass
from engine.reverse import Reversal
from engine.sampling import SamplingRule
from engine.schedule import LeftToRightSchedule, LogLinearSchedule, NoiseSchedule
from engine.types import ContextOrder
from tests.engine.test_reverse import Proven
from tests.engine.tiny import load_tiny, write_checkpoint

WORD, EMPTY, MASK, VOCABULARY = 1, 6, 7, 8


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> ModelAdapter:
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint")))


@pytest.fixture(scope="module", params=["causal", "mixed2"])
def either(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelAdapter:
    """Eso-LM (B) and (A), whose clean tokens see one another in both directions."""
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint"), attention=request.param))


def one_hole(capacity: int, *, least: int = 0, can_shrink: bool = True) -> Canvas:
    """A hole from position 1 on."""
    pieces = [Piece(ids=(2,)), Piece(span=0, hole=True, capacity=capacity, least=least), Piece(ids=(3,))]
    return lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=1, empty=EMPTY if can_shrink else None)


def write(
    canvas: Canvas,
    planned: int,
    chances: Sequence[float],
    *,
    temperature: float = 0.0,
    alpha_0: float = 0.5,
    schedule: NoiseSchedule | None = None,
) -> list[DenoisingStep]:
    """A run with a model that lets the parallel steps end the hole after `planned` tokens, and that then, asked about a
    position of the hole given the text before it, gives the empty token these chances."""
    rule = SamplingRule(temperature, 1.0, (MASK,), EMPTY)
    how = DenoiseSettings(1, alpha_0, rule, schedule=schedule or LeftToRightSchedule(), redraw_ends=True)
    run = Reversal(0, canvas, how, torch.Generator().manual_seed(0), room=200).steps()
    reports: list[DenoisingStep] = []
    item = next(run, None)
    while item is not None:
        if isinstance(item, Pass):
            parallel = not reports
            logits = torch.full((len(item.feed.masked), VOCABULARY), -30.0)
            for row, position in enumerate(item.feed.masked):
                chance = float(position > planned) if parallel else chances[position - 1]
                logits[row, WORD], logits[row, EMPTY] = torch.tensor([1 - chance, chance]).clamp_min(1e-9).log()
            item = run.send(logits)
        else:
            reports.append(item)
            item = next(run, None)
    assert canvas.masked() == []
    planned_steps = [report.steps for report in reports]
    assert planned_steps == sorted(planned_steps, reverse=True)
    assert reports[-1].step == reports[-1].steps == len(reports)
    return reports


def test_text_is_cut_back_to_an_end_that_is_likelier_than_the_one_drawn_before_it() -> None:
    canvas = one_hole(12)
    reports = write(canvas, 5, [0.0, 0.0, 0.8, 0.0, 0.0, 0.1, *[0.0] * 6])
    assert sorted(canvas.written) == [1, 2]
    assert canvas.holes[0].end == 3
    assert (reports[-1].accepted, reports[-1].remasked) == ((3,), (3, 4, 5))


def test_an_end_that_is_likely_stays_and_costs_one_pass() -> None:
    canvas = one_hole(12)
    reports = write(canvas, 5, [0.0, 0.0, 0.1, 0.0, 0.0, 0.9, *[0.0] * 6])
    assert sorted(canvas.written) == [1, 2, 3, 4, 5]
    assert len(reports) == 2
    assert (reports[-1].accepted, reports[-1].remasked) == ((), ())


def test_text_goes_on_until_it_ends() -> None:
    canvas = one_hole(20)
    reports = write(canvas, 5, [*[0.0] * 7, 0.9, *[0.0] * 12])
    assert sorted(canvas.written) == [1, 2, 3, 4, 5, 6, 7]
    assert [report.accepted for report in reports[1:]] == [(6,), (7,), (8,)]


def test_text_that_finds_no_end_in_reach_is_cut_back_to_the_best_of_those_passed_by() -> None:
    canvas = one_hole(30)
    chances = [0.0] * 30
    chances[6], chances[3] = 0.3, 0.2
    reports = write(canvas, 5, chances)
    assert sorted(canvas.written) == [1, 2, 3, 4, 5, 6]
    assert len(reports) == 1 + REACH
    assert reports[-1].remasked == tuple(range(7, 6 + REACH))


def test_text_that_comes_to_the_limit_with_its_next_token_is_cut_back_too() -> None:
    canvas = one_hole(6)
    chances = [0.0, 0.0, 0.3, 0.0, 0.0, 0.0]
    reports = write(canvas, 5, chances, alpha_0=0.9, schedule=LogLinearSchedule())
    assert 6 in reports[0].accepted
    assert sorted(canvas.written) == [1, 2]
    assert (reports[-1].accepted, reports[-1].remasked) == ((3,), (3, 4, 5, 6))


def test_text_without_any_end_keeps_the_one_it_had() -> None:
    canvas = one_hole(30)
    write(canvas, 5, [0.0] * 30)
    assert len(canvas.written) == 5


def test_a_hole_that_came_to_its_limit_is_cut_back_where_it_should_have_ended() -> None:
    canvas = one_hole(12)
    reports = write(canvas, 12, [0.0] * 4 + [0.7] + [0.0] * 7, alpha_0=0.9, temperature=0.01)
    assert sorted(canvas.written) == [1, 2, 3, 4]
    assert reports[-1].remasked == tuple(range(5, 13))


def test_a_hole_keeps_its_least_length() -> None:
    canvas = one_hole(12, least=4)
    write(canvas, 6, [0.9] * 12)
    assert len(canvas.written) >= 4


@pytest.mark.parametrize("canvas", [one_hole(12, least=12), one_hole(12, can_shrink=False)])
def test_a_hole_of_fixed_length_costs_no_pass_more(canvas: Canvas) -> None:
    write(canvas, 12, [0.9] * 12)
    assert sorted(canvas.written) == list(range(1, 13))


def test_a_run_that_is_parallel_throughout_takes_its_steps_and_no_more() -> None:
    canvas = one_hole(12)
    assert len(write(canvas, 5, [0.9] * 12, alpha_0=1.0)) == 1


def test_at_temperature_1_lengths_come_as_often_as_the_model_says_whatever_was_drawn_before() -> None:
    chances = [0.0, 0.2, 0.0, 0.5, 0.3, 1.0, 0.0]
    rule = SamplingRule(1.0, 1.0, (MASK,), EMPTY)
    how = DenoiseSettings(1, 0.9, rule, schedule=LeftToRightSchedule(), redraw_ends=True)
    generator = torch.Generator().manual_seed(3)
    counts = torch.zeros(7)
    for _ in range(600):
        canvas = one_hole(7)
        run = Reversal(0, canvas, how, generator, room=99).steps()
        reports, item = 0, next(run, None)
        while item is not None:
            if isinstance(item, Pass):
                logits = torch.full((len(item.feed.masked), VOCABULARY), -30.0)
                for row, position in enumerate(item.feed.masked):
                    chance = float(position > 4) if not reports else chances[position - 1]
                    logits[row, WORD], logits[row, EMPTY] = torch.tensor([1 - chance, chance]).clamp_min(1e-13).log()
                item = run.send(logits)
            else:
                reports += 1
                item = next(run, None)
        counts[len(canvas.written)] += 1
    expected = torch.tensor([0.0, 0.2, 0.0, 0.4, 0.12, 0.28, 0.0]) * 600
    assert counts[expected == 0].sum() == 0
    assert float((((counts - expected) ** 2)[expected > 0] / expected[expected > 0]).sum()) < 16.3  # 0.1 %, 3 degrees


def two_holes(adapter: ModelAdapter) -> Canvas:
    pieces = [
        Piece(ids=tuple(i % 60 for i in range(40))),
        Piece(span=0, hole=True, capacity=24, least=2),
        Piece(ids=(5, 6, 7)),
        Piece(span=1, hole=True, capacity=9, limit=9, least=1),
        Piece(ids=(4, 4)),
    ]
    return lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=8, empty=adapter.config.special_tokens.empty)


def real(adapter: ModelAdapter, sampler: str = "ancestral", alpha_0: float = 0.6) -> DenoiseSettings:
    special = adapter.config.special_tokens
    rule = SamplingRule(0.7, 0.9, special.never_written(), special.empty)
    return DenoiseSettings(6, alpha_0, rule, sampler, redraw_ends=True)


@pytest.mark.parametrize("sampler", ["ancestral", "threshold", "remdm", "p2"])
def test_every_pass_of_a_run_is_exact_and_its_plan_true(adapter: ModelAdapter, sampler: str) -> None:
    for seed in range(2):
        canvas, cache, steps = two_holes(adapter), adapter.new_cache(), []
        generator = torch.Generator().manual_seed(seed)
        for report in denoise(Proven(adapter), cache, canvas, real(adapter, sampler), generator):
            cache.check_integrity()
            if isinstance(report, DenoisingStep):
                steps.append(report)
        assert canvas.masked() == []
        assert [step.step for step in steps] == list(range(1, len(steps) + 1))
        assert [step.steps for step in steps] == sorted((step.steps for step in steps), reverse=True)
        assert steps[-1].steps == len(steps)


@pytest.mark.parametrize("sampler", ["ancestral", "threshold", "remdm"])
def test_variations_in_a_batch_equal_single_runs(either: ModelAdapter, sampler: str) -> None:
    how, cache = real(either, sampler), either.new_cache()
    canvases = [two_holes(either) for _ in range(4)]
    generators = [torch.Generator().manual_seed(seed) for seed in range(4)]
    for _ in denoise_batch(either, cache, canvases, how, generators):
        cache.check_integrity()
    for seed, canvas in enumerate(canvases):
        alone = two_holes(either)
        for _ in denoise(either, either.new_cache(), alone, how, torch.Generator().manual_seed(seed)):
            pass
        assert canvas.accepted == alone.accepted


def test_a_stop_at_any_step_leaves_a_valid_cache_and_no_trace(either: ModelAdapter) -> None:
    how, cache, fresh = real(either), either.new_cache(), two_holes(either)
    steps = list(denoise(either, either.new_cache(), fresh, how, torch.Generator().manual_seed(7)))
    for count in range(len(steps) - 3, len(steps)):
        stopped = denoise(either, cache, two_holes(either), how, torch.Generator().manual_seed(7))
        for _ in range(count):
            next(stopped)
        stopped.close()
        cache.check_integrity()
        after = two_holes(either)
        for _ in denoise(either, cache, after, how, torch.Generator().manual_seed(7)):
            pass
        assert after.written == fresh.written


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    capacities=st.lists(st.integers(1, 14), min_size=1, max_size=3),
    leasts=st.lists(st.integers(0, 14), min_size=3, max_size=3),
    alpha_0=st.sampled_from([0.0, 0.3, 0.7, 1.0]),
    emptiness=st.sampled_from([-6.0, -2.0, 0.0, 4.0]),
    temperature=st.sampled_from([0.0, 0.7, 1.0]),
    room=st.sampled_from([60, 200]),
    seed=st.integers(0, 1000),
)
def test_whatever_a_model_says_runs_end_truly(
    capacities: list[int],
    leasts: list[int],
    alpha_0: float,
    emptiness: float,
    temperature: float,
    room: int,
    seed: int,
) -> None:
    pieces = [Piece(ids=(1,))]
    for span, capacity in enumerate(capacities):
        least = min(capacity, leasts[span])
        pieces += [Piece(span=span, hole=True, capacity=capacity, limit=capacity, least=least), Piece(ids=(2, 3))]
    canvas = lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=4, empty=EMPTY)
    generator = torch.Generator().manual_seed(seed)
    how = DenoiseSettings(5, alpha_0, SamplingRule(temperature, 0.9, (MASK,), EMPTY), redraw_ends=True)
    run = Reversal(0, canvas, how, generator, room=room).steps()
    fed = 0
    reports: list[DenoisingStep] = []
    item = next(run, None)
    while item is not None:
        if isinstance(item, Pass):
            assert item.kept <= fed
            fed = item.kept + len(item.feed.clean)
            assert fed + len(item.feed.masked) <= room
            assert item.seen is None or all(0 <= seen <= len(item.feed.clean) for seen in item.seen)
            logits = 3 * torch.randn(len(item.feed.masked), VOCABULARY, generator=generator)
            logits[:, EMPTY] += emptiness
            item = run.send(logits)
        else:
            reports.append(item)
            item = next(run, None)
    assert canvas.masked() == []
    assert [report.steps for report in reports] == sorted((report.steps for report in reports), reverse=True)
    assert not reports or reports[-1].step == reports[-1].steps == len(reports)
    for hole in canvas.holes:
        text = [position for position in range(hole.start, hole.start + hole.capacity) if position in canvas.written]
        assert text == list(range(hole.start, hole.end))
        assert hole.least <= len(text) <= hole.limit - hole.start
    assert EMPTY not in {written.token for written in canvas.written.values()}
