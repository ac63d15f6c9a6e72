"""What a model reaches on held-out text: the whole table of the model card, beside two baselines.

Held-out prose is one document in fifty of the corpus; held-out Python is three packages from which no training file
comes, as they are installed here. All draws are seeded: a rerun gives the same figures.

The baselines: the same network read purely left to right with the suffix hidden, and a 5-gram Kneser-Ney model of the
training documents. Neither is charged for where a hole ends; the model is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from engine.config import Attention, CheckpointConfig
from engine.errors import TrainingError
from engine.models.registry import load
from engine.session import EngineSession
from engine.tokenization import Tokenizer
from engine.training import judging
from engine.training.answering import SEED, answerer, doubts, forward_answerer, ngram_doubts
from engine.training.bounds import bounds_of, trained_objective
from engine.training.checkpoint import read_model
from engine.training.documents import Document
from engine.training.encoding import BulkEncoder
from engine.training.judging import LineShares, judge_lines, judge_words
from engine.training.kneser_ney import KneserNey
from engine.training.likelihoods import Bits, forward_bits, hole_bits, without_slack
from engine.training.packing import PackingRules, pack
from engine.training.questions import missing_lines, wrong_words
from engine.training.samples import Sample, read_about
from engine.types import ModelChoice

PYTHON_CAP_BYTES = 12_000_000
RULES = PackingRules(windows=((512, 1.0),), tasks=(0.8, 0.2, 0.0, 0.0, 0.0))
"""Samples for likelihoods: one hole, or two to four, with context on both sides."""


class Kind(StrEnum):
    """What is measured apart."""

    PROSE = "prose"
    PYTHON = "python"


class Way(StrEnum):
    """By whom: the model at either end of alpha_0 (both_sides where alpha_0 plays no part), or a baseline."""

    ALPHA_0 = "alpha_0_0"
    ALPHA_1 = "alpha_0_1"
    BOTH_SIDES = "both_sides"
    LEFT_TO_RIGHT = "left_to_right"
    KNESER_NEY = "kneser_ney"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures of one model, and what they were measured with.

    Attributes:
        weights: the first 12 digits of the SHA-256 of its model.safetensors. precision: in which lines were written.
        hole_bytes: bytes of hole text of each kind. bits: bits per byte of hole text, by kind and way.
        bounds: bits per byte of whole windows by kind and bound (engine.training.bounds), for a model that was trained
            for one alpha_0.
        lines, words: shares in [0, 1], by way. chance: what guessing reaches in `words`.
    """

    model: str
    weights: str
    seed: int
    samples: int
    device: str
    precision: str
    documents: Mapping[Kind, int]
    hole_bytes: Mapping[Kind, int]
    bits: Mapping[Kind, Mapping[Way, float]]
    bounds: Mapping[Kind, Mapping[str, float]]
    line_count: int
    lines: Mapping[Way, LineShares]
    word_count: int
    words: Mapping[Way, float]
    chance: float

    def as_json(self) -> dict[str, Any]:
        """Plain values, for one JSON object."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Where a model's training text is, as far as its folder says, and how much Python was added."""

    data: Path | None
    python: bool
    python_cap_bytes: int


def training_data(folder: Path) -> TrainingData:
    """What the run beside a model noted; a model that is shipped alone was trained as the presets say."""
    about = read_about(folder / "samples")
    data, cap = about.get("data"), about.get("python_cap_bytes")
    place = Path(data) if isinstance(data, str) and Path(data).exists() else None
    return TrainingData(place, bool(about.get("python", True)), cap if isinstance(cap, int) else PYTHON_CAP_BYTES)


Tell = Callable[[str], None]
"""Told what is being done, a sentence at a time."""


def evaluate(
    choice: ModelChoice,
    folder: Path,
    documents: Sequence[Document],
    *,
    samples: int = 300,
    questions: int = 150,
    yardstick: KneserNey | None = None,
    tell: Tell = lambda _: None,
) -> Evaluation:
    """All measures of the model in `folder`, beside those of an n-gram model if one is given.

    Raises:
        TrainingError: nothing was held out. ModelError: the model cannot be loaded.
    """
    if not documents:
        raise TrainingError("Nothing of this text was held out (one document in fifty is): give a larger corpus.")
    bits, bounds, hole_bytes = _likelihoods(folder, documents, samples, yardstick, tell)
    adapter = load(choice)
    lines = missing_lines(documents, questions, SEED)
    tell(f"Writing {len(lines)} missing lines")
    session = EngineSession(choice)
    try:
        ways = {
            Way.ALPHA_0: answerer(session, 0.0),
            Way.ALPHA_1: answerer(session, 1.0),
            Way.LEFT_TO_RIGHT: forward_answerer(session),
        }
        shares = {way: judge_lines(lines, adapter.tokenizer, answer) for way, answer in ways.items()} if lines else {}
    finally:
        session.close()
    sentences = wrong_words(documents, questions, SEED)
    tell(f"Looking for the wrong word of {len(sentences)} sentences")
    scores = {Way.BOTH_SIDES: doubts(adapter, suffix=True), Way.LEFT_TO_RIGHT: doubts(adapter, suffix=False)}
    if yardstick is not None:
        scores[Way.KNESER_NEY] = ngram_doubts(yardstick, adapter.tokenizer)
    return Evaluation(
        model=adapter.config.name,
        weights=weights_digest(folder),
        seed=SEED,
        samples=samples,
        device=adapter.info.device,
        precision=adapter.info.dtype,
        documents={kind: len(_of(kind, documents)) for kind in Kind},
        hole_bytes=hole_bytes,
        bits=bits,
        bounds=bounds,
        line_count=len(lines),
        lines=shares,
        word_count=len(sentences),
        words={way: judge_words(sentences, score) for way, score in scores.items()} if sentences else {},
        chance=judging.chance(sentences),
    )


def weights_digest(folder: Path) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of the model's weights: which weights a table belongs to."""
    with (folder / "model.safetensors").open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:12]


def count_ngrams(documents: Sequence[Document], tokenizer: Tokenizer) -> KneserNey:
    """A 5-gram model of `documents` in the tokens of a model."""
    encoder = BulkEncoder(tokenizer)
    ids = [np.frombuffer(encoder.encode_batch([document.text])[0], dtype=np.uint16) for document in documents]
    return KneserNey(ids, tokenizer.vocab_size)


def _of(kind: Kind, documents: Sequence[Document]) -> list[Document]:
    return [document for document in documents if document.is_code == (kind is Kind.PYTHON)]


def _likelihoods(
    folder: Path, documents: Sequence[Document], samples: int, yardstick: KneserNey | None, tell: Tell
) -> tuple[dict[Kind, dict[Way, float]], dict[Kind, dict[str, float]], dict[Kind, int]]:
    """Bits per byte of hole text, bounds of whole windows, and the number of hole bytes, of every kind there is."""
    network, config = read_model(folder)
    tokenizer = Tokenizer.load(folder, config.tokenizer_entry())
    bits: dict[Kind, dict[Way, float]] = {}
    bounds: dict[Kind, dict[str, float]] = {}
    hybrid = trained_objective(config)
    hole_bytes: dict[Kind, int] = {}
    for kind in Kind:
        if not (kept := _of(kind, documents)):
            continue
        tell(f"Measuring the likelihood of {samples} holes in {'Python' if kind is Kind.PYTHON else 'prose'}")
        packed = [sample for batch in pack(kept, tokenizer, samples, _rules(config), SEED) for sample in batch]
        if tokenizer.empty is None:
            packed = [without_slack(sample) for sample in packed]
        if hybrid is not None:
            bounds[kind] = bounds_of(network, tokenizer, packed, hybrid, seed=SEED)
        found: dict[Way, Bits] = {}
        if config.attention is Attention.CAUSAL:
            found[Way.ALPHA_0] = hole_bits(network, tokenizer, packed, alpha_0=0.0, seed=SEED)
            found[Way.ALPHA_1] = hole_bits(network, tokenizer, packed, alpha_0=1.0, seed=SEED)
        found[Way.LEFT_TO_RIGHT] = forward_bits(network, tokenizer, packed)
        if yardstick is not None:
            found[Way.KNESER_NEY] = _yardstick_bits(yardstick, tokenizer, packed)
        bits[kind] = {way: round(value.per_byte, 4) for way, value in found.items()}
        hole_bytes[kind] = found[Way.LEFT_TO_RIGHT].hole_bytes
    return bits, bounds, hole_bytes


def _rules(config: CheckpointConfig) -> PackingRules:
    """The same samples for every model whose context holds them."""
    window = min(RULES.windows[0][0], config.context_length)
    return replace(RULES, windows=((window, 1.0),), context_length=min(RULES.context_length, config.context_length))


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
