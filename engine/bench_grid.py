"""The engine against what the machine can give and against doing without it: one process, so that the ratios hold.

Random weights of a stated shape: speed does not depend on what a model has learned. Every figure is the median of
repeats; what was extrapolated is said to be (`estimated`).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch

from engine.bench_machine import median_seconds, peak_flops, read_bandwidth
from engine.canvas import Canvas, Piece, Placed, lay_out
from engine.config import CheckpointConfig, SpecialTokens
from engine.denoise import DenoiseSettings, DenoisingStep, denoise, denoise_batch, prefill
from engine.device import place
from engine.models.esolm import shape_of
from engine.models.esolm_network import parameter_shapes
from engine.models.registry import esolm
from engine.sampling import SamplingRule
from engine.types import ContextOrder, ModelChoice

if TYPE_CHECKING:
    from torch import Tensor

    from engine.cache import CleanTokenCache
    from engine.models.base import ModelAdapter
    from engine.tokenization import Tokenizer

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class NetworkSize:
    """Sizes of the random network. `published`: with a head of its own and masks that see masks, as Eso-LM (B) is."""

    layers: int = 12
    width: int = 512
    heads: int = 8
    vocabulary: int = 16_384
    published: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured; `quick` is for tests."""

    contexts: tuple[int, ...] = (256, 1024, 4096, 8192)
    holes: tuple[int, ...] = (16, 64, 256)
    steps: tuple[int, ...] = (8, 16, 64)
    lengths: tuple[int, ...] = (1024, 2048)
    repeats: int = 3
    busy: bool = True


QUICK = Plan(contexts=(64,), holes=(8,), steps=(4,), lengths=(64,), repeats=1, busy=False)


def random_adapter(size: NetworkSize, choice: ModelChoice, context: int, tokenizer: Tokenizer) -> ModelAdapter:
    """A model of that size with random weights and no empty token, so that every run writes all its positions."""
    config, weights = random_checkpoint(size, context)
    return esolm(config, tokenizer, weights, place(choice))


def random_checkpoint(size: NetworkSize, context: int) -> tuple[CheckpointConfig, dict[str, Tensor]]:
    """The description and the weights of `random_adapter`, always the same ones."""
    config = CheckpointConfig(
        folder=Path(),
        name="random",
        family="esolm",
        vocab_size=size.vocabulary,
        hidden_size=size.width,
        layers=size.layers,
        heads=size.heads,
        context_length=context,
        special_tokens=SpecialTokens(mask=size.vocabulary - 1),
        tie_embeddings=not size.published,
        masks_see_masks=size.published,
    )
    generator = torch.Generator().manual_seed(0)
    weights = {
        name: torch.randn(shape, generator=generator) * 0.02
        for name, shape in parameter_shapes(shape_of(config)).items()
    }
    return config, weights


def measure_grid(size: NetworkSize, choice: ModelChoice, tokenizer: Tokenizer, plan: Plan) -> dict[str, object]:
    """All tables, ready to be printed as JSON."""
    placement = place(choice)
    if placement.device.type == "cpu":
        torch.set_num_threads(placement.threads)
    longest = max(*plan.contexts, *plan.lengths) + max(plan.holes)
    adapter = random_adapter(size, replace(choice, device=str(placement.device)), longest, tokenizer)
    single = random_adapter(size, replace(choice, device=str(placement.device), dtype="float32"), longest, tokenizer)
    runs = [*((steps, 1.0) for steps in plan.steps), (plan.steps[0], 0.5), (1, 0.0)]
    holes = [
        row
        for context in plan.contexts
        for hole in plan.holes
        for row in hole_in_context(adapter, context, hole, runs, plan)
    ]
    return {
        "network": {"layers": size.layers, "width": size.width, "heads": size.heads, "vocabulary": size.vocabulary},
        "device": adapter.info.device,
        "dtype": adapter.info.dtype,
        "threads": placement.threads,
        "floor": floor(adapter, plan),
        "whole_text": [whole_text(adapter, single, length, plan) for length in plan.lengths],
        "holes": holes,
        "growth": growth(holes),
        "float32": hole_in_context(single, plan.contexts[-1], plan.holes[-1], [(plan.steps[-1], 1.0)], plan)[0],
        "batch": [batch_of(adapter, count, plan) for count in (1, 8)],
        **({"busy": [beside_a_busy_process(policy, choice) for policy in ("PASSIVE", "ACTIVE")]} if plan.busy else {}),
    }


def floor(adapter: ModelAdapter, plan: Plan) -> Row:
    """A step of 8 masks on a cached context against the least that its weights' bytes and products can take."""
    context = plan.contexts[0]
    cache = adapter.new_cache()
    adapter.step(cache, [Placed(i % 200, i) for i in range(context)], ())
    masked = range(context, context + 8)
    step_s = median_seconds(lambda: adapter.step(cache, (), masked), 8 * plan.repeats)
    element = {"int8": 1, "bfloat16": 2}.get(adapter.info.dtype, 4)
    weights = adapter.info.parameters * element  # a tied head reads the embedding: every parameter once
    bandwidth, flops = read_bandwidth(adapter.info.device), peak_flops(adapter.info)
    least_s = max(weights / bandwidth, 2 * 8 * adapter.info.parameters / flops)
    return {
        "step_ms": round(1000 * step_s, 3),
        "floor_ms": round(1000 * least_s, 3),
        "times_floor": round(step_s / least_s, 2),
        "bandwidth_gb_s": round(bandwidth / 1e9, 1),
        "peak_gflop_s": round(flops / 1e9),
    }


def whole_text(adapter: ModelAdapter, single: ModelAdapter, length: int, plan: Plan) -> Row:
    """A text of `length` tokens from nothing, as the Eso-LM paper measures, against full recomputation (MDLM): passes
    only, in the run's precision and in float32 (`single`). Half of the tokens are masked in them, as on average."""
    parallel = _run(adapter, _canvas(0, length, 0), 64, 1.0, plan.repeats)
    sequential = _run(adapter, _canvas(0, length, 0), 1, 0.0, 1)
    pass_s, single_s = _recomputed(adapter, length, plan), _recomputed(single, length, plan)
    return {
        "length": length,
        "diffusion_64_ms": round(1000 * parallel, 1),
        "diffusion_64_tokens_s": round(length / parallel),
        "sequential_ms": round(1000 * sequential, 1),
        "sequential_tokens_s": round(length / sequential),
        "recomputed_pass_ms": round(1000 * pass_s, 1),
        "float32_pass_ms": round(1000 * single_s, 1),
        "estimated_times_faster_64": round(64 * pass_s / parallel, 1),
        "estimated_times_faster_nfe_is_length": round(length * pass_s / sequential, 1),
        "the_same_against_float32": round(length * single_s / sequential, 1),
    }


def _recomputed(adapter: ModelAdapter, length: int, plan: Plan) -> float:
    cache = adapter.new_cache()
    clean = [Placed(i % 200, i) for i in range(length // 2)]

    def work() -> None:
        cache.clear()
        adapter.step(cache, clean, range(length // 2, length))

    work()
    return median_seconds(work, plan.repeats)


def hole_in_context(
    adapter: ModelAdapter, context: int, hole: int, runs: Sequence[tuple[int, float]], plan: Plan
) -> list[Row]:
    """A hole in a context that is computed once, at first, and cached for all runs of (steps, alpha_0)."""
    canvas = _canvas(2 * context // 3, hole, context // 3)
    cache = adapter.new_cache()
    started = time.perf_counter()
    for _ in prefill(adapter, cache, canvas().context):
        pass
    prefill_s = time.perf_counter() - started
    rows: list[Row] = []
    for steps, alpha_0 in runs:
        nfe = 0

        def run(steps: int = steps, alpha_0: float = alpha_0) -> None:
            nonlocal nfe
            nfe = _denoise(adapter, cache, canvas(), steps, alpha_0)

        warm_s = median_seconds(run, plan.repeats)
        rows.append(
            {
                "context": context,
                "hole": hole,
                "alpha_0": alpha_0,
                "nfe": nfe,
                "dtype": adapter.info.dtype,
                "prefill_ms": round(1000 * prefill_s, 1),
                "warm_ms": round(1000 * warm_s, 1),
                "step_ms": round(1000 * warm_s / nfe, 2),
                "ms_a_token": round(1000 * warm_s / hole, 2),
                "cache_mb": round(cache.memory_bytes * len(cache.order) / cache.room / 1e6, 1),
            }
        )
    return rows


def growth(holes: Sequence[Row]) -> list[Row]:
    """How time a token and memory grow with the context, each against the smallest context: medians over its runs."""
    contexts = sorted({cast(int, row["context"]) for row in holes})
    figures = ("context", "ms_a_token", "cache_mb")
    medians = [
        [statistics.median(cast(float, row[name]) for row in holes if row["context"] == context) for name in figures]
        for context in contexts
    ]
    return [
        {
            f"times_{name}": round(value / (least or 1.0), 2)
            for name, value, least in zip(figures, row, medians[0], strict=True)
        }
        for row in medians
    ]


def batch_of(adapter: ModelAdapter, count: int, plan: Plan) -> Row:
    """`count` variations of one hole in one batch on a shared context."""
    context, hole = plan.contexts[0], plan.holes[0]
    canvas = _canvas(2 * context // 3, hole, context // 3)
    cache = adapter.new_cache()

    def run() -> None:
        canvases = [canvas() for _ in range(count)]
        generators = [torch.Generator().manual_seed(seed) for seed in range(count)]
        for _ in denoise_batch(adapter, cache, canvases, _settings(adapter, plan.steps[0], 1.0), generators):
            pass

    run()
    seconds = median_seconds(run, plan.repeats)
    return {"variations": count, "context": context, "hole": hole, "warm_ms": round(1000 * seconds, 1)}


def beside_a_busy_process(policy: str, choice: ModelChoice) -> Row:
    """A warm run on all cores, alone and beside a process that keeps one of them busy, with threads that sleep while
    they wait (`PASSIVE`, the remedy) or spin (`ACTIVE`). In processes of their own: the policy is read once."""
    alone = _warm_run_ms(policy, choice)
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        beside = _warm_run_ms(policy, choice)
    finally:
        busy.kill()
        busy.wait()
    return {"threads_wait": policy, "threads": os.cpu_count(), "alone_ms": alone, "beside_a_busy_process_ms": beside}


def _warm_run_ms(policy: str, choice: ModelChoice) -> float:
    code = (
        "from engine.bench import Shape, measure; from engine.types import ModelChoice; "
        f"choice = ModelChoice({choice.name!r}, device='cpu', threads={os.cpu_count()}); "
        "print(measure(choice, Shape(), 3)['warm_total_ms'])"
    )
    environment = {**os.environ, "OMP_WAIT_POLICY": policy}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def _canvas(before: int, hole: int, after: int) -> Callable[[], Canvas]:
    parts = (Piece(ids=tuple(i % 211 for i in range(before))), Piece(ids=tuple(i % 199 for i in range(after))))
    pieces = [parts[0], Piece(span=0, hole=True, capacity=hole), parts[1]]
    kept = [piece for piece in pieces if piece.hole or piece.ids]
    return lambda: lay_out(kept, order=ContextOrder.PREFIX_FIRST, grid=1, empty=None)


def _settings(adapter: ModelAdapter, steps: int, alpha_0: float) -> DenoiseSettings:
    return DenoiseSettings(steps, alpha_0, SamplingRule(1.0, 0.9, adapter.config.special_tokens.never_written()))


def _denoise(adapter: ModelAdapter, cache: CleanTokenCache, canvas: Canvas, steps: int, alpha_0: float) -> int:
    progress = denoise(adapter, cache, canvas, _settings(adapter, steps, alpha_0), torch.Generator().manual_seed(1))
    return sum(isinstance(report, DenoisingStep) for report in progress)


def _run(adapter: ModelAdapter, canvas: Callable[[], Canvas], steps: int, alpha_0: float, repeats: int) -> float:
    return median_seconds(lambda: _denoise(adapter, adapter.new_cache(), canvas(), steps, alpha_0), repeats)


def table(rows: Sequence[Row]) -> str:
    """Rows as a Markdown table; all have the same columns."""
    columns = list(rows[0])
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    return "\n".join([*lines, *(f"| {' | '.join(str(row[name]) for name in columns)} |" for row in rows)])
