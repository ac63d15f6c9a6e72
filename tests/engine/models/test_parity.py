"""Published models in our form against an independent implementation: the same logits, the same tokens."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from engine.canvas import Canvas, Piece, Placed, lay_out
from engine.denoise import DenoiseSettings, denoise, denoise_batch
from engine.likelihood import score_span, score_tokens
from engine.models.base import Feed, ModelAdapter
from engine.models.convert import convert
from engine.sampling import SamplingRule
from engine.types import ContextOrder
from tests.engine.models.published import VOCAB, small_network, trained_tokenizer, write_ckpt
from tests.engine.models.reference_esolm import ReferenceEsoLM, drawn, sequential_mask, step_mask
from tests.engine.tiny import load_tiny

TOLERANCE = 1e-4
CONTEXT_BEFORE, CONTEXT_AFTER = range(20, 45), range(60, 72)
HOLE = 14


@dataclass(frozen=True)
class Pair:
    """One model twice."""

    variant: str
    reference: ReferenceEsoLM
    engine: ModelAdapter

    def reference_step(self, context: Sequence[Placed], run: Sequence[Placed], masked: Sequence[int]) -> Tensor:
        """Logits at the masks, from a whole pass."""
        clean = [*context, *run]
        visible = step_mask(len(context), len(run), len(masked), self.variant)
        tokens = [placed.token for placed in clean] + [self.reference.mask] * len(masked)
        logits: Tensor = self.reference(tokens, [placed.position for placed in clean] + list(masked), visible)
        return logits[len(clean) :]

    def reference_run(self, context: Sequence[Placed], run: Sequence[Placed]) -> Tensor:
        """Log-likelihood of each token of the run, from a whole pass."""
        tokens = [placed.token for placed in (*context, *run)] + [self.reference.mask] * len(run)
        positions = [placed.position for placed in (*context, *run, *run)]
        logits: Tensor = self.reference(tokens, positions, sequential_mask(len(context), len(run), self.variant))
        chosen = torch.tensor([[placed.token] for placed in run])
        picked: Tensor = logits[len(context) + len(run) :].log_softmax(-1).gather(1, chosen)
        return picked[:, 0]


@pytest.fixture(scope="module", params=["A", "B"])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    network = small_network(request.param)
    folder: Path = tmp_path_factory.mktemp("published")
    file = write_ckpt(folder / "small.ckpt", network, variant=request.param, tokenizer=trained_tokenizer())
    return Pair(request.param, network, load_tiny(convert(file)))


def random_order(rng: random.Random, length: int) -> tuple[list[Placed], list[int]]:
    """Clean tokens at random positions in a random order, and the positions that are left."""
    positions = rng.sample(range(160), length + 9)
    return [Placed(rng.randrange(VOCAB - 1), position) for position in positions[:length]], positions[length:]


def difference(left: Tensor, right: Tensor) -> float:
    assert left.shape == right.shape
    return float((left - right).abs().max())


@pytest.mark.parametrize("length", [1, 7, 40, 130])
def test_logits_are_the_references_at_every_step_along_random_orders(pair: Pair, length: int) -> None:
    rng = random.Random(length)
    clean, masked = random_order(rng, length)
    cache = pair.engine.new_cache()
    done = 0
    while done < length:
        chunk = clean[done : done + rng.randint(1, 40)]
        done += len(chunk)
        masks = masked[: rng.randint(0, len(masked))]
        logits = pair.engine.step(cache, chunk, masks)
        cache.check_integrity()
        assert cache.order == clean[:done]
        if masks:
            assert difference(logits, pair.reference_step(clean[:done], [], masks)) <= TOLERANCE


@pytest.mark.parametrize("context", [0, 1, 12, 60])
def test_a_run_written_one_by_one_has_the_references_logits(pair: Pair, context: int) -> None:
    clean, masked = random_order(random.Random(context), context)
    cache = pair.engine.new_cache()
    run: list[Placed] = []
    for number, position in enumerate(sorted(masked)):
        fed = clean if number == 0 else run[-1:]
        seen = None if number == 0 else [1]
        logits = pair.engine.step(cache, fed, [position], seen=seen)
        assert difference(logits, pair.reference_step(clean, run, [position])) <= TOLERANCE
        run.append(Placed(number, position))
        cache.check_integrity()


def test_the_mask_is_never_likely(pair: Pair) -> None:
    logits = pair.engine.step(pair.engine.new_cache(), [], [3, 4])
    assert (logits[:, VOCAB - 1] < -9e5).all()


@pytest.mark.parametrize("context", [1, 30])
def test_the_likelihood_of_a_run_in_one_pass_is_the_references(pair: Pair, context: int) -> None:
    clean, positions = random_order(random.Random(7), context)
    run = [Placed(index, position) for index, position in enumerate(positions)]
    cache = pair.engine.new_cache()
    pair.engine.step(cache, clean, ())
    logits = pair.engine.step(cache, run, positions, seen=range(len(run)))
    chosen = torch.tensor([[placed.token] for placed in run])
    assert difference(logits.log_softmax(-1).gather(1, chosen)[:, 0], pair.reference_run(clean, run)) <= TOLERANCE


def test_a_span_and_a_text_score_as_in_the_reference(pair: Pair) -> None:
    pieces = [Piece(tuple(CONTEXT_BEFORE)), Piece(tuple(range(100, 109)), span=0), Piece(tuple(CONTEXT_AFTER))]
    scores = score_span(pair.engine, lambda _: pair.engine.new_cache(), pieces, 1, ContextOrder.PREFIX_FIRST)
    before, after = len(CONTEXT_BEFORE), len(CONTEXT_AFTER)
    context = [Placed(token, position) for position, token in enumerate(CONTEXT_BEFORE)]
    context += [Placed(token, before + 9 + index) for index, token in enumerate(CONTEXT_AFTER)]
    assert len(context) == before + after
    run = [Placed(100 + index, before + index) for index in range(9)]
    assert scores == pytest.approx(pair.reference_run(context, run).tolist(), abs=TOLERANCE)

    begin = pair.engine.config.special_tokens.begin
    assert begin is not None
    (text_scores,) = score_tokens(pair.engine, pair.engine.new_cache(), range(50, 90), begin=begin)
    text = [Placed(token, position) for position, token in enumerate(range(50, 90), start=1)]
    assert text_scores == pytest.approx(pair.reference_run([Placed(begin, 0)], text).tolist(), abs=TOLERANCE)


@dataclass
class Recorder:
    """Passes steps on and notes what was asked, and the state of the noise at that moment."""

    inner: ModelAdapter
    generator: torch.Generator
    asked: list[tuple[list[int], Tensor]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def step(self, cache: Any, clean: Sequence[Placed], masked: Sequence[int], **options: Any) -> Tensor:
        if masked:
            self.asked.append((list(masked), self.generator.get_state()))
        return self.inner.step(cache, clean, masked, **options)


def canvas_with_two_holes() -> Canvas:
    pieces = [Piece(tuple(CONTEXT_BEFORE)), Piece(span=0, hole=True, capacity=HOLE), Piece(tuple(CONTEXT_AFTER))]
    pieces += [Piece(span=1, hole=True, capacity=5)]
    return lay_out(pieces, order=ContextOrder.PREFIX_FIRST, grid=1, empty=None)


def settings(pair: Pair, alpha_0: float, steps: int) -> DenoiseSettings:
    rule = SamplingRule(1.0, 1.0, pair.engine.config.special_tokens.never_written())
    return DenoiseSettings(steps, alpha_0, rule)


def reference_sample(pair: Pair, canvas: Canvas, alpha_0: float, asked: list[tuple[list[int], Tensor]]) -> list[Placed]:
    """The same run without any of our code: whole passes, the noise the engine had."""
    accepted: list[Placed] = []
    parallel = round(alpha_0 * (HOLE + 5))
    for masked, state in asked:
        diffusion = accepted[: min(parallel, len(accepted))]
        run = accepted[len(diffusion) :]
        logits = pair.reference_step([*canvas.context, *diffusion], run, masked)
        logits[:, list(pair.engine.config.special_tokens.never_written())] = -math.inf
        noise = torch.Generator()
        noise.set_state(state)
        uniforms = torch.rand(len(masked), generator=noise, dtype=torch.float64).tolist()
        for position, row, uniform in zip(masked, logits, uniforms, strict=True):
            accepted.append(Placed(drawn(row, uniform), position))
    return accepted


@pytest.mark.parametrize(("alpha_0", "steps"), [(1.0, 4), (1.0, 19), (0.5, 3), (0.25, 100), (0.0, 5)])
def test_a_whole_run_writes_the_references_tokens_with_the_same_noise(pair: Pair, alpha_0: float, steps: int) -> None:
    canvas = canvas_with_two_holes()
    generator = torch.Generator().manual_seed(11)
    recorder = Recorder(pair.engine, generator)
    list(denoise(recorder, pair.engine.new_cache(), canvas, settings(pair, alpha_0, steps), generator))
    looked_at = [position for masked, _ in recorder.asked for position in masked]
    parallel = round(alpha_0 * (HOLE + 5))
    assert sorted(looked_at) == canvas_with_two_holes().masked()
    assert looked_at[parallel:] == sorted(looked_at[parallel:])
    assert canvas.accepted == reference_sample(pair, canvas, alpha_0, recorder.asked)


@pytest.mark.parametrize("alpha_0", [1.0, 0.4])
def test_variations_in_one_batch_are_the_runs_one_by_one(pair: Pair, alpha_0: float) -> None:
    seeds, alone = [3, 4], []
    for seed in seeds:
        canvas, generator = canvas_with_two_holes(), torch.Generator().manual_seed(seed)
        list(denoise(pair.engine, pair.engine.new_cache(), canvas, settings(pair, alpha_0, 5), generator))
        alone.append(canvas.accepted)
    canvases = [canvas_with_two_holes() for _ in seeds]
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    cache = pair.engine.new_cache()
    list(denoise_batch(pair.engine, cache, canvases, settings(pair, alpha_0, 5), generators))
    cache.check_integrity()
    assert [canvas.accepted for canvas in canvases] == alone
    assert cache.memory_bytes == (3 if pair.variant == "A" else 1) * pair.engine.new_cache().memory_bytes


def test_nothing_of_a_bidirectional_context_is_reused(pair: Pair) -> None:
    context = [Placed(index, index) for index in range(64)]
    cache = pair.engine.new_cache()
    for start in (0, 32):
        pair.engine.step(cache, context[start : start + 32], (), as_block=True)
    assert cache.common(context) == (0 if pair.variant == "A" else 64)


def test_cutting_the_cache_back_gives_the_logits_of_what_is_left(pair: Pair) -> None:
    clean, masked = random_order(random.Random(2), 30)
    cache = pair.engine.new_cache()
    pair.engine.step(cache, clean[:20], masked[:1])
    pair.engine.step(cache, clean[20:], masked, seen=[0] * len(masked))
    for length in (25, 20, 9):
        cache.truncate(length)
        cache.check_integrity()
        logits = pair.engine.step(cache, clean[length : length + 1], masked)
        assert difference(logits, pair.reference_step(clean[: length + 1], [], masked)) <= TOLERANCE


def test_a_sequential_feed_says_what_its_masks_see() -> None:
    assert Feed(0, [Placed(1, 1)], [2, 3]).seen() is None
    assert Feed(0, [Placed(1, 1)], [2, 3], sequential=True).seen() == [1, 1]
