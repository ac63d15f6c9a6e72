"""What the presets of the panel cost and give, on lines of held-out Python: passes, similarity, likelihood.

Each line is written between the text around it with the preset's values and the other settings' defaults. The last line
printed is one JSON object. Passes do not depend on the machine; the milliseconds are its own.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from app.settings import PRESETS, Preset
from engine.cache_pool import CachePool
from engine.models.base import ModelAdapter
from engine.models.registry import load
from engine.session import EngineSession
from engine.training.questions import MissingLine
from engine.types import InfillRequest, ModelChoice, TextSpan
from tests.bench.bench_samplers import ask, bits_per_byte, questions

SEED = 5


def request_of(preset: Preset, question: MissingLine) -> InfillRequest:
    """The question asked with the preset's values."""
    plain = InfillRequest(
        question.text,
        (TextSpan(question.start, question.end),),
        seed=SEED,
        starts_document=False,
        ends_document=False,
    )
    values: dict[str, Any] = {key.partition(".")[2]: value for key, value in preset.values.items()}
    return replace(plain, **values)


def measure(adapter: ModelAdapter, asked: list[MissingLine]) -> list[dict[str, object]]:
    """All presets on the same questions, question by question."""
    pool = CachePool(adapter.new_cache)
    rows: dict[str, list[tuple[int, float, float, float, int]]] = {preset.name: [] for preset in PRESETS}
    session = EngineSession(loader=lambda _choice: adapter)
    try:
        for question in asked:
            ask(session, replace(request_of(PRESETS[0], question), steps=1))  # reads the context
            for preset in PRESETS:
                ending = ask(session, request_of(preset, question))
                line = ending.variations[0].texts[0]
                alike = SequenceMatcher(None, question.line.strip(), line.strip(), autojunk=False).ratio()
                size = len(line.encode())
                bits = size * bits_per_byte(adapter, pool, question, line) if size else math.nan
                ms = ending.stats.elapsed_ms - ending.stats.prefill_ms
                rows[preset.name].append((ending.stats.nfe, ms, alike, bits, size))
    finally:
        session.close()
    return [_row(name, runs) for name, runs in rows.items()]


def _row(name: str, runs: list[tuple[int, float, float, float, int]]) -> dict[str, object]:
    written = [run for run in runs if run[4]]
    return {
        "preset": name,
        "passes": round(statistics.fmean(run[0] for run in runs), 1),
        "ms": round(statistics.median(run[1] for run in runs), 1),
        "similarity_percent": round(100 * statistics.fmean(run[2] for run in runs), 1),
        "bits_per_byte": round(math.fsum(run[3] for run in written) / max(1, sum(run[4] for run in written)), 3),
    }


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", default="redraft-mini", help="a model's name or folder")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--questions", type=int, default=60)
    given = options.parse_args()
    adapter = load(ModelChoice(given.model, "cpu", threads=given.threads))
    rows = measure(adapter, questions(given.questions))
    for row in rows:
        print(row)
    print(json.dumps({"model": adapter.info.name, "questions": given.questions, "rows": rows}))


if __name__ == "__main__":
    main()
