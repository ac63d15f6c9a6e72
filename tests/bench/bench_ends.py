"""Where fills end: holes of held-out prose and lines of held-out Python at default settings, their ends drawn once and
drawn again (`engine.ends`), with the same seeds.

Prose is cut at words: phrases, whole sentences, the first or the second part of a sentence; every second hole takes the
space after it, too. A fill ends in the middle
of a word if its last character and the first one after it are letters, where that was not so in the true text; the word
that stands across the border is unknown if the held-out documents have it less than twice. The bits of what follows are
what the model thinks of the next `FOLLOWING` characters after the fill, given all else. Prints a table, then one JSON
object.
"""

from __future__ import annotations

import argparse
import ast
import json
import math
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import torch

from engine.cache_pool import CachePool
from engine.denoise import DenoiseSettings, DenoisingStep, denoise
from engine.drafting import span_texts
from engine.framing import canvas_of, frame
from engine.likelihood import score_span
from engine.models.base import ModelAdapter
from engine.models.registry import load
from engine.sampling import SamplingRule
from engine.schedule import make_schedule
from engine.training.corpus import read_held_out
from engine.training.documents import Document
from engine.training.holes import phrase, sentence
from engine.training.questions import MissingLine, missing_lines
from engine.types import InfillRequest, Mode, ModelChoice, TextSpan

SEED = 20_261
AROUND = 1200
"""Characters of context on each side."""
FOLLOWING = 30
NEAR = 0.2
"""A length is near the true one if it differs by this share of it at most."""
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Fill:
    """An answer: its text, the forward passes it took."""

    text: str
    passes: int


@dataclass(frozen=True, slots=True)
class Way:
    """How the questions are asked."""

    redraw: bool
    alpha_0: float = 0.5
    steps: int = 16
    temperature: float = 0.7


def prose_holes(documents: Sequence[Document], count: int) -> list[MissingLine]:
    """`count` of each kind: phrases, sentences, first and second parts of sentences; at most one of a document's kind
    while there are others."""
    generator = np.random.default_rng(SEED)
    pool = [document.text for document in documents if not document.is_code and len(document.text) >= 400]
    found = []
    for cut in (phrase, sentence, _part):
        rounds = range(-(-2 * count // max(1, len(pool))))
        order = [int(index) for _ in rounds for index in generator.permutation(len(pool))]
        holes = [_hole(pool[index], cut(pool[index], generator)) for index in order]
        found += [hole for hole in holes if hole is not None][:count]
    return [_with_space(hole) if number % 2 else hole for number, hole in enumerate(found)]


def _with_space(hole: MissingLine) -> MissingLine:
    return replace(hole, end=hole.end + hole.text[hole.end :].startswith(" "))


def code_lines(documents: Sequence[Document], count: int) -> list[MissingLine]:
    """Lines of Python; `text` is the whole file."""
    return missing_lines(documents, count, SEED)


def known_words(documents: Sequence[Document]) -> frozenset[str]:
    """Words that the held-out prose has at least twice; of single letters only those that are words."""
    counts: Counter[str] = Counter()
    for document in documents:
        if not document.is_code:
            counts.update(word.lower() for word in _WORD.findall(document.text))
    return frozenset(word for word, times in counts.items() if times > 1 and (len(word) > 1 or word in "aios"))


def _part(text: str, generator: np.random.Generator) -> tuple[int, int] | None:
    span = sentence(text, generator)
    words = [match.span() for match in re.finditer(r"\S+", text[slice(*span)])] if span is not None else []
    if span is None or len(words) < 6:
        return None
    place = int(generator.integers(2, len(words) - 2))
    if generator.random() < 0.5:
        return span[0], span[0] + words[place - 1][1]
    return span[0] + words[place][0], span[1]


def _hole(text: str, span: tuple[int, int] | None) -> MissingLine | None:
    if span is None or not 8 <= span[1] - span[0] <= 240:
        return None
    low = max(0, span[0] - AROUND)
    return MissingLine(text[low : span[1] + AROUND], span[0] - low, span[1] - low)


def near(question: MissingLine) -> MissingLine:
    """The question with a window of its text."""
    low = max(0, question.start - AROUND)
    return MissingLine(question.text[low : question.end + AROUND], question.start - low, question.end - low)


def fill(adapter: ModelAdapter, pool: CachePool, question: MissingLine, seed: int, way: Way) -> Fill:
    """The question asked at default settings but for the way's."""
    wish = InfillRequest(
        question.text,
        (TextSpan(question.start, question.end),),
        seed=seed,
        alpha_0=way.alpha_0,
        steps=way.steps,
        temperature=way.temperature,
        starts_document=False,
        ends_document=False,
    )
    canvas = canvas_of(frame(wish, adapter.config, adapter.tokenizer), wish, adapter.config)
    special = adapter.config.special_tokens
    rule = SamplingRule(wish.temperature, wish.top_p, special.never_written(), special.empty)
    settings = DenoiseSettings(wish.steps, wish.alpha_0, rule, wish.sampler, make_schedule(wish.schedule), way.redraw)
    generator = torch.Generator().manual_seed(seed)
    steps_made = denoise(adapter, pool.lease(canvas.context), canvas, settings, generator)
    passes = sum(isinstance(step, DenoisingStep) for step in steps_made)
    return Fill(span_texts(canvas, adapter.tokenizer, 1)[0], passes)


def breaks_word(question: MissingLine, text: str) -> bool:
    """Whether the fill ends in the middle of a word, and the true text did not."""
    after = question.text[question.end : question.end + 1]
    return text[-1:].isalpha() and after.isalpha() and not question.line[-1].isalpha()


def ends_unknown(question: MissingLine, text: str, words: frozenset[str]) -> bool:
    """Whether the word across the fill's end is unknown."""
    return not _is_known(text, question.text[question.end :], words)


def _is_known(text: str, after: str, words: frozenset[str]) -> bool:
    joined = next(
        (match[0] for match in _WORD.finditer(text + after) if match.start() < len(text) <= match.end()), None
    )
    return joined is None or joined.lower() in words


def bits_after(adapter: ModelAdapter, pool: CachePool, question: MissingLine, text: str) -> float:
    """What the model thinks of the text right after the fill, in bits."""
    filled, start = question.filled(text), question.start + len(text)
    span = TextSpan(start, min(len(filled), start + FOLLOWING))
    if span.start == span.end:
        return 0.0
    request = InfillRequest(filled, (span,), mode=Mode.REFINE, starts_document=False, ends_document=False)
    pieces = frame(request, adapter.config, adapter.tokenizer)
    index = next(index for index, piece in enumerate(pieces) if piece.span == 0)
    return -sum(score_span(adapter, pool.lease, pieces, index, adapter.config.context_orders[-1])) / math.log(2)


def parses(text: str) -> bool:
    """Whether it is Python."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def measure(
    adapter: ModelAdapter, documents: Sequence[Document], prose: int, lines: int, way: Way
) -> list[dict[str, object]]:
    """A row for each kind of text and way."""
    pool, words = CachePool(adapter.new_cache), known_words(documents)
    rows: list[dict[str, object]] = []
    kinds = {"prose": prose_holes(documents, prose), "Python": code_lines(documents, lines)}
    for kind, questions in kinds.items():
        for redraw in (False, True):
            answers = [
                fill(adapter, pool, near(question), SEED + number, replace(way, redraw=redraw))
                for number, question in enumerate(questions)
            ]
            after = [
                bits_after(adapter, pool, near(question), answer.text)
                for question, answer in zip(questions, answers, strict=True)
            ]
            rows.append(_row(kind, "drawn again" if redraw else "drawn once", questions, answers, after, words))
        answers = [Fill(question.line, 0) for question in questions]
        after = [bits_after(adapter, pool, near(question), question.line) for question in questions]
        rows.append(_row(kind, "true text", questions, answers, after, words))
    return rows


def _row(
    kind: str, way: str, questions: Sequence[MissingLine], fills: Sequence[Fill], after: Sequence[float],
    words: frozenset[str],
) -> dict[str, object]:  # fmt: skip
    pairs = [(question, answer.text) for question, answer in zip(questions, fills, strict=True)]
    is_code = kind == "Python"
    return {
        "text": kind,
        "ends": way,
        "holes": len(pairs),
        "broken_words_percent": _percent(breaks_word(*pair) for pair in pairs),
        "unknown_words_percent": None if is_code else _percent(ends_unknown(*pair, words) for pair in pairs),
        "near_length_percent": _percent(abs(len(text) - len(q.line)) <= NEAR * len(q.line) for q, text in pairs),
        "length_ratio": round(statistics.median(len(text) / len(q.line) for q, text in pairs), 2),
        "similarity_percent": round(
            100 * statistics.fmean(SequenceMatcher(None, q.line, text, autojunk=False).ratio() for q, text in pairs), 1
        ),
        "bits_after": round(statistics.fmean(after), 1),
        "parses_percent": _percent(parses(q.filled(text)) for q, text in pairs) if is_code else None,
        "passes": round(statistics.fmean(answer.passes for answer in fills), 1),
    }


def _percent(answers: Iterable[bool]) -> float:
    return round(100 * statistics.fmean(answers), 1)


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True, help="the prose the model was trained on")
    options.add_argument("--model", default="redraft-mini", help="a model's name or folder")
    options.add_argument("--prose", type=int, default=60, help="holes of each of three kinds")
    options.add_argument("--lines", type=int, default=100, help="lines of Python")
    options.add_argument("--alpha-0", type=float, default=0.5, help="share written in parallel")
    options.add_argument("--steps", type=int, default=16, help="most parallel steps")
    options.add_argument("--temperature", type=float, default=0.7)
    given = options.parse_args()
    way = Way(True, given.alpha_0, given.steps, given.temperature)
    adapter = load(ModelChoice(given.model, "cpu", threads=1))
    documents = read_held_out(given.data)
    rows = measure(adapter, documents, given.prose, given.lines, way)
    for row in rows:
        print(" | ".join(str(value) for value in row.values()))
    print(json.dumps({"model": adapter.info.name, **asdict(way), "rows": rows}))


if __name__ == "__main__":
    main()
