"""Before and after: what training on the user's own files gained, on the held-out part of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from engine.errors import TrainingError
from engine.tokenization import Tokenizer
from engine.training.bounds import nelbo, size_of, special_of, trained_objective
from engine.training.checkpoint import read_model
from engine.training.config import TrainConfig
from engine.training.documents import Document
from engine.training.hybrid import window_of
from engine.training.likelihoods import hole_bits
from engine.training.own_text import OwnText
from engine.training.packing import PackingRules, pack
from engine.training.samples import SampleStore, write_samples

REPORT_FILE = "report.json"
SAMPLES = 200
"""Samples of each kind, as far as the text gives them."""
_RULES = PackingRules(tasks=(0.8, 0.2, 0.0, 0.0, 0.0))
"""One hole, or two to four, with context on both sides."""
_KINDS = ("text", "Python")
_ALPHAS = (0.0, 1.0)
_SEED = 20_261


@dataclass(frozen=True, slots=True)
class Measure:
    """Bits per byte of held-out hole text before and after, of one kind of text at one alpha_0."""

    kind: str
    alpha_0: float
    before: float
    after: float
    samples: int
    hole_bytes: int


def hold_out_samples(folder: Path, documents: Sequence[Document], tokenizer: Tokenizer, config: TrainConfig) -> None:
    """Packs the samples that `compare` asks both models about.

    Raises:
        TrainingError: the disk is full.
    """
    for code, kind in enumerate(_KINDS):
        kept = [document for document in documents if document.is_code == bool(code)]
        if any(len(document.text.strip()) >= 40 for document in kept):
            count, context = min(SAMPLES, config.held_out_samples), config.context_length
            rules = replace(_RULES, windows=((min(512, context // 2), 1.0),), context_length=context)
            write_samples(folder / kind, pack(kept, tokenizer, count, rules, _SEED), {})


def compare(before: Path, after: Path, samples: Path) -> list[Measure]:
    """Asks two models with the same tokenizer about the samples of `hold_out_samples`: about their holes or, where the
    objective is a hybrid one, about whole windows, by its bound."""
    networks = [read_model(folder)[0] for folder in (before, after)]
    config = read_model(after)[1]
    tokenizer = Tokenizer.load(after, config.tokenizer_entry())
    hybrid = trained_objective(config)
    found = []
    for kind in _KINDS:
        if not (samples / kind).is_dir():
            continue
        store = SampleStore(samples / kind)
        chosen = [store[index] for index in range(len(store))]
        if hybrid is not None:
            bounds = [round(nelbo(network, tokenizer, chosen, hybrid, seed=_SEED), 4) for network in networks]
            size = size_of(tokenizer, [window_of(sample, special_of(tokenizer)) for sample in chosen])
            found.append(Measure(kind, hybrid.alpha_0, bounds[0], bounds[1], len(chosen), size))
            continue
        for alpha_0 in _ALPHAS:
            old, new = (hole_bits(network, tokenizer, chosen, alpha_0=alpha_0, seed=_SEED) for network in networks)
            found.append(
                Measure(kind, alpha_0, round(old.per_byte, 4), round(new.per_byte, 4), len(chosen), new.hole_bytes)
            )
    return found


def write_report(folder: Path, measures: Sequence[Measure], about: dict[str, object]) -> None:
    """Writes report.json.

    Raises:
        TrainingError: the disk is full.
    """
    entry = about | {"measures": [asdict(measure) for measure in measures]}
    try:
        (folder / REPORT_FILE).write_text(json.dumps(entry, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise TrainingError(f"The report cannot be written to {folder}: {error}.") from error


def describe_split(own: OwnText) -> list[str]:
    """What became of the user's files, in lines."""
    training, held_out = (
        sum(len(document.text.encode("utf-8", "replace")) for document in documents)
        for documents in (own.corpus.training, own.corpus.held_out)
    )
    lines = [f"Learning from {training:,} bytes, {held_out:,} are held out. {own.note}"]
    if own.dropped:
        lines.append(f"{own.dropped:,} characters stand in the held-out part too and are not learned from.")
    if own.not_text:
        lines.append(describe_left_out(own.not_text))
    return lines


def describe_left_out(not_text: Sequence[Path]) -> str:
    """That some files are no text, in a sentence."""
    return f"{len(not_text)} file(s) are no text and were left out, {not_text[0].name} among them."


def describe_report(measures: Iterable[Measure]) -> list[str]:
    """The table of the report, in lines."""
    rows = [
        f"{each.kind:<7} {_ORDERS.get(each.alpha_0, _BOUND):<28} {each.before:>7.3f} {each.after:>7.3f} {_gain(each)}"
        for each in measures
    ]
    if not rows:
        return ["Nothing was held out, so there is nothing to compare."]
    return [f"{'Bits per byte of held-out text':<36} {'before':>7} {'after':>7}", *rows]


_BOUND = "bound of its objective"
_ORDERS = {0.0: "written left to right (α₀ 0)", 1.0: "written in any order (α₀ 1)"}


def _gain(measure: Measure) -> str:
    return f"{100 * (measure.after / max(measure.before, 1e-9) - 1):+7.1f} %".replace("-", "−")
