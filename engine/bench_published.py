"""The published Eso-LM (B), 170 M parameters, writing a text of 1,024 tokens from nothing at batch 1: the figures that
the goals for a GPU are about. Random weights of that shape; speed does not depend on what a model has learned."""

from __future__ import annotations

import platform
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from engine.bench_grid import NetworkSize, random_checkpoint
from engine.bench_machine import read_bandwidth, wait_for_the_device
from engine.canvas import Piece, Placed, lay_out
from engine.denoise import DenoiseSettings, DenoisingStep, denoise
from engine.device import give_back_memory, place
from engine.errors import EngineError
from engine.models.esolm_static import StaticEsoLMAdapter
from engine.models.registry import esolm
from engine.sampling import SamplingRule
from engine.types import ContextOrder, ModelChoice

if TYPE_CHECKING:
    from engine.models.base import ModelAdapter
    from engine.tokenization import Tokenizer


PUBLISHED = NetworkSize(layers=12, width=768, heads=12, vocabulary=50_258, published=True)
GOALS = {1.0: 2000, 0.0: 700}
"""Tokens a second on an H200, by alpha_0."""


@dataclass(frozen=True, slots=True)
class PublishedPlan:
    """What is measured. `recorded_after`: runs until every step of theirs has been recorded."""

    size: NetworkSize = PUBLISHED
    length: int = 1024
    steps: int = 64
    repeats: int = 5
    recorded_after: int = 2
    samples: int = 200


PLAN = PublishedPlan()


@dataclass(frozen=True, slots=True)
class _Run:
    seconds: float
    nfe: int
    tokens: tuple[int, ...]


def measure_published(choice: ModelChoice, tokenizer: Tokenizer, plan: PublishedPlan = PLAN) -> dict[str, object]:
    """The figures, ready to be printed as JSON. On a GPU also those of the same steps launched one by one.

    Raises:
        EngineError: the device is not there, or one seed gave two texts.
    """
    placement = place(choice)
    if placement.device.type == "cpu":
        torch.set_num_threads(placement.threads)
    config, weights = random_checkpoint(plan.size, plan.length)
    adapter = esolm(config, tokenizer, weights, placement)
    on_gpu = placement.device.type == "cuda"
    figures: dict[str, object] = {
        "machine": torch.cuda.get_device_name(placement.device) if on_gpu else platform.processor(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "device": adapter.info.device,
        "dtype": adapter.info.dtype,
        "threads": adapter.info.threads,
        "parameters": adapter.info.parameters,
        "length": plan.length,
        "runs": [_runs(adapter, alpha_0, plan) for alpha_0 in GOALS],
        "step": _step(adapter, plan),
    }
    if isinstance(adapter, StaticEsoLMAdapter):
        figures["graphs"] = adapter.recordings
        if on_gpu:
            figures["peak_gpu_mb"] = round(torch.cuda.max_memory_allocated(placement.device) / 1e6)
        del adapter
        give_back_memory()
        launched = StaticEsoLMAdapter(config, tokenizer, weights, placement, None)
        figures["without_graphs"] = [_runs(launched, alpha_0, plan) for alpha_0 in GOALS]
    return figures


def _runs(adapter: ModelAdapter, alpha_0: float, plan: PublishedPlan) -> dict[str, object]:
    first, *more = [_run(adapter, alpha_0, plan) for _ in range(plan.recorded_after + plan.repeats)]
    if any(run.tokens != first.tokens for run in more):
        raise EngineError("One seed gave two texts; the figures would mean nothing.")
    seconds = statistics.median(run.seconds for run in more[plan.recorded_after - 1 :])
    return {
        "alpha_0": alpha_0,
        "nfe": first.nfe,
        "first_ms": round(1000 * first.seconds, 1),
        "ms": round(1000 * seconds, 1),
        "ms_a_pass": round(1000 * seconds / first.nfe, 3),
        "tokens_s": round(plan.length / seconds),
        "goal_tokens_s": GOALS[alpha_0],
    }


def _run(adapter: ModelAdapter, alpha_0: float, plan: PublishedPlan) -> _Run:
    hole = Piece(span=0, hole=True, capacity=plan.length)
    canvas = lay_out([hole], order=ContextOrder.PREFIX_FIRST, grid=1, empty=None)
    rule = SamplingRule(1.0, 0.9, adapter.config.special_tokens.never_written())
    settings = DenoiseSettings(plan.steps, alpha_0, rule)
    cache = adapter.new_cache()
    wait_for_the_device()
    started = time.perf_counter()
    reports = list(denoise(adapter, cache, canvas, settings, torch.Generator().manual_seed(1)))
    wait_for_the_device()
    seconds = time.perf_counter() - started
    tokens = tuple(canvas.written[position].token for position in range(plan.length))
    return _Run(seconds, sum(isinstance(report, DenoisingStep) for report in reports), tokens)


def _step(adapter: ModelAdapter, plan: PublishedPlan) -> dict[str, object]:
    """The pass alone, with one new token and one mask on a context that is nearly full, without sampling; against
    reading every weight once."""
    cache = adapter.new_cache()
    length = plan.length - 1
    adapter.step(cache, [Placed(0, position) for position in range(length - 1)], ())
    token = [Placed(0, length - 1)]
    for _ in range(3):
        adapter.step(cache, token, [length])
        cache.truncate(length - 1)
    wait_for_the_device()
    started = time.perf_counter()
    for _ in range(plan.samples):
        adapter.step(cache, token, [length])
        cache.truncate(length - 1)
    wait_for_the_device()
    seconds = (time.perf_counter() - started) / plan.samples
    bandwidth = read_bandwidth(adapter.info.device)
    least = adapter.info.parameters * (2 if adapter.info.dtype == "bfloat16" else 4) / bandwidth
    return {
        "step_ms": round(1000 * seconds, 3),
        "floor_ms": round(1000 * least, 3),
        "times_floor": round(seconds / least, 2),
        "bandwidth_gb_s": round(bandwidth / 1e9, 1),
    }
