"""A whole training run: data, tokenizer and samples made or found, the loop with its clock, checkpoints and log.

The output folder is a model folder (config.json, model.safetensors, tokenizer.json) with the run beside it: samples/,
held_out/, state/ (to resume from), sources.json (licences and sizes) and train.jsonl (one line per logged step).
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
import torch

from engine.errors import TrainingError
from engine.models.esolm_network import EsoLMNetwork, EsoLMShape
from engine.tokenization import Tokenizer
from engine.training.bpe import special_tokens, train_bpe
from engine.training.checkpoint import (
    Progress,
    model_config,
    read_model,
    read_state,
    write_model,
    write_state,
)
from engine.training.config import TrainConfig
from engine.training.corpus import Corpus, Document, read_corpus
from engine.training.likelihoods import hole_bits
from engine.training.loop import Place, StepReport, Trainer
from engine.training.packing import PackingRules, pack
from engine.training.process import give_memory_back
from engine.training.samples import SampleStore, read_about, write_samples

_TOKENIZER_CHARACTERS = 95_000_000
_HELD_OUT = ("prose", "python")


@dataclass(frozen=True, slots=True)
class Report:
    """What a run shows its user, after a logged step."""

    step: StepReport
    progress: Progress
    share: float
    rows_per_second: float
    seconds_left: float | None


Listener = Callable[[Report | str], None]
"""Told of every step (a Report) and of every stage (a sentence)."""


def prepare(config: TrainConfig, out: Path, tell: Listener, source: Path | None = None) -> Tokenizer:
    """Makes what is missing in `out`: tokenizer.json, samples/, held_out/; returns the tokenizer.

    `source` is a model folder to go on from: its tokenizer is taken.

    Raises:
        TrainingError: there is no usable text, or the disk is full.
    """
    out.mkdir(parents=True, exist_ok=True)
    about = _about_samples(config, source)
    path = out / "tokenizer.json"
    if read_about(out / "samples") == about and path.is_file():
        return _tokenizer(path, config)
    tell("Reading the corpus")
    corpus = read_corpus(config.data, python=config.python, cap_bytes=config.python_cap_bytes, seed=config.seed)
    given = source / "tokenizer.json" if source is not None else config.tokenizer
    if given is not None:
        path.write_text(given.read_text(encoding="utf-8"), encoding="utf-8")
    else:
        tell("Learning the tokenizer")
        train_bpe(_tokenizer_texts(corpus, config), config.vocab_size).save(str(path))
    tokenizer = _tokenizer(path, config)
    (out / "sources.json").write_text(json.dumps(_sources(corpus), indent=1) + "\n", encoding="utf-8")
    tell(f"Packing {config.samples:,} samples from {len(corpus.training):,} documents")
    rules = PackingRules(
        windows=config.windows, context_length=config.context_length, code_share=config.code_share
    )  # fmt: skip
    for code, name in enumerate(_HELD_OUT):
        kept = [document for document in corpus.held_out if document.is_code == bool(code)]
        if kept and config.held_out_samples:
            count = config.held_out_samples
            write_samples(out / "held_out" / name, pack(kept, tokenizer, count, rules, config.seed + 1), {})
    write_samples(out / "samples", pack(corpus.training, tokenizer, config.samples, rules, config.seed), about)
    return tokenizer


def train(
    config: TrainConfig,
    out: Path,
    tell: Listener,
    *,
    resume: bool = False,
    source: Path | None = None,
    stopped: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> Progress:
    """Trains until the config's end or until `stopped()`, with a checkpoint then and every few minutes.

    Raises:
        TrainingError: no usable text, nothing to resume, a full disk, or a loss that is no number any more.
    """
    tokenizer = prepare(config, out, tell, source)
    network = _network(config, source)
    place = _placement(config)
    device, dtype, workers = place.device, place.dtype, place.workers
    trainer = Trainer(config, network, out / "samples", special_tokens(config.vocab_size), place)
    about = _about_run(config)
    if resume:
        trainer.progress, state = read_state(out, about)
        trainer.optimizer.restore(state, trainer.progress.step)
    started, before = clock(), trainer.progress.seconds

    def share_done(progress: Progress) -> float:
        progress.seconds = before + clock() - started
        by_time = progress.seconds / 60 / config.minutes if config.minutes else 0.0
        return max(by_time, progress.step / config.steps if config.steps else 0.0)

    def save(write: Callable[[dict[str, object]], None]) -> None:
        write_state(out, trainer.progress, trainer.optimizer.state(), about)
        weights = dict(trainer.network.state_dict()) | trainer.optimizer.masters
        write_model(out, weights, model_config(config, _summary(config, trainer.progress, device)),
                    (out / "tokenizer.json").read_text(encoding="utf-8"))  # fmt: skip
        give_memory_back()
        write({"step": trainer.progress.step, "held_out": _held_out(trainer.network, tokenizer, out)})

    saved = clock()
    tell(f"Training on {device.type} in {dtype}, {workers} worker(s)".replace("torch.", ""))
    with _log(out / "train.jsonl", fresh=not resume) as write:
        for report in trainer.steps(share_done):
            _check_loss(report.loss)
            share = share_done(trainer.progress)
            seconds = trainer.progress.seconds - before
            left = seconds / share * (1 - share) if not resume and share > 0 else None
            rate = trainer.progress.rows / max(trainer.progress.seconds, 1e-9)
            tell(Report(report, trainer.progress, share, rate, left))
            if trainer.progress.step % config.log_steps == 0:
                write(_line(report, trainer.progress))
            if clock() - saved > 60 * config.checkpoint_minutes:
                save(write)
                saved = clock()
            if stopped():
                break
        save(write)
    return trainer.progress


def _check_loss(loss: float) -> None:
    if not np.isfinite(loss):
        raise TrainingError("The loss is no number any more: lower the learning rates.")


def _network(config: TrainConfig, source: Path | None) -> EsoLMNetwork:
    if source is not None:
        return read_model(source)[0]
    torch.manual_seed(config.seed)
    return EsoLMNetwork(
        EsoLMShape(
            vocab_size=config.vocab_size,
            hidden_size=config.hidden_size,
            layers=config.layers,
            heads=config.heads,
            context_length=config.context_length,
            mlp_ratio=config.mlp_ratio,
        )
    )


def _placement(config: TrainConfig) -> Place:
    name = config.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = torch.device(name)
    if config.dtype != "auto":
        dtype = {"bfloat16": torch.bfloat16, "float32": torch.float32}[config.dtype]
    elif device.type == "cpu":
        dtype = torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32
    else:
        dtype = torch.bfloat16
    workers = (config.workers or os.cpu_count() or 1) if device.type == "cpu" else 1
    return Place(device, dtype, workers)


def _tokenizer(path: Path, config: TrainConfig) -> Tokenizer:
    backend = tokenizers.Tokenizer.from_str(path.read_text(encoding="utf-8"))
    return Tokenizer(backend, special_tokens(config.vocab_size), config.vocab_size)


def _tokenizer_texts(corpus: Corpus, config: TrainConfig) -> Iterator[str]:
    """Half prose, half code, by characters; whole documents up to a length, in a fixed random order."""
    generator = np.random.default_rng(config.seed)
    for code in (False, True):
        documents = [document for document in corpus.training if document.is_code == code]
        left = _TOKENIZER_CHARACTERS // 2
        for index in generator.permutation(len(documents)):
            document: Document = documents[int(index)]
            if left > 0 and generator.random() < document.weight:
                left -= len(document.text)
                yield document.text[:200_000]


def _sources(corpus: Corpus) -> dict[str, dict[str, list[int]]]:
    """{kind: {source: [training documents, their bytes, held-out documents, their bytes]}}."""
    table: dict[str, dict[str, list[int]]] = {}
    for place, documents in ((0, corpus.training), (2, corpus.held_out)):
        for document in documents:
            entry = table.setdefault(document.kind, {}).setdefault(document.source, [0, 0, 0, 0])
            entry[place] += 1
            entry[place + 1] += len(document.text.encode("utf-8", "replace"))
    return table


def _held_out(network: EsoLMNetwork, tokenizer: Tokenizer, out: Path) -> dict[str, float]:
    """Bits per byte of the holes of a few held-out samples, for the log."""
    found: dict[str, float] = {}
    for name in _HELD_OUT:
        if (out / "held_out" / name).is_dir():
            store = SampleStore(out / "held_out" / name)
            samples = [store[index] for index in range(min(100, len(store)))]
            for alpha_0 in (0.0, 1.0):
                bits = hole_bits(network, tokenizer, samples, alpha_0=alpha_0)
                found[f"{name}_alpha_{alpha_0:g}"] = round(bits.per_byte, 4)
    return found


def _about_samples(config: TrainConfig, source: Path | None) -> dict[str, object]:
    keys = ("data", "python", "tokenizer", "vocab_size", "context_length", "samples", "windows", "code_share",
            "python_cap_bytes", "held_out_samples", "seed")  # fmt: skip
    about: dict[str, Any] = {key: getattr(config, key) for key in keys} | {"source": source}
    return dict(json.loads(json.dumps(about, default=str)))


def _about_run(config: TrainConfig) -> dict[str, object]:
    """What must be the same for a run to go on: all but its end, its place and how often it reports."""
    loose = {"minutes", "steps", "checkpoint_minutes", "log_steps", "device", "workers", "compile", "held_out_samples"}
    about = {key: value for key, value in dataclasses.asdict(config).items() if key not in loose}
    return dict(json.loads(json.dumps(about, default=str)))


def _summary(config: TrainConfig, progress: Progress, device: torch.device) -> dict[str, object]:
    return {
        "steps": progress.step,
        "minutes": round(progress.seconds / 60, 1),
        "rows": progress.rows,
        "targets": progress.targets,
        "clean_tokens": progress.tokens,
        "rounds": progress.round,
        "device": device.type,
        "rows_per_step": config.rows_per_step,
        "matrix_rate": config.matrix_rate,
        "rate": config.rate,
        "warmup": config.warmup,
        "cooldown": config.cooldown,
        "seed": config.seed,
    }


def _line(report: StepReport, progress: Progress) -> dict[str, object]:
    return {
        "step": progress.step,
        "seconds": round(progress.seconds, 1),
        "loss": round(report.loss, 4),
        "context_loss": round(report.context_loss, 4),
        "gradient_norm": round(report.gradient_norm, 4),
        "rate": round(report.rate, 4),
        "rows": progress.rows,
        "targets": progress.targets,
    }


@contextmanager
def _log(path: Path, *, fresh: bool) -> Iterator[Callable[[dict[str, object]], None]]:
    with path.open("w" if fresh else "a", encoding="utf-8") as stream:

        def write(entry: dict[str, object]) -> None:
            stream.write(json.dumps(entry) + "\n")
            stream.flush()

        yield write
