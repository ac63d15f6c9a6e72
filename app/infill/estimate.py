"""How long a run will take, from how long runs took: nothing is claimed of a model that has not run yet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.paths import replace_file
from engine.types import Finished, InfillRequest, Mode, ModelInfo

NEWEST = 0.3
"""Weight of the newest run in a figure."""
LEAST_CONTEXT = 32
"""Context tokens that must have been computed for their time to mean anything."""
_REMASKING = frozenset({"remdm", "p2", "renoise", "coarse-to-fine"})
"""Samplers that use up all their steps."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take.

    Attributes:
        ms: milliseconds after the context was read.
        is_rough: measured with the same model, but not with this sampler and as many variations.
        reading_ms: for every thousand tokens of context that must be read anew; None where that is not known.
    """

    ms: float
    is_rough: bool
    reading_ms: float | None = None


@dataclass(slots=True)
class Speed:
    """What was measured of one model on one device, as running means.

    Attributes:
        a_step: milliseconds of a forward pass, by sampler and variations.
        a_context_token: milliseconds. characters: of a written token.
    """

    a_step: dict[str, float] = field(default_factory=dict)
    a_context_token: float | None = None
    characters: float | None = None

    def learn(self, event: Finished) -> None:
        """Takes a run that came to its end into account."""
        stats = event.stats
        denoising = stats.elapsed_ms - stats.prefill_ms
        if stats.nfe and denoising > 0:
            way = _way(event.request)
            self.a_step[way] = _mean(self.a_step.get(way), denoising / stats.nfe)
        if stats.computed_tokens >= LEAST_CONTEXT and stats.prefill_ms > 0:
            self.a_context_token = _mean(self.a_context_token, stats.prefill_ms / stats.computed_tokens)
        written = sum(len(text) for variation in event.variations for text in variation.texts)
        if stats.written_tokens and written:
            self.characters = _mean(self.characters, written / stats.written_tokens)

    def estimate(self, options: InfillRequest, characters: int) -> Estimate | None:
        """The time for new text of so many characters; None before anything was measured."""
        if not self.a_step or not self.characters:
            return None
        way = _way(options)
        a_step = self.a_step.get(way, max(self.a_step.values()))
        passes = planned_passes(options, max(1, round(characters / self.characters)))
        reading = 1000 * self.a_context_token if self.a_context_token is not None else None
        return Estimate(passes * a_step, way not in self.a_step, reading)


class Speeds:
    """The speeds of all models that ran, kept in a file between starts. A file that cannot be read is begun anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._speeds: dict[str, Speed] = {}
        self._is_changed = False
        self._load()

    def learn(self, event: Finished) -> None:
        """Takes a run that came to its end into account."""
        self._speeds.setdefault(_key(event.model), Speed()).learn(event)
        self._is_changed = True

    def of(self, model: ModelInfo) -> Speed:
        """What is known of a model; empty where it has not run."""
        return self._speeds.get(_key(model), Speed())

    def save(self) -> None:
        """Writes the file, if there is something new. Raises OSError."""
        if self._is_changed:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            values = {
                key: {
                    "a_step": speed.a_step,
                    "a_context_token": speed.a_context_token,
                    "characters": speed.characters,
                }
                for key, speed in self._speeds.items()
            }
            replace_file(self._path, json.dumps(values, indent=1).encode())
            self._is_changed = False

    def _load(self) -> None:
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
            self._speeds = {key: _speed(value) for key, value in values.items()}
        except (OSError, ValueError, TypeError, AttributeError, KeyError):
            self._speeds = {}


def planned_passes(options: InfillRequest, tokens: int) -> int:
    """Forward passes for new text of so many tokens: diffusion's share in parallel, the rest one by one, then the
    corrections, of which each judges the text twice and writes an eighth of it."""
    if options.mode is Mode.REFINE:
        tokens = max(1, round(options.strength * tokens))
    parallel = round(options.alpha_0 * tokens)
    steps = options.steps if options.sampler in _REMASKING else min(options.steps, parallel)
    corrections = 2 + options.correction_passes * (2 + -(-tokens // 8)) if options.correction_passes else 0
    return (steps if parallel else 0) + tokens - parallel + options.variations * corrections


def _way(request: InfillRequest) -> str:
    return f"{request.sampler} {request.variations}"


def _key(model: ModelInfo) -> str:
    return f"{model.name} {model.device} {model.dtype} {model.threads}"


def _mean(old: float | None, new: float) -> float:
    return new if old is None else (1 - NEWEST) * old + NEWEST * new


def _speed(value: Mapping[str, Any]) -> Speed:
    steps = {str(way): float(ms) for way, ms in value["a_step"].items()}
    numbers = [None if value[name] is None else float(value[name]) for name in ("a_context_token", "characters")]
    if any(not 0 < number < 1e9 for number in (*steps.values(), *numbers) if number is not None):
        raise ValueError("a speed that cannot be")
    return Speed(steps, *numbers)
