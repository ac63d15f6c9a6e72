"""Eso-LM's two attention variants on the same weights: what a cache that is exact saves.

(B) attends along an order and keeps the keys and values of clean tokens, within a run and between runs; in (A) clean
tokens see one another, so every diffusion step computes all of them again. The weights are the bundled model's, which
was trained along an order: the times are those of (A), what it writes with them means nothing. Times are the
processor's, which other programs change least. Prints a table, then one JSON object.
"""

from __future__ import annotations

import argparse
import inspect
import json
import statistics
import textwrap
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from engine.config import Attention
from engine.device import place
from engine.models.registry import FAMILIES, describe
from engine.session import EngineSession, answer_of
from engine.types import Finished, InfillRequest, ModelChoice, TextSpan

STEPS, CAPACITY = 16, 48


def request(context: int, alpha_0: float, seed: int) -> InfillRequest:
    """A hole in the middle of a text, which is read up to `context` tokens."""
    text = inspect.getsource(textwrap)
    middle = len(text) // 2 + 50 * seed
    return InfillRequest(
        text,
        (TextSpan(middle, middle + 120),),
        steps=STEPS,
        alpha_0=alpha_0,
        seed=seed,
        capacity=CAPACITY,
        least_tokens=CAPACITY,
        context_tokens=context,
        starts_document=False,
        ends_document=False,
    )


def measure(name: str, contexts: Sequence[int], repeats: int) -> list[dict[str, object]]:
    """A row for every context and alpha_0: medians of runs whose context is known, where that helps; question by
    question, so that a busy moment of the machine meets both variants."""
    sessions = {attention: _session(name, attention) for attention in (Attention.CAUSAL, Attention.MIXED2)}
    rows: list[dict[str, object]] = []
    for context in contexts:
        for alpha_0 in (1.0, 0.5, 0.0):
            wishes = [request(context, alpha_0, seed) for seed in range(repeats)]
            runs = [[_warm(session, wish) for session in sessions.values()] for wish in wishes]
            rows.append(_row(context, alpha_0, runs))
    for session in sessions.values():
        session.close()
    return rows


def _session(name: str, attention: Attention) -> EngineSession:
    config = replace(describe(name), attention=attention)
    adapter = FAMILIES[config.family](config, place(ModelChoice(name, "cpu", threads=1)))
    return EngineSession(loader=lambda _choice: adapter)


def _warm(session: EngineSession, wish: InfillRequest) -> tuple[float, int]:
    """Milliseconds of the processor's time, and passes, of a run that follows the same one."""
    answer_of(Finished, partial(session.submit, wish))
    started = time.process_time()
    finished = answer_of(Finished, partial(session.submit, wish))
    return 1000.0 * (time.process_time() - started), finished.stats.nfe


def _row(context: int, alpha_0: float, runs: Sequence[Sequence[tuple[float, int]]]) -> dict[str, object]:
    along, together = (statistics.median(pair[variant][0] for pair in runs) for variant in range(2))
    return {
        "context": context,
        "alpha_0": alpha_0,
        "passes": round(statistics.median(pair[0][1] for pair in runs)),
        "b_ms": round(along, 1),
        "a_ms": round(together, 1),
        "ratio": round(together / along, 1),
    }


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", default="redraft-mini", help="a model's name or folder")
    options.add_argument("--contexts", type=int, nargs="+", default=[256, 512, 1024], help="tokens, holes among them")
    options.add_argument("--repeats", type=int, default=5)
    given = options.parse_args()
    rows = measure(given.model, given.contexts, given.repeats)
    print("| context | α₀ | passes | (B), ms | (A), ms | ratio |\n| " + " | ".join(["---:"] * len(rows[0])) + " |")
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")
    print(json.dumps({"model": given.model, "steps": STEPS, "capacity": CAPACITY, "rows": rows}))


if __name__ == "__main__":
    main()
