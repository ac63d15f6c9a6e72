"""What a run needs on disk before it can train: tokenizer.json, samples/, held_out/ and sources.json."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import tokenizers

from engine.errors import TrainingError
from engine.tokenization import Tokenizer
from engine.training.bpe import special_tokens, train_bpe
from engine.training.config import TrainConfig
from engine.training.corpus import Corpus, read_corpus
from engine.training.documents import Document
from engine.training.own_text import OwnText, read_own
from engine.training.packing import PackingRules, pack, pack_records
from engine.training.report import describe_left_out, describe_split, hold_out_samples
from engine.training.samples import Records, read_about, write_samples

HELD_OUT = ("prose", "python")
"""Folders of held_out/, by whether they are code."""
REPORT_SAMPLES = "report"
"""Folder of held_out/ with the samples of the before-and-after report."""
_TOKENIZER_CHARACTERS = 95_000_000

_Batch = TypeVar("_Batch")
Say = Callable[[str], None]
"""Told of every stage, in a sentence."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is to be prepared, and who is told.

    Attributes:
        source: a model folder to go on from: its tokenizer is taken. stopped: asked between batches of samples.
        keep: a tokenizer and samples that are there already are those of the run, whatever has become of the files (a
            resumed run).
    """

    config: TrainConfig
    out: Path
    say: Say
    source: Path | None = None
    stopped: Callable[[], bool] = lambda: False
    keep: bool = False


def prepare(wish: Preparation) -> Tokenizer:
    """Makes what is missing in the run's folder and returns the tokenizer.

    Raises:
        TrainingError: there is no usable text, the disk is full, or it was stopped.
    """
    config, out = wish.config, wish.out
    path = out / "tokenizer.json"
    found = read_about(out / "samples")
    if found and wish.keep and path.is_file():
        return tokenizer_of(out, config)
    own = read_own(config.own) if config.own else None
    about = _about_samples(config, wish.source, own)
    if found == about and path.is_file():
        return tokenizer_of(out, config)
    out.mkdir(parents=True, exist_ok=True)
    (out / "samples" / "about.json").unlink(missing_ok=True)
    if own is None:
        wish.say("Reading the corpus")
        corpus = read_corpus(config.data, python=config.python, cap_bytes=config.python_cap_bytes, seed=config.seed)
        if corpus.not_text:
            wish.say(describe_left_out(corpus.not_text))
    else:
        corpus = own.corpus
        for line in describe_split(own):
            wish.say(line)
    _check_not_stopped(wish.stopped)
    _make_tokenizer(wish, corpus, path)
    _check_not_stopped(wish.stopped)
    tokenizer = tokenizer_of(out, config)
    (out / "sources.json").write_text(json.dumps(_sources(corpus), indent=1) + "\n", encoding="utf-8")
    _pack_all(wish, corpus, tokenizer, about)
    return tokenizer


def tokenizer_of(out: Path, config: TrainConfig) -> Tokenizer:
    """The tokenizer of a prepared run.

    Raises:
        TrainingError: it cannot be read. TokenizerError: it is not one for a run of this config.
    """
    path = out / "tokenizer.json"
    try:
        backend = tokenizers.Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except OSError:
        raise
    except Exception as error:  # the library raises bare Exception for every malformed file
        raise TrainingError(f"The tokenizer {path} cannot be read: {error}.") from error
    return Tokenizer(backend, special_tokens(config.vocab_size), config.vocab_size)


def _make_tokenizer(wish: Preparation, corpus: Corpus, path: Path) -> None:
    if wish.keep and path.is_file():  # the run's weights know these ids and no others
        return
    given = wish.source / "tokenizer.json" if wish.source is not None else wish.config.tokenizer
    if given is None:
        wish.say("Learning the tokenizer")
        text = train_bpe(_tokenizer_texts(corpus, wish.config), wish.config.vocab_size).to_str(pretty=True)
    else:
        try:
            text = given.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise TrainingError(f"The tokenizer {given} cannot be read: it is no text.") from error
    path.write_text(text, encoding="utf-8")


def _pack_all(wish: Preparation, corpus: Corpus, tokenizer: Tokenizer, about: dict[str, object]) -> None:
    config, out = wish.config, wish.out
    rows = _usable_rows(config)
    amount = f"{config.samples:,} samples"
    if rows is not None:
        amount = f"what {config.steps:,} step(s) can use, at most {amount},"
    wish.say(f"Packing {amount} from {len(corpus.training):,} documents")
    code_share = _code_share(corpus.training) if config.own else config.code_share
    rules = PackingRules(windows=config.windows, context_length=config.context_length, code_share=code_share)
    for code, name in enumerate(HELD_OUT):
        kept = [document for document in corpus.held_out if document.is_code == bool(code)]
        if kept and config.held_out_samples:
            packed = pack(kept, tokenizer, config.held_out_samples, rules, config.seed + 1)
            write_samples(out / "held_out" / name, _unless_stopped(packed, wish.stopped), {})
    if config.own and config.held_out_samples:
        hold_out_samples(out / "held_out" / REPORT_SAMPLES, corpus.held_out, tokenizer, config)
    started = time.monotonic()
    sizes: list[int] = []
    packed_records = pack_records(corpus.training, tokenizer, config.samples, rules, config.seed, rows=rows)
    write_samples(out / "samples", _unless_stopped(_measured(packed_records, sizes), wish.stopped), about)
    wish.say(_pace(sum(sizes), time.monotonic() - started))


def _usable_rows(config: TrainConfig) -> int | None:
    """The most rows that a run of so many steps takes: a step ends with the sample that fills it, and one step is made
    ahead. None where only time ends the run."""
    if config.steps is None:
        return None
    return (config.steps + 1) * (config.rows_per_step + 2 * config.context_length)


def _measured(batches: Iterable[Records], sizes: list[int]) -> Iterator[Records]:
    """Notes how many bytes of text each batch was made from."""
    for records in batches:
        sizes.append(records.text_bytes)
        yield records


def _pace(text_bytes: int, seconds: float) -> str:
    megabytes = text_bytes / 1e6
    return f"Packed {megabytes:,.1f} MB of text in {seconds:,.1f} s ({megabytes / max(seconds, 1e-3):.1f} MB/s)"


def _unless_stopped(batches: Iterable[_Batch], stopped: Callable[[], bool]) -> Iterator[_Batch]:
    for batch in batches:
        _check_not_stopped(stopped)
        yield batch


def _check_not_stopped(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise TrainingError("Stopped before training began: the same command packs the samples anew.")


def _code_share(documents: Sequence[Document]) -> float:
    """Share of the text that is code."""
    total = sum(len(document.text) for document in documents)
    return sum(len(document.text) for document in documents if document.is_code) / max(1, total)


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


def _about_samples(config: TrainConfig, source: Path | None, own: OwnText | None) -> dict[str, object]:
    keys = ("data", "python", "tokenizer", "vocab_size", "context_length", "samples", "windows", "code_share",
            "python_cap_bytes", "held_out_samples", "seed")  # fmt: skip
    about: dict[str, Any] = {key: getattr(config, key) for key in keys} | {"source": source}
    if (rows := _usable_rows(config)) is not None:
        about |= {"rows": rows}
    if own is not None:
        about |= {"own": own.digest}
    return dict(json.loads(json.dumps(about, default=str)))
