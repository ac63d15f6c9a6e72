"""How fast a model fills a hole here, with a cold cache, a warm one and none; one process, so that the ratios hold.

The text is the source of a module of Python's own library, cut to exact numbers of tokens; each repeat takes another
piece of it. All times are taken where the events arrive, as a window would see them.
"""

from __future__ import annotations

import inspect
import statistics
import sys
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING

from engine.errors import EngineError, RequestError
from engine.session import EngineSession, answer_of
from engine.types import (
    Cancelled,
    Event,
    Failed,
    Finished,
    Frame,
    InfillRequest,
    ModelChoice,
    ModelInfo,
    ModelReady,
    RunStats,
    TextSpan,
)

if TYPE_CHECKING:
    from engine.tokenization import Tokenizer

SHIFT = 61
"""Tokens between the beginnings of two repeats' texts."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of the measured run, in tokens; the issue's by default."""

    before: int = 512
    after: int = 256
    capacity: int = 64
    steps: int = 16
    alpha_0: float = 1.0


@dataclass(frozen=True, slots=True)
class Timing:
    """One run as seen from outside: milliseconds from its submission to the first frame and to the end."""

    first_frame_ms: float
    total_ms: float
    stats: RunStats
    text: str

    @property
    def step_ms(self) -> float:
        """Denoising time (all but the prefill) a forward pass."""
        return (self.stats.elapsed_ms - self.stats.prefill_ms) / max(1, self.stats.nfe)


@dataclass(slots=True)
class Runs:
    """The repeats of the three ways to run one request."""

    cold: list[Timing] = field(default_factory=list)
    warm: list[Timing] = field(default_factory=list)
    off: list[Timing] = field(default_factory=list)


def measure(choice: ModelChoice, shape: Shape, repeats: int) -> dict[str, object]:
    """Runs the benchmark and returns its figures (medians over `repeats`), ready to be printed as JSON.

    Raises:
        EngineError: the model cannot be loaded or a run failed.
    """
    session = EngineSession(choice)
    try:
        started = time.perf_counter()
        info = _load(session, choice)
        load_ms = 1000.0 * (time.perf_counter() - started)
        requests = _requests(choice, shape, repeats + 1)
        _time(session, requests[-1])  # the first run of a process pays for the libraries' own beginnings
        runs = Runs()
        for request in requests[:repeats]:
            _cold_and_warm(session, request, runs)
        peak = peak_rss_mb()
        runs.off = [_time(session, replace(request, use_cache=False)) for request in requests[:repeats]]
    finally:
        session.close()
    memory = {"peak_rss_mb": peak, "cache_off_peak_rss_mb": peak_rss_mb(), "load_ms": round(load_ms, 1)}
    return {**_figures(runs), **memory, **_circumstances(info, shape, repeats)}


def _cold_and_warm(session: EngineSession, request: InfillRequest, runs: Runs) -> None:
    cold, warm = _time(session, request), _time(session, request)
    if cold.stats.reused_tokens or not warm.stats.reused_tokens:
        raise EngineError("The benchmark's cold run found a warm cache, or its warm run a cold one.")
    if cold.text != warm.text:
        raise EngineError("The same request gave two results; the figures would mean nothing.")
    runs.cold.append(cold)
    runs.warm.append(warm)


def _load(session: EngineSession, choice: ModelChoice) -> ModelInfo:
    return answer_of(ModelReady, partial(session.load_model, choice)).info


def _time(session: EngineSession, request: InfillRequest) -> Timing:
    events: SimpleQueue[tuple[float, Event]] = SimpleQueue()
    started = time.perf_counter()
    session.submit(request, lambda event: events.put((time.perf_counter(), event)))
    first_frame = 0.0
    while True:
        moment, event = events.get()
        if isinstance(event, Frame) and not first_frame:
            first_frame = moment
        elif isinstance(event, Failed):
            raise EngineError(event.message)
        elif isinstance(event, Cancelled):
            raise EngineError("A run of the benchmark was cancelled.")
        elif isinstance(event, Finished):
            text = "".join(event.variations[0].texts)
            return Timing(1000.0 * (first_frame - started), 1000.0 * (moment - started), event.stats, text)


def _requests(choice: ModelChoice, shape: Shape, count: int) -> list[InfillRequest]:
    """`count` requests on different pieces of the text, each of exactly the shape's tokens in the model's tokenizer."""
    tokenizer = tokenizer_of(choice.name)
    text = inspect.getsource(textwrap)
    ends = [0, *(end for _, end in tokenizer.encode_with_offsets(text)[1])]
    requests: list[InfillRequest] = []
    index = 0
    while len(requests) < count and index + shape.before + shape.capacity + shape.after < len(ends):
        request = _request(text, ends[index:], shape, tokenizer, seed=len(requests))
        if request is not None:
            requests.append(request)
        index += SHIFT if request is not None else 1
    if len(requests) < count:
        raise RequestError("The benchmark's text is too short for this many repeats of this shape.")
    return requests


def tokenizer_of(model: str) -> Tokenizer:
    """The tokenizer of a model, by the model's name or folder."""
    from engine.config import read_config
    from engine.models.registry import find
    from engine.tokenization import Tokenizer

    config = read_config(find(model))
    return Tokenizer.load(config.folder, config.tokenizer_entry())


def _request(text: str, ends: Sequence[int], shape: Shape, tokenizer: Tokenizer, seed: int) -> InfillRequest | None:
    """The piece of the text that begins at ends[0]; None where its parts do not come to the shape's tokens."""
    hole, after = shape.before, shape.before + shape.capacity
    start, low, high, stop = (ends[i] for i in (0, hole, after, after + shape.after))
    if len(tokenizer.encode(text[start:low])) != shape.before or len(tokenizer.encode(text[high:stop])) != shape.after:
        return None
    return InfillRequest(
        text=text[start:stop],
        spans=(TextSpan(low - start, high - start),),
        steps=shape.steps,
        alpha_0=shape.alpha_0,
        capacity=shape.capacity,
        seed=seed,
        starts_document=False,
        ends_document=False,
    )


def _figures(runs: Runs) -> dict[str, object]:
    def median(timings: Sequence[float]) -> float:
        return round(statistics.median(timings), 2)

    cold, warm, off = runs.cold, runs.warm, runs.off
    return {
        "cold_first_frame_ms": median([run.first_frame_ms for run in cold]),
        "warm_first_frame_ms": median([run.first_frame_ms for run in warm]),
        "cold_total_ms": median([run.total_ms for run in cold]),
        "warm_total_ms": median([run.total_ms for run in warm]),
        "cache_off_total_ms": median([run.total_ms for run in off]),
        "step_ms": median([run.step_ms for run in warm]),
        "tokens_per_s": median([run.stats.tokens_per_s for run in warm]),
        "nfe": round(statistics.median(run.stats.nfe for run in warm)),
        "cache_speedup": median([o.total_ms / w.total_ms for o, w in zip(off, warm, strict=True)]),
        "cold_speedup": median([o.total_ms / c.total_ms for o, c in zip(off, cold, strict=True)]),
        "written_tokens": round(statistics.median(run.stats.written_tokens for run in warm)),
        "context_tokens": round(statistics.median(run.stats.computed_tokens for run in cold)),
    }


def _circumstances(info: ModelInfo, shape: Shape, repeats: int) -> dict[str, object]:
    return {
        "model": info.name,
        "parameters": info.parameters,
        "device": info.device,
        "dtype": info.dtype,
        "threads": info.threads,
        "before": shape.before,
        "after": shape.after,
        "capacity": shape.capacity,
        "steps": shape.steps,
        "alpha_0": shape.alpha_0,
        "repeats": repeats,
    }


def peak_rss_mb() -> float | None:
    """The most memory this process has ever had resident, in MB; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, 1)
