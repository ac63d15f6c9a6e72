"""Steps 2 to 4 with every sampler and schedule: all is written, the plan is true, the cache exact also when tokens are
taken back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from engine.cache import CleanTokenCache
from engine.canvas import Canvas, Piece, Placed, lay_out
from engine.denoise import DenoiseSettings, DenoisingStep, denoise, denoise_batch
from engine.models.base import Feed, ModelAdapter
from engine.passes import Pass
from engine.reverse import Reversal
from engine.samplers import SAMPLERS, make_sampler
from engine.sampling import SamplingRule
from engine.schedule import SCHEDULES, make_schedule
from engine.types import ContextOrder
from tests.engine.tiny import load_tiny, write_checkpoint

REMASKING = [name for name in SAMPLERS if make_sampler(name).remasks]


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> ModelAdapter:
    return load_tiny(write_checkpoint(tmp_path_factory.mktemp("checkpoint")))


class Proven:
    """Computes every step twice, on the cache and from nothing, and compares."""

    def __init__(self, adapter: ModelAdapter) -> None:
        self._adapter = adapter
        self.info, self.config, self.tokenizer = adapter.info, adapter.config, adapter.tokenizer
        self.fed = 0
        self.kept: list[int] = []

    def new_cache(self) -> CleanTokenCache:
        return self._adapter.new_cache()

    def release(self) -> None:
        self._adapter.release()

    def step(
        self,
        cache: CleanTokenCache,
        clean: Sequence[Placed],
        masked: Sequence[int],
        *,
        seen: Sequence[int] | None = None,
        as_block: bool = False,
    ) -> Tensor:
        before = list(cache.order)
        logits = self._adapter.step(cache, clean, masked, seen=seen, as_block=as_block)
        if masked:
            every = seen if seen is not None else [len(clean)] * len(masked)
            sees = [len(before) + count for count in every]
            plain = self._adapter.step(self.new_cache(), [*before, *clean], masked, seen=sees)
            torch.testing.assert_close(logits, plain, atol=1e-4, rtol=1e-4)
            self.fed += len(clean)
            self.kept.append(len(before))
        return logits

    def step_batch(self, cache: CleanTokenCache, feeds: Sequence[Feed]) -> list[Tensor]:
        return self._adapter.step_batch(cache, feeds)


def make_canvas(adapter: ModelAdapter, *, can_shrink: bool = True) -> Canvas:
    pieces = [
        Piece(ids=tuple(i % 60 for i in range(40))),
        Piece(span=0, hole=True, capacity=14),
        Piece(ids=(5, 6, 7)),
        Piece(span=1, hole=True, capacity=6, limit=6),
        Piece(ids=(4, 4)),
    ]
    empty = adapter.config.special_tokens.empty if can_shrink else None
    return lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=8, empty=empty)


def make_settings(
    adapter: ModelAdapter, sampler: str, *, steps: int = 6, alpha_0: float = 1.0, schedule: str = "log-linear"
) -> DenoiseSettings:
    special = adapter.config.special_tokens
    rule = SamplingRule(0.9, 0.95, special.never_written(), special.empty, repetition_penalty=1.2)
    return DenoiseSettings(steps, alpha_0, rule, sampler, make_schedule(schedule))


def run(
    adapter: ModelAdapter,
    canvas: Canvas,
    settings: DenoiseSettings,
    seed: int = 0,
    cache: CleanTokenCache | None = None,
) -> list[DenoisingStep]:
    steps, cache = [], cache or adapter.new_cache()
    for report in denoise(adapter, cache, canvas, settings, torch.Generator().manual_seed(seed)):
        cache.check_integrity()
        if isinstance(report, DenoisingStep):
            steps.append(report)
            assert cache.order[: len(canvas.context)] == list(canvas.context)
    return steps


def check_plan(steps: Sequence[DenoisingStep]) -> None:
    planned = [step.steps for step in steps]
    assert planned == sorted(planned, reverse=True)
    assert [step.step for step in steps] == list(range(1, len(steps) + 1))
    assert not steps or steps[-1].step == steps[-1].steps


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_with_every_schedule_writes_all_and_keeps_to_its_plan(
    adapter: ModelAdapter, sampler: str, schedule: str
) -> None:
    forbidden = set(adapter.config.special_tokens.never_written())
    for seed, alpha_0 in enumerate((1.0, 0.5)):
        canvas = make_canvas(adapter)
        settings = make_settings(adapter, sampler, alpha_0=alpha_0, schedule=schedule)
        steps = run(adapter, canvas, settings, seed)
        check_plan(steps)
        assert canvas.masked() == []
        assert not {written.token for written in canvas.written.values()} & forbidden
        if alpha_0 == 1.0:
            assert len(steps) <= 6


@pytest.mark.parametrize("can_shrink", [True, False])
@pytest.mark.parametrize("sampler", REMASKING)
def test_the_cache_stays_exact_when_tokens_are_taken_back(
    adapter: ModelAdapter, sampler: str, can_shrink: bool
) -> None:
    taken_back = 0
    for alpha_0, seed in ((1.0, 0), (0.7, 1)):
        canvas = make_canvas(adapter, can_shrink=can_shrink)
        steps = run(Proven(adapter), canvas, make_settings(adapter, sampler, steps=12, alpha_0=alpha_0), seed)
        check_plan(steps)
        assert canvas.masked() == []
        taken_back += sum(len(step.remasked) for step in steps)
    if sampler != "coarse-to-fine":  # which replaces tokens in the step that doubts them
        assert taken_back > 0


def test_a_remasked_token_invalidates_the_cache_from_its_place_in_the_order_on(adapter: ModelAdapter) -> None:
    proven, canvas = Proven(adapter), make_canvas(adapter, can_shrink=False)
    steps = run(proven, canvas, make_settings(adapter, "remdm", steps=14))
    accepted: list[int] = []
    held: list[int] = []  # what the cache holds behind the context
    for number, step in enumerate(steps):
        common = next((i for i, (a, b) in enumerate(zip(held, accepted, strict=False)) if a != b), len(held))
        assert proven.kept[number] == len(canvas.context) + min(common, len(accepted))
        held = list(accepted)
        accepted = [position for position in accepted + list(step.accepted) if position not in step.remasked]
    assert proven.fed > len(accepted)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_without_a_sure_model_a_run_takes_its_steps_and_no_more(adapter: ModelAdapter, sampler: str) -> None:
    canvas = make_canvas(adapter, can_shrink=False)
    steps = run(adapter, canvas, make_settings(adapter, sampler, steps=5))
    assert len(steps) <= 5
    assert len(steps) == 5 or sampler == "coarse-to-fine"


@pytest.mark.parametrize("sampler", ["p2", "remdm"])
def test_more_steps_than_positions_are_used_by_samplers_that_take_tokens_back(
    adapter: ModelAdapter, sampler: str
) -> None:
    canvas = make_canvas(adapter, can_shrink=False)
    positions = len(canvas.masked())
    steps = run(adapter, canvas, make_settings(adapter, sampler, steps=positions + 10))
    assert positions < len(steps) <= positions + 10
    check_plan(steps)


@pytest.mark.parametrize("sampler", REMASKING)
def test_the_result_does_not_depend_on_what_the_cache_held(adapter: ModelAdapter, sampler: str) -> None:
    settings = make_settings(adapter, sampler, alpha_0=0.8)
    cold, warm, cache = make_canvas(adapter), make_canvas(adapter), adapter.new_cache()
    run(adapter, cold, settings, seed=3)
    run(adapter, make_canvas(adapter), settings, seed=9, cache=cache)
    run(adapter, warm, settings, seed=3, cache=cache)
    assert warm.written == cold.written
    assert warm.accepted == cold.accepted


@pytest.mark.parametrize("sampler", ["threshold", *REMASKING])
def test_variations_equal_single_runs(adapter: ModelAdapter, sampler: str) -> None:
    settings = make_settings(adapter, sampler, alpha_0=0.8)
    canvases = [make_canvas(adapter) for _ in range(3)]
    generators = [torch.Generator().manual_seed(seed) for seed in range(3)]
    for _ in denoise_batch(adapter, adapter.new_cache(), canvases, settings, generators):
        pass
    for seed, canvas in enumerate(canvases):
        single = make_canvas(adapter)
        run(adapter, single, settings, seed)
        assert {p: w.token for p, w in canvas.written.items()} == {p: w.token for p, w in single.written.items()}


def test_a_standing_token_keeps_the_step_it_was_revealed_in(adapter: ModelAdapter) -> None:
    canvas = make_canvas(adapter, can_shrink=False)
    first: dict[int, int] = {}
    settings = make_settings(adapter, "p2", steps=8)
    for report in denoise(adapter, adapter.new_cache(), canvas, settings, torch.Generator().manual_seed(0)):
        if isinstance(report, DenoisingStep):
            first |= dict.fromkeys(report.accepted, report.step)
            assert {position: written.step for position, written in canvas.written.items()} == {
                position: step for position, step in first.items() if position in canvas.written
            }


@pytest.mark.parametrize("sampler", REMASKING)
def test_a_large_hole_fits_the_cache_although_its_tokens_are_fed_twice(adapter: ModelAdapter, sampler: str) -> None:
    pieces = [Piece(ids=(1, 2)), Piece(span=0, hole=True, capacity=250)]
    canvas = lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=1, empty=None)
    cache = adapter.new_cache()
    cache.keys, cache.values = cache.keys[:, :, :300], cache.values[:, :, :300]
    run(adapter, canvas, make_settings(adapter, sampler, steps=4), cache=cache)
    assert len(canvas.written) == 250


VOCABULARY, EMPTY, MASK = 12, 10, 11


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    sampler=st.sampled_from(sorted(SAMPLERS)),
    schedule=st.sampled_from(sorted(SCHEDULES)),
    alpha_0=st.sampled_from([0.0, 0.3, 0.7, 1.0]),
    steps=st.integers(1, 20),
    capacities=st.lists(st.integers(1, 12), min_size=1, max_size=3),
    sharpness=st.sampled_from([0.5, 3.0, 12.0]),
    emptiness=st.sampled_from([-4.0, 0.0, 4.0]),
    temperature=st.sampled_from([0.0, 1.0]),
    seed=st.integers(0, 1000),
)
def test_whatever_a_model_says_runs_end_truly_and_feed_what_is_accepted(
    sampler: str,
    schedule: str,
    alpha_0: float,
    steps: int,
    capacities: list[int],
    sharpness: float,
    emptiness: float,
    temperature: float,
    seed: int,
) -> None:
    pieces = [Piece(ids=(1,))]
    for span, capacity in enumerate(capacities):
        pieces += [Piece(span=span, hole=True, capacity=capacity), Piece(ids=(2, 3))]
    canvas = lay_out(pieces, order=ContextOrder.SUFFIX_FIRST, grid=4, empty=EMPTY)
    rule = SamplingRule(temperature, 0.95, (MASK,), EMPTY)
    generator = torch.Generator().manual_seed(seed)
    how = DenoiseSettings(steps, alpha_0, rule, sampler, make_schedule(schedule))
    run = Reversal(0, canvas, how, generator, room=200).steps()
    fed: list[Placed] = []
    reports: list[DenoisingStep] = []
    item = next(run, None)
    while item is not None:
        if isinstance(item, Pass):
            assert item.kept <= len(fed)
            fed = fed[: item.kept] + list(item.feed.clean)
            assert sorted(fed) == sorted(canvas.accepted)
            assert item.seen is None or max(item.seen, default=0) <= len(item.feed.clean)
            logits = sharpness * torch.randn(len(item.feed.masked), VOCABULARY, generator=generator)
            logits[:, EMPTY] += emptiness
            item = run.send(logits)
        else:
            reports.append(item)
            item = next(run, None)
    check_plan(reports)
    assert canvas.masked() == []
    assert MASK not in {written.token for written in canvas.written.values()}
    clean = {placed.position: placed.token for placed in canvas.accepted}
    assert {p: w.token for p, w in canvas.written.items()} == {p: t for p, t in clean.items() if t != EMPTY}
    if alpha_0 == 1.0:
        assert len(reports) <= steps


@pytest.mark.parametrize("sampler", REMASKING)
def test_tokens_can_be_taken_back_where_clean_tokens_see_one_another(tmp_path: Path, sampler: str) -> None:
    adapter = load_tiny(write_checkpoint(tmp_path / "mixed", attention="mixed2", masks_see_masks=True))
    canvas = make_canvas(adapter)
    check_plan(run(adapter, canvas, make_settings(adapter, sampler, steps=8, alpha_0=0.7)))
    assert canvas.masked() == []


def test_the_last_step_leaves_nothing_to_do_where_an_empty_token_stands_before_text(adapter: ModelAdapter) -> None:
    """One step for all: empty tokens are drawn before text, and cannot stand there."""
    for seed in range(6):
        canvas = make_canvas(adapter)
        steps = run(adapter, canvas, make_settings(adapter, "ancestral", steps=1), seed)
        assert len(steps) == 1
        assert canvas.masked() == []
