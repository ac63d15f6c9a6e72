"""What crosses the border between the engine's thread and everyone else: frozen plain values, no tensors, no torch.

An `InfillRequest` holds everything a result depends on: two equal requests give equal results on one machine.
Offsets are code points into `InfillRequest.text`, as Python counts them.
"""

from engine.types.drafts import Cell, CellState, RunStats, SpanDraft
from engine.types.events import (
    Cancelled,
    Doubted,
    Ending,
    Event,
    Failed,
    Finished,
    Frame,
    ModelInfo,
    ModelLoading,
    ModelReady,
    Prewarmed,
    Scored,
    Variation,
)
from engine.types.judgments import Bounds, Candidate, TokenScore, WordDoubt
from engine.types.wishes import (
    SAMPLER_NAMES,
    SCHEDULE_NAMES,
    ContextOrder,
    DoubtRequest,
    InfillRequest,
    Mode,
    ModelChoice,
    ScoreRequest,
    TextSpan,
)

__all__ = [
    "SAMPLER_NAMES",
    "SCHEDULE_NAMES",
    "Bounds",
    "Cancelled",
    "Candidate",
    "Cell",
    "CellState",
    "ContextOrder",
    "DoubtRequest",
    "Doubted",
    "Ending",
    "Event",
    "Failed",
    "Finished",
    "Frame",
    "InfillRequest",
    "Mode",
    "ModelChoice",
    "ModelInfo",
    "ModelLoading",
    "ModelReady",
    "Prewarmed",
    "RunStats",
    "ScoreRequest",
    "Scored",
    "SpanDraft",
    "TextSpan",
    "TokenScore",
    "Variation",
    "WordDoubt",
]
