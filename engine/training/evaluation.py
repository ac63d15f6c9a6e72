"""Measures a model on held-out documents: `python -m engine.training.evaluation --data PROSE [--model FOLDER]`.

Held-out prose is one document in fifty of PROSE;
held-out Python is three packages from which no training file comes, as they are installed here. All draws are seeded.
"""

from __future__ import annotations

import ast
import json
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from engine.cache_pool import CachePool
from engine.config import read_config
from engine.errors import EngineError, TrainingError
from engine.framing import frame
from engine.likelihood import doubt_span
from engine.models.registry import find, load
from engine.session import EngineSession
from engine.tokenization import Tokenizer
from engine.training.checkpoint import read_model
from engine.training.corpus import Document, read_corpus, read_held_out
from engine.training.kneser_ney import KneserNey
from engine.training.likelihoods import Bits, hole_bits
from engine.training.packing import PackingRules, pack
from engine.training.questions import MissingLine, WrongWord, missing_lines, wrong_words
from engine.training.samples import Sample
from engine.types import Event, Failed, Finished, InfillRequest, Mode, ModelChoice, TextSpan

if TYPE_CHECKING:
    from engine.models.base import ModelAdapter

SEED = 20_260
LINE_CAPACITY = 64
"""Positions a missing line gets: more than any has, so that the hole says nothing about it."""
LEAST_LIKELY = 5
RULES = PackingRules(windows=((512, 1.0),), tasks=(0.8, 0.2, 0.0, 0.0, 0.0))
"""Samples for likelihoods: one hole, or two to four, with context on both sides."""

Answer = Callable[[MissingLine, int], str]
"""(question, capacity) -> what the model writes there, greedily."""


def evaluate(
    folder: Path,
    documents: Sequence[Document],
    *,
    samples: int = 300,
    questions: int = 150,
    yardstick: KneserNey | None = None,
) -> dict[str, object]:
    """All measures of the model in `folder`, beside those of an n-gram model if one is given."""
    network, config = read_model(folder)
    tokenizer = Tokenizer.load(folder, config.tokenizer_entry())
    found: dict[str, object] = {"model": config.name, "seed": SEED, "samples": samples, "questions": questions}
    for name, code in (("prose", False), ("python", True)):
        kept = [document for document in documents if document.is_code == code]
        packed = [sample for batch in pack(kept, tokenizer, samples, RULES, SEED) for sample in batch]
        for alpha_0 in (0.0, 1.0):
            bits = hole_bits(network, tokenizer, packed, alpha_0=alpha_0, seed=SEED)
            found[f"{name}_bits_per_byte_alpha_0_{alpha_0:g}"] = round(bits.per_byte, 4)
            found[f"{name}_hole_bytes"] = bits.hole_bytes
        if yardstick is not None:
            found[f"{name}_bits_per_byte_kneser_ney"] = round(_yardstick_bits(yardstick, tokenizer, packed).per_byte, 4)
    lines = missing_lines(documents, questions, SEED)
    session = EngineSession(ModelChoice(name=str(folder), device="cpu"))
    try:
        for alpha_0 in (0.0, 1.0):
            found[f"lines_alpha_0_{alpha_0:g}"] = judge_lines(lines, tokenizer, answerer(session, alpha_0))
    finally:
        session.close()
    adapter = load(ModelChoice(name=str(folder), device="cpu"))
    found["wrong_word"] = judge_words(wrong_words(documents, questions, SEED), adapter)
    return found


def count_ngrams(documents: Sequence[Document], tokenizer: Tokenizer) -> KneserNey:
    """A 5-gram model of `documents` in the tokens of a model."""
    ids = []
    for first in range(0, len(documents), 500):
        encoded = tokenizer.encode_batch([document.text for document in documents[first : first + 500]])
        ids += [np.array(part, dtype=np.uint16) for part in encoded]
    return KneserNey(ids, tokenizer.vocab_size)


def _yardstick_bits(model: KneserNey, tokenizer: Tokenizer, samples: Sequence[Sample]) -> Bits:
    """Bits of the holes' text from left to right, given what stands before it. Where a hole ends comes free."""
    bits, size, tokens = 0.0, 0, 0
    for sample in samples:
        before: list[int] = []
        for piece in sample.pieces:
            text = np.array([*before, *piece.ids], dtype=np.uint16)
            if piece.is_hole and piece.ids:
                bits -= float(model.log2_probabilities(text, len(before)).sum())
                size += sum(len(part) for part in tokenizer.decode_pieces(piece.ids))
                tokens += len(piece.ids)
            before += piece.ids
    return Bits(bits, size, tokens, len(samples))


def answerer(session: EngineSession, alpha_0: float) -> Answer:
    """Fills a line greedily through the engine's own door, as the editor would."""

    def answer(question: MissingLine, capacity: int) -> str:
        request = InfillRequest(
            question.text, (TextSpan(question.start, question.end),), alpha_0=alpha_0, temperature=0.0, top_p=1.0,
            capacity=capacity, seed=SEED, steps=16,
        )  # fmt: skip
        events: SimpleQueue[Event] = SimpleQueue()
        session.submit(request, events.put)
        while not isinstance(event := events.get(), Finished | Failed):
            pass
        if isinstance(event, Failed):
            raise TrainingError(event.message)
        return event.variations[0].texts[0]

    return answer


def judge_lines(lines: Sequence[MissingLine], tokenizer: Tokenizer, answer: Answer) -> dict[str, float]:
    """Shares of the missing lines that come back exactly, that leave the file parsing, and that are within 20 % of the
    true length (in characters) when the hole's capacity is twice the true one (in tokens)."""
    exact = parsing = length = 0
    for question in lines:
        text = answer(question, LINE_CAPACITY)
        exact += text.strip() == question.line.strip()
        parsing += _parses(question.filled(text))
        double = answer(question, 2 * len(tokenizer.encode(question.line)))
        length += abs(len(double) - len(question.line)) <= 0.2 * len(question.line)
    count = max(1, len(lines))
    shares = {"exact": exact, "parses": parsing, "length_within_20_percent": length}
    return {name: round(value / count, 4) for name, value in shares.items()} | {"count": len(lines)}


def judge_words(questions: Sequence[WrongWord], adapter: ModelAdapter) -> dict[str, float]:
    """Share of the sentences whose wrong word is among the five least likely, and what chance would give."""
    pool = CachePool(adapter.new_cache)
    hits, chance = 0, 0.0
    for question in questions:
        request = InfillRequest(question.text, (TextSpan(question.start, question.end),), mode=Mode.REFINE)
        pieces = frame(request, adapter.config, adapter.tokenizer)
        index = next(index for index, piece in enumerate(pieces) if piece.span == 0)
        scores = doubt_span(adapter, pool.lease, pieces, index, adapter.config.context_orders[0])
        _, ranges = adapter.tokenizer.encode_with_offsets(question.text[question.start : question.end])
        values = [
            min(
                score
                for score, (left, right) in zip(scores, ranges, strict=True)
                if question.start + left < word_end and question.start + right > word_start
            )
            for word_start, word_end in question.words
        ]
        hits += question.wrong in sorted(range(len(values)), key=values.__getitem__)[:LEAST_LIKELY]
        chance += min(1.0, LEAST_LIKELY / len(values))
    count = max(1, len(questions))
    return {"among_five": round(hits / count, 4), "chance": round(chance / count, 4), "count": len(questions)}


def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return True


def main(
    data: Annotated[Path, typer.Option(help="The prose the model was trained on: its held-out documents are used.")],
    model: Annotated[str, typer.Option(help="A model's name or folder.")] = "redraft-mini",
    samples: Annotated[int, typer.Option(help="Samples for the likelihoods, of each kind.")] = 300,
    questions: Annotated[int, typer.Option(help="Missing lines, and sentences with a wrong word.")] = 150,
    yardstick: Annotated[
        bool, typer.Option("--yardstick", help="Also count a 5-gram Kneser-Ney model of the training documents.")
    ] = False,
) -> None:
    """Print what a model reaches on held-out text as one JSON object."""
    try:
        folder = find(model)
        ngrams = None
        if yardstick:
            tokenizer = Tokenizer.load(folder, read_config(folder).tokenizer_entry())
            ngrams = count_ngrams(read_corpus(data, python=True).training, tokenizer)
        documents = read_held_out(data)
        found = evaluate(folder, documents, samples=samples, questions=questions, yardstick=ngrams)
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    typer.run(main)
