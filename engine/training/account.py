"""What a run says about itself: to its user after a step, in its log, in its checkpoint and beside its model."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass

from engine.training.checkpoint import Progress
from engine.training.config import ANY_ORDER, ANY_ORDER_SETTINGS, HYBRID_SETTINGS, TrainConfig
from engine.training.loop import Place, StepReport
from engine.training.peers import Peers


@dataclass(frozen=True, slots=True)
class Report:
    """What a run shows its user, after a step. Rates are those of this call since its first step.

    Attributes:
        share: of the whole run. tokens_per_second: clean tokens read. peak_share: of the machine's arithmetic.
    """

    step: StepReport
    progress: Progress
    share: float
    tokens_per_second: float
    peak_share: float
    seconds_left: float | None


Listener = Callable[[Report | str], None]
"""Told of every step (a Report) and of every stage (a sentence)."""


def about_run(config: TrainConfig) -> dict[str, object]:
    """What must be the same for a run to go on: all but its end, its place and how often it reports."""
    loose = {"minutes", "steps", "checkpoint_minutes", "log_steps", "device", "workers", "compile", "held_out_samples",
             "accumulate"} | (set() if config.own else {"own"})  # fmt: skip
    loose |= set(HYBRID_SETTINGS if config.objective == ANY_ORDER else ANY_ORDER_SETTINGS)
    about = {key: value for key, value in dataclasses.asdict(config).items() if key not in loose}
    return dict(json.loads(json.dumps(about, default=str)))


def summary(config: TrainConfig, progress: Progress, place: Place, peers: Peers) -> dict[str, object]:
    """What the model's description says about its training."""
    return {
        "steps": progress.step,
        "minutes": round(progress.seconds / 60, 1),
        "rows": progress.rows,
        "targets": progress.targets,
        "clean_tokens": progress.tokens,
        "rounds": progress.round,
        "device": place.device.type,
        "processes": peers.size,
        "rows_per_step": config.rows_per_step,
        "matrix_rate": config.matrix_rate,
        "rate": config.rate,
        "warmup": config.warmup,
        "cooldown": config.cooldown,
        "seed": config.seed,
    } | ({key: getattr(config, key) for key in HYBRID_SETTINGS} if config.objective != ANY_ORDER else {})


def log_entry(report: Report) -> dict[str, object]:
    """A step as a line of the log."""
    step, progress = report.step, report.progress
    return {
        "step": progress.step,
        "seconds": round(progress.seconds, 1),
        "loss": round(step.loss, 4),
        "context_loss": round(step.context_loss, 4),
        "gradient_norm": round(step.gradient_norm, 4),
        "rate": round(step.rate, 4),
        "rows": progress.rows,
        "targets": progress.targets,
        "tokens": progress.tokens,
        "tokens_per_second": round(report.tokens_per_second),
        "peak_share": round(report.peak_share, 4),
    }
