"""A whole training run: data, tokenizer and samples made or found, the loop with its clock, checkpoints and log.

The output folder is a model folder (config.json, model.safetensors, tokenizer.json) with the run beside it: samples/,
held_out/, state/ (to resume from), sources.json (licences and sizes), train.jsonl (one line per logged step) and, at
the end, loss.png; for a user's own files also report.json.
"""

from __future__ import annotations

import copy
import dataclasses
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from engine.device import is_out_of_memory, place
from engine.errors import TrainingError
from engine.models.esolm_network import EsoLMNetwork
from engine.tokenization import Tokenizer
from engine.training.account import Listener, Report, about_run, log_entry, summary
from engine.training.bounds import bounds_of
from engine.training.bpe import special_tokens
from engine.training.checkpoint import (
    Progress,
    check_continuable,
    model_config,
    read_model,
    read_state,
    shape_of_run,
    write_model,
    write_state,
)
from engine.training.config import TrainConfig
from engine.training.flops import measured_peak
from engine.training.hybrid import hybrid_of
from engine.training.journal import Write, journal
from engine.training.likelihoods import hole_bits
from engine.training.loop import Place, StepReport, Trainer
from engine.training.peers import Alone, Peers
from engine.training.plot import draw_losses
from engine.training.preparing import HELD_OUT, REPORT_SAMPLES, Preparation, prepare, tokenizer_of
from engine.training.process import give_memory_back
from engine.training.report import compare, describe_report, write_report
from engine.training.samples import SampleStore
from engine.types import ModelChoice

_MOST_MAKERS = 8


@dataclass(frozen=True, slots=True)
class Call:
    """How one call of a run goes on.

    Attributes:
        resume: go on from the checkpoint. source: a model folder to start from. minutes: this call ends, with a
            checkpoint, after so many; the run's schedule is not changed by it. pack_only: only prepare.
        stopped: whether someone wants it to end. peers: the processes of the run.
    """

    resume: bool = False
    source: Path | None = None
    minutes: float | None = None
    pack_only: bool = False
    stopped: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.monotonic
    peers: Peers = field(default_factory=Alone)


def train(config: TrainConfig, out: Path, tell: Listener, call: Call | None = None) -> Progress:
    """Trains until the config's end or until this call is stopped, with a checkpoint then and every few minutes.

    Raises:
        TrainingError: no usable text, nothing to resume, a full disk, or a loss that is no number any more.
    """
    call = call or Call()
    say: Listener = tell if call.peers.rank == 0 else lambda _news: None
    with _named_errors(out):
        network = _network(config, call.source)  # before anything that takes minutes: it may be damaged
        if call.peers.rank == 0:
            wish = Preparation(config, out, say, call.source, call.stopped, keep=call.resume)
            prepare(wish)
        call.peers.wait()
        if call.pack_only:
            return Progress()
        return _Run(config, out, say, call, network).go()


class _Run:
    """One call of a run whose samples are there."""

    def __init__(self, config: TrainConfig, out: Path, say: Listener, call: Call, network: EsoLMNetwork) -> None:
        self._config, self._out, self._say, self._call = config, out, say, call
        self._tokenizer: Tokenizer = tokenizer_of(out, config)
        place = _placement(config, call.peers)
        self._trainer = Trainer(
            config, network, out / "samples", special_tokens(config.vocab_size), place, call.peers
        )  # fmt: skip
        self._about = about_run(config)
        if call.resume:
            self._trainer.progress, state = read_state(out, self._about)
            self._trainer.optimizer.restore(state, self._trainer.progress.step)
        self._place = place
        self._peak = measured_peak(place.device, place.dtype, place.workers) * call.peers.size
        self._before = dataclasses.replace(self._trainer.progress)
        self._share_before: float | None = None
        self._flops = 0.0
        self._started = call.clock()

    def go(self) -> Progress:
        """Trains, saves, and at the end of the whole run draws the losses and reports."""
        call, place, progress = self._call, self._place, self._trainer.progress
        processes = f", {call.peers.size} processes" if call.peers.size > 1 else ""
        self._say(
            f"Training on {place.device.type} in {place.dtype}, {place.workers} worker(s){processes}; "
            f"the machine's peak is {self._peak / 1e12:.3g} TFLOP/s".replace("torch.", "")
        )
        with self._log() as write:
            if progress.step == 0 and call.peers.rank == 0:
                self._measure(write)
            self._started = saved = call.clock()
            with closing(self._trainer.steps(self._share_done)) as steps:
                for step in steps:
                    _check_numbers(step)
                    self._note(step, write)
                    if call.clock() - saved > 60 * self._config.checkpoint_minutes:
                        self._save(write)
                        saved = call.clock()
                    if call.peers.any(self._is_over()):
                        break
            self._save(write)
        if call.peers.rank == 0:
            self._close(progress)
        return progress

    def _share_done(self, progress: Progress) -> float:
        config = self._config
        progress.seconds = self._before.seconds + self._call.clock() - self._started
        by_time = progress.seconds / 60 / config.minutes if config.minutes else 0.0
        share = max(by_time, progress.step / config.steps if config.steps else 0.0)
        if self._share_before is None:
            self._share_before = share
        return share

    def _is_over(self) -> bool:
        """Whether this call is to end before the run does."""
        minutes = self._call.minutes
        used = self._trainer.progress.seconds - self._before.seconds
        return self._call.stopped() or (minutes is not None and used >= 60 * minutes)

    def _note(self, step: StepReport, write: Write) -> None:
        progress = self._trainer.progress
        self._flops += step.flops
        share = self._share_done(progress)
        seconds = max(progress.seconds - self._before.seconds, 1e-9)
        gained = share - (self._share_before or 0.0)
        report = Report(
            step,
            progress,
            share,
            (progress.tokens - self._before.tokens) / seconds,
            self._flops / seconds / self._peak,
            seconds / gained * max(0.0, 1 - share) if gained > 0 else None,
        )
        self._say(report)
        if progress.step % self._config.log_steps == 0:
            write(log_entry(report))

    def _save(self, write: Write) -> None:
        """A checkpoint, by the first process alone."""
        if self._call.peers.rank != 0:
            return
        trainer = self._trainer
        write_state(self._out, trainer.progress, trainer.optimizer.state(), self._about)
        weights = dict(trainer.network.state_dict()) | trainer.optimizer.weights
        about = summary(self._config, trainer.progress, self._place, self._call.peers)
        tokenizer_json = (self._out / "tokenizer.json").read_text(encoding="utf-8")
        config = model_config(self._config, about) | {"text_tokens": self._tokenizer.text_tokens}
        write_model(self._out, weights, config, tokenizer_json)
        give_memory_back()
        self._measure(write)

    def _measure(self, write: Write) -> None:
        """Logs what the weights that would be written now reach on held-out text."""
        trainer = self._trainer
        network = trainer.network
        if trainer.optimizer.averages:
            network = copy.deepcopy(network)
            network.load_state_dict(trainer.optimizer.averages, strict=False)
        held_out = _held_out(network, self._tokenizer, self._out, self._config)
        write({"step": trainer.progress.step, "held_out": held_out})

    def _close(self, progress: Progress) -> None:
        try:
            draw_losses(self._out)
        except TrainingError as error:
            self._say(str(error))
        samples, source = self._out / "held_out" / REPORT_SAMPLES, self._call.source
        if source is None or not self._config.own:
            return
        if self._share_done(progress) < 1:
            self._say("Stopped before the end: the report of before and after comes when the run is resumed and ends.")
            return
        self._say("Comparing before and after")
        measures = compare(source, self._out, samples)
        about = {"from": str(source.name), "name": self._config.name, "minutes": round(progress.seconds / 60, 1),
                 "steps": progress.step, "clean_tokens": progress.tokens}  # fmt: skip
        write_report(self._out, measures, about)
        for line in describe_report(measures):
            self._say(line)

    @contextmanager
    def _log(self) -> Iterator[Write]:
        if self._call.peers.rank != 0:
            yield lambda _entry: None
            return
        with journal(self._out, self._before.step) as write:
            yield write


@contextmanager
def _named_errors(out: Path) -> Iterator[None]:
    """A full disk, memory that ran out and the like, wherever they show, as a sentence."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"Memory ran out: take a smaller rows_per_batch or network. The last checkpoint in {out}, if there is one, "
            "is whole."
        ) from error
    except OSError as error:
        raise TrainingError(
            f"The run in {out} cannot go on: {error}. Its last checkpoint, if there is one, is whole."
        ) from error


def _check_numbers(step: StepReport) -> None:
    """Before the step can be saved: gradients that are no numbers make weights that are none."""
    if not np.isfinite([step.loss, step.gradient_norm]).all():
        raise TrainingError("The loss is no number any more: lower the learning rates.")


def _network(config: TrainConfig, source: Path | None) -> EsoLMNetwork:
    if source is not None:
        check_continuable(source, config)
        return read_model(source)[0]
    torch.manual_seed(config.seed)
    return EsoLMNetwork(shape_of_run(config))


def _placement(config: TrainConfig, peers: Peers) -> Place:
    device = place(ModelChoice(device=config.device)).device
    if device.type == "cuda":
        device = torch.device(f"cuda:{peers.local_rank}")
    if config.dtype != "auto":
        dtype = {"bfloat16": torch.bfloat16, "float32": torch.float32}[config.dtype]
    elif device.type == "cpu":
        dtype = torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else torch.float32
    else:
        dtype = torch.bfloat16
    cores = max(1, (os.cpu_count() or 1) // peers.local_size)
    if device.type == "cpu":
        return Place(device, dtype, config.workers or cores)
    return Place(device, dtype, 1, makers=min(_MOST_MAKERS, cores - 1) if device.type == "cuda" else 0)


def _held_out(network: EsoLMNetwork, tokenizer: Tokenizer, out: Path, config: TrainConfig) -> dict[str, float]:
    """Bits per byte of a few held-out samples, for the log: of their holes or, for a hybrid objective, its bounds."""
    hybrid = hybrid_of(config)
    found: dict[str, float] = {}
    for name in HELD_OUT:
        if (out / "held_out" / name).is_dir():
            store = SampleStore(out / "held_out" / name)
            samples = [store[index] for index in range(min(100, len(store)))]
            if hybrid is not None:
                bounds = bounds_of(network, tokenizer, samples, hybrid)
                found |= {f"{name}_{bound}": value for bound, value in bounds.items()}
                continue
            for alpha_0 in (0.0, 1.0):
                bits = hole_bits(network, tokenizer, samples, alpha_0=alpha_0)
                found[f"{name}_alpha_{alpha_0:g}"] = round(bits.per_byte, 4)
    return found
