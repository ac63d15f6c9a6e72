"""Every sampler and schedule on the same questions: forward passes, time, and quality with the bundled model.

The questions are lines of held-out Python (packages that training has never seen, as they are installed here), each to
be written between the text around it, greedily, in a hole of the true number of tokens: how long a text should be is
the model's affair, which of its tokens to trust the sampler's. Quality is the share that comes back exactly, the mean
similarity to the true line's characters, and bits a byte: what the model itself, asked once more in another way, thinks
of what was written (`engine.likelihood`; the true line's is given beside it). Prints a table, then one JSON object.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path

from engine.cache_pool import CachePool
from engine.framing import frame
from engine.likelihood import doubt_span
from engine.models.base import ModelAdapter
from engine.models.registry import load
from engine.samplers import SAMPLERS
from engine.schedule import SCHEDULES
from engine.session import EngineSession, answer_of
from engine.training.corpus import read_held_out
from engine.training.questions import MissingLine, missing_lines
from engine.types import Finished, InfillRequest, Mode, ModelChoice, TextSpan

SEED = 20_260
AROUND = 1200
"""Characters of context on each side."""
BEGIN, END = "<!-- table -->", "<!-- end of table -->"


@dataclass(frozen=True, slots=True)
class Way:
    """One row of the table."""

    sampler: str
    schedule: str
    steps: int
    alpha_0: float

    def request(self, question: MissingLine, temperature: float, capacity: int) -> InfillRequest:
        """The question asked in this way."""
        return InfillRequest(
            text=question.text,
            spans=(TextSpan(question.start, question.end),),
            sampler=self.sampler,
            schedule=self.schedule,
            steps=self.steps,
            alpha_0=self.alpha_0,
            temperature=temperature,
            top_p=1.0 if temperature == 0 else 0.9,
            capacity=capacity,
            seed=SEED,
            starts_document=False,
            ends_document=False,
        )


def ways(steps: int) -> list[Way]:
    """Autoregression first, then all samplers, then the other schedules; last, samplers with four times the steps."""
    rows = [Way("ancestral", "log-linear", steps, 0.0), Way("ancestral", "log-linear", steps, 0.5)]
    rows += [Way(sampler, "log-linear", steps, 1.0) for sampler in SAMPLERS]
    rows += [Way("ancestral", schedule, steps, 1.0) for schedule in SCHEDULES if schedule != "log-linear"]
    return rows + [Way(sampler, "log-linear", 4 * steps, 1.0) for sampler in SAMPLERS]


def questions(count: int) -> list[MissingLine]:
    """Missing lines with a window of text around them."""
    found = []
    for question in missing_lines(read_held_out(None), count, SEED):
        low = max(0, question.start - AROUND)
        text = question.text[low : question.end + AROUND]
        found.append(MissingLine(text, question.start - low, question.end - low))
    return found


def bits_per_byte(adapter: ModelAdapter, pool: CachePool, question: MissingLine, line: str) -> float:
    """What the model thinks of `line` in the place of the question's, judged from both sides."""
    if not line:
        return math.nan
    text = question.filled(line)
    span = TextSpan(question.start, question.start + len(line))
    request = InfillRequest(text, (span,), mode=Mode.REFINE, starts_document=False, ends_document=False)
    pieces = frame(request, adapter.config, adapter.tokenizer)
    index = next(index for index, piece in enumerate(pieces) if piece.span == 0)
    nats = sum(doubt_span(adapter, pool.lease, pieces, index, adapter.config.context_orders[0]))
    return -nats / math.log(2) / len(line.encode())


def ask(session: EngineSession, request: InfillRequest) -> Finished:
    """Runs a request to its end."""
    return answer_of(Finished, partial(session.submit, request))


def measure(
    model: ModelChoice, asked: list[MissingLine], steps: int, temperature: float = 0.0, capacity: int = 0
) -> dict[str, object]:
    """All ways on the same questions, question by question, so that a busy moment of the machine meets all of them."""
    rows = ways(steps)
    adapter = load(model)
    if not capacity:
        _keep_lengths(adapter)
    pool = CachePool(adapter.new_cache)
    runs: dict[Way, list[tuple[Finished, str, float]]] = {way: [] for way in rows}
    session = EngineSession(loader=lambda _choice: adapter)
    try:
        for question in asked:
            positions = capacity or len(adapter.tokenizer.encode(question.line))
            warming = rows[0].request(question, temperature, positions)
            ask(session, replace(warming, steps=1, alpha_0=1.0))
            for way in rows:
                ending = ask(session, way.request(question, temperature, positions))
                line = ending.variations[0].texts[0]
                runs[way].append((ending, line, bits_per_byte(adapter, pool, question, line)))
    finally:
        session.close()
    true = [bits_per_byte(adapter, pool, question, question.line) for question in asked]
    return {
        "model": adapter.info.name,
        "parameters": adapter.info.parameters,
        "device": adapter.info.device,
        "dtype": adapter.info.dtype,
        "threads": adapter.info.threads,
        "questions": len(asked),
        "temperature": temperature,
        "capacity": capacity or "true",
        "steps": steps,
        "true_bits_per_byte": round(statistics.fmean(true), 3),
        "rows": [_row(way, runs[way], asked) for way in rows],
    }


def _keep_lengths(adapter: ModelAdapter) -> None:
    """Takes the empty token away from a model, so that holes keep the length they are given."""
    special = adapter.config.special_tokens
    if special.empty is not None:
        never = replace(special, empty=None, pad=special.empty)
        adapter.config = replace(adapter.config, special_tokens=never, suffix_grid=1)


def _row(way: Way, runs: list[tuple[Finished, str, float]], asked: list[MissingLine]) -> dict[str, object]:
    pairs = [(question.line.strip(), line.strip()) for question, (_, line, _) in zip(asked, runs, strict=True)]
    likeness = [SequenceMatcher(None, *pair, autojunk=False).ratio() for pair in pairs]
    times = [ending.stats.elapsed_ms - ending.stats.prefill_ms for ending, _, _ in runs]
    bits = [value for _, _, value in runs if not math.isnan(value)]
    return {
        "sampler": way.sampler,
        "schedule": way.schedule,
        "alpha_0": way.alpha_0,
        "steps": way.steps,
        "passes": round(statistics.fmean(ending.stats.nfe for ending, _, _ in runs), 1),
        "ms": round(statistics.median(times), 1),
        "tokens": round(statistics.fmean(ending.stats.written_tokens for ending, _, _ in runs), 1),
        "exact_percent": round(100 * statistics.fmean(true == line for true, line in pairs), 1),
        "similarity_percent": round(100 * statistics.fmean(likeness), 1),
        "bits_per_byte": round(statistics.fmean(bits), 3) if bits else None,
    }


COLUMNS = (
    "sampler", "schedule", "alpha_0", "steps", "passes", "ms", "tokens", "exact_percent", "similarity_percent",
    "bits_per_byte",
)  # fmt: skip


def table(figures: dict[str, object]) -> str:
    """The rows as Markdown."""
    rows = figures["rows"]
    assert isinstance(rows, list)
    heads = ("sampler", "schedule", "α₀", "steps", "passes", "ms", "tokens", "exact %", "similar %", "bits/byte")
    lines = ["| " + " | ".join(heads) + " |", "| --- | --- |" + " ---: |" * (len(COLUMNS) - 2)]
    lines += ["| " + " | ".join(f"{row[column]}" for column in COLUMNS) + " |" for row in rows]
    return "\n".join(lines)


def put_into(page: Path, figures: dict[str, object]) -> None:
    """Replaces the table of a Markdown page, which stands between two comments."""
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    said = (
        f"{figures['questions']} lines, {figures['model']} with {figures['parameters']:,} parameters in "
        f"{figures['dtype']} on {figures['threads']} thread(s) of a {str(figures['device']).upper()}; "
        f"the true lines have {figures['true_bits_per_byte']} bits/byte."
    )
    page.write_text(f"{before}{BEGIN}\n{table(figures)}\n\n{said}\n{END}{after}", encoding="utf-8")


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", default="redraft-mini", help="a model's name or folder")
    options.add_argument("--threads", type=int, default=0, help="CPU threads; 0 chooses")
    options.add_argument("--device", default="auto")
    options.add_argument("--steps", type=int, default=4, help="most parallel steps")
    options.add_argument("--questions", type=int, default=60)
    options.add_argument("--capacity", type=int, default=0, help="positions of a hole; 0: as many as the true line has")
    options.add_argument("--temperature", type=float, default=0.0)
    options.add_argument("--page", type=Path, help="a Markdown page whose table is to be replaced")
    given = options.parse_args()
    choice = ModelChoice(given.model, given.device, threads=given.threads)
    figures = measure(choice, questions(given.questions), given.steps, given.temperature, given.capacity)
    if given.page is not None:
        put_into(given.page, figures)
    print(table(figures) + "\n")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
