"""What the engine tells: frames on the way, and one ending for every job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from engine.types.drafts import RunStats, SpanDraft
from engine.types.judgments import Bounds, TokenScore, WordDoubt
from engine.types.wishes import ContextOrder, DoubtRequest, InfillRequest, ScoreRequest


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is to be known of a loaded model."""

    name: str
    family: str
    parameters: int
    context_length: int
    device: str
    dtype: str
    threads: int
    trained_alpha_0: tuple[float, float]
    """Range of alpha_0 in training."""
    context_orders: tuple[ContextOrder, ...] = (ContextOrder.SUFFIX_FIRST, ContextOrder.PREFIX_FIRST)
    """Orders in which it was trained to read the context."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One denoising step of a running job. May be dropped on the way; endings may not.

    `step` counts from 1; `steps` is the planned number in all (it only ever shrinks during a run).
    """

    job_id: int
    step: int
    steps: int
    spans: tuple[SpanDraft, ...]
    stats: RunStats
    variation: int = 0
    remaining_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Variation:
    """One result: for each span of the request its new text.

    Attributes:
        log_likelihood: nats. Of several results of a request the exact one, given the text around the spans, from left
            to right, ends of holes among it; of a single one what the model gave the tokens when it wrote them.
        judged: how many tokens and ends the exact one counts; 0: it is not the exact one.
    """

    texts: tuple[str, ...]
    spans: tuple[SpanDraft, ...]
    seed: int
    log_likelihood: float
    judged: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """The run came to its end."""

    job_id: int
    request: InfillRequest
    variations: tuple[Variation, ...]
    stats: RunStats
    model: ModelInfo


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The job was stopped; `spans` is what was revealed until then (empty when it never began). `request` is None for
    the loading of a model."""

    job_id: int
    request: InfillRequest | ScoreRequest | DoubtRequest | None
    spans: tuple[SpanDraft, ...]
    stats: RunStats


@dataclass(frozen=True, slots=True)
class Scored:
    """The answer to a `ScoreRequest`. `bits_per_byte` counts UTF-8 bytes of what was scored."""

    job_id: int
    request: ScoreRequest
    tokens: tuple[TokenScore, ...]
    bits_per_byte: float
    model: ModelInfo
    bounds: Bounds | None = None


@dataclass(frozen=True, slots=True)
class Doubted:
    """The answer to a `DoubtRequest`: every word of the span, in order."""

    job_id: int
    request: DoubtRequest
    words: tuple[WordDoubt, ...]
    model: ModelInfo


@dataclass(frozen=True, slots=True)
class Prewarmed:
    """The context of a request was computed ahead of it."""

    job_id: int
    stats: RunStats


@dataclass(frozen=True, slots=True)
class Failed:
    """The run, or the loading of a model, failed. `message` is one sentence for the user."""

    job_id: int
    message: str
    kind: str
    """Name of the error class."""


@dataclass(frozen=True, slots=True)
class ModelLoading:
    """A model is being loaded; `progress` in [0, 1].

    Also sent by a job of another kind that finds no model loaded: at the end then with the model's `info`.
    """

    job_id: int
    name: str
    progress: float
    info: ModelInfo | None = None


@dataclass(frozen=True, slots=True)
class ModelReady:
    """A model is loaded and answers."""

    job_id: int
    info: ModelInfo


Ending: TypeAlias = Finished | Scored | Doubted | Prewarmed | Cancelled | Failed | ModelReady
Event: TypeAlias = Frame | ModelLoading | Ending
