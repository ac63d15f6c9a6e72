"""What `redraft fill` leaves behind: the new text, a diff, a JSON object, the changed file."""

from __future__ import annotations

import difflib
import json
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console
from rich.text import Text

from engine.cli import textfile
from engine.cli.terminal import stats_line, visible
from engine.cli.textfile import TextFile, TextFileError
from engine.types import Finished, InfillRequest, TextSpan, Variation

DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which outputs were asked for; with none of them the new text is printed.

    `pick`: the seed of the result that comes first, and is written; None: the likeliest.
    """

    write: bool = False
    diff: bool = False
    json: bool = False
    pick: int | None = None


def say(sentence: str) -> None:
    """Prints one sentence for the person, beside the output."""
    print(sentence, file=sys.stderr)


def check_pick(pick: int | None, request: InfillRequest) -> None:
    """Raises TextFileError where a request makes no result of the seed that is picked."""
    last = request.seed + request.variations - 1
    if pick is not None and not request.seed <= pick <= last:
        raise TextFileError(f"--pick takes the seed of a result, from {request.seed} to {last} here, not {pick}.")


def hand_over(source: TextFile, spans: Sequence[TextSpan], finished: Finished, wanted: Wanted) -> None:
    """Writes and prints results as wanted, the picked one first, which the file gets, then the likeliest, blank
    ones last; inserted line ends become the file's.

    Raises:
        TextFileError: the file cannot be written.
    """
    ranked = sorted(
        finished.variations,
        key=lambda one: (one.seed != wanted.pick, not any(map(str.strip, one.texts)), -_likelihood(one)),
    )
    results = [_new_texts(source, variation) for variation in ranked]
    if wanted.write:
        textfile.write(source, textfile.replaced(source.text, spans, results[0]))
    if wanted.diff:
        for texts in results[:1] if wanted.write else results:
            _print_diff(source, textfile.replaced(source.text, spans, texts))
    if not (wanted.write or wanted.diff or wanted.json):
        for variation, texts in zip(ranked, results, strict=True):
            _print_texts(spans, texts, _heading(variation) if len(results) > 1 else "")
    which = f"{_heading(ranked[0])}, " if len(results) > 1 else ""
    say(f"{stats_line(finished.stats)}{f' · {which}written to {source.path}' if wanted.write else ''}")
    if wanted.json:
        print(json.dumps(_report(source, spans, replace(finished, variations=tuple(ranked)), results)))


def _likelihood(variation: Variation) -> float:
    """The exact probability of a token, as the geometric mean; 0 where results were not judged."""
    return math.exp(variation.log_likelihood / variation.judged) if variation.judged else 0.0


def _heading(variation: Variation) -> str:
    share = f", {100 * _likelihood(variation):.2g} % a token" if variation.judged else ""
    return f"seed {variation.seed}{share}"


def _new_texts(source: TextFile, variation: Variation) -> list[str]:
    return [textfile.with_line_ends(text, source.eol) for text in variation.texts]


def _print_texts(spans: Sequence[TextSpan], texts: Sequence[str], heading: str) -> None:
    for span, text in zip(spans, texts, strict=True):
        place = f"{span.start}:{span.end}" if len(spans) > 1 else ""
        if heading or place:
            print(f"[{', '.join(filter(None, (heading, place)))}]")
        shown = visible(text) if sys.stdout.isatty() else text
        print(shown, end="" if shown.endswith("\n") else "\n")


def _print_diff(source: TextFile, text: str) -> None:
    name = source.path.as_posix().lstrip("/")
    lines = difflib.unified_diff(_lines(source.text), _lines(text), f"a/{name}", f"b/{name}")
    console = Console(highlight=False)
    for line in lines:
        shown = line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"
        if console.is_terminal:
            console.print(Text(visible(shown.rstrip("\r\n")), style=DIFF_STYLES.get(line[0], "")), soft_wrap=True)
        else:
            sys.stdout.write(shown)


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _report(
    source: TextFile, spans: Sequence[TextSpan], finished: Finished, results: Sequence[Sequence[str]]
) -> dict[str, Any]:
    stats, model, request = finished.stats, finished.model, finished.request
    return {
        "file": str(source.path),
        "spans": [
            {"start": span.start, "end": span.end, "before": source.text[span.start : span.end], "after": after}
            for span, after in zip(spans, results[0], strict=True)
        ],
        "variations": [
            {
                "seed": variation.seed,
                "log_likelihood": variation.log_likelihood,
                "judged_tokens": variation.judged,
                "after": list(texts),
            }
            for variation, texts in zip(finished.variations, results, strict=True)
        ],
        "nfe": stats.nfe,
        "ms": round(stats.elapsed_ms, 3),
        "first_frame_ms": round(stats.first_frame_ms, 3),
        "tokens_per_s": round(stats.tokens_per_s, 3),
        "reused_tokens": stats.reused_tokens,
        "computed_tokens": stats.computed_tokens,
        "model": model.name,
        "settings": {
            "mode": request.mode.value,
            "steps": request.steps,
            "alpha_0": request.alpha_0,
            "strength": request.strength,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "top_k": request.top_k,
            "min_p": request.min_p,
            "repetition_penalty": request.repetition_penalty,
            "banned": list(request.banned),
            "length_factor": request.length_factor,
            "correction_passes": request.correction_passes,
            "seed": request.seed,
            "capacity": request.capacity,
            "variations": request.variations,
            "sampler": request.sampler,
            "schedule": request.schedule,
            "context_order": request.context_order.value,
            "context_tokens": request.context_tokens,
            "cache": request.use_cache,
            "device": model.device,
            "dtype": model.dtype,
            "threads": model.threads,
        },
    }
