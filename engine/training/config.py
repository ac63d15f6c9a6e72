"""What a training run is: one frozen value, read from TOML, with presets. Nothing else is consulted while it runs."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import TrainingError

ANY_ORDER = "any-order"
OBJECTIVES = (ANY_ORDER, "eso-a", "eso-b", "ar", "mdlm")
HYBRID_SETTINGS = ("objective", "alpha_0", "batch_split", "diffusion_weight")
"""Fields that mean nothing to any-order training."""
ANY_ORDER_SETTINGS = ("context_targets", "next_targets", "corrupted", "corruption")
"""Fields that mean nothing to the other objectives."""
_DEVICES = ("auto", "cpu", "cuda", "mps")
_DTYPES = ("auto", "bfloat16", "float32")


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run.

    Attributes:
        name: the model's name. data: folder, file or .tar.xz of text; None takes installed Python source alone.
        own: the user's own files and folders, in the place of `data` and `python`; a part of them is held out.
        python: whether installed Python source is used (half of the samples, where there is prose too).
        samples: how many samples are packed; training goes round them with new orders each time.
        windows: (positions, share) of window sizes.
        minutes, steps: the run ends at whichever comes first; the schedule spans it. At least one must be given.
        rows_per_step: rows of the network (clean tokens and mask copies) in one optimizer step.
        rows_per_batch: rows in one forward pass.
        accumulate: forward passes whose gradients are added up in one step, at least, by each worker of each process
            (more where rows_per_batch asks for it).
        matrix_rate, rate: peak learning rates of Muon (matrices of the blocks) and AdamW (the rest).
        warmup, cooldown: shares of the run in which the rate rises from, and falls to, zero (trapezoid).
        ema: the model that is written is an average of the weights over the steps, of which a step keeps this share
            (0.999: over about a thousand); 0 writes the last step's.
        context_targets: share of samples whose context is predicted too, at the start and at the end of the run.
        next_targets: share of the clean tokens whose own row predicts the token after it (any-order only), likewise.
        corrupted: share of samples with replaced context tokens; corruption: share of the tokens replaced there.
        objective: any-order, or one of engine.training.hybrid: eso-a, eso-b, ar, mdlm (docs/objectives.md).
        alpha_0: of eso-a and eso-b: share of the tokens that diffusion writes. batch_split: share of the samples that
            serve the diffusion term. diffusion_weight: nelbo, or flat (every mask weighs 1).
        dtype: of the forward pass: auto, bfloat16 or float32. device: auto, cpu, cuda or mps.
        workers: threads that each run their own batches (CPU only); 0 takes one per core.
        compile: on an NVIDIA GPU, compile the network around FlexAttention.
        checkpoint_minutes, log_steps, held_out_samples: how often and how much is written and measured.
    """

    name: str = "redraft-mini"
    data: Path | None = None
    own: tuple[Path, ...] = ()
    python: bool = True
    tokenizer: Path | None = None
    vocab_size: int = 16_384
    hidden_size: int = 256
    layers: int = 6
    heads: int = 4
    mlp_ratio: int = 4
    context_length: int = 1024
    samples: int = 100_000
    windows: tuple[tuple[int, float], ...] = ((128, 0.2), (256, 0.5), (384, 0.17), (512, 0.1), (1024, 0.03))
    code_share: float = 0.5
    python_cap_bytes: int = 12_000_000
    minutes: float | None = None
    steps: int | None = None
    rows_per_step: int = 10_240
    rows_per_batch: int = 8_192
    accumulate: int = 1
    matrix_rate: float = 0.02
    rate: float = 0.003
    weight_decay: float = 0.02
    warmup: float = 0.02
    cooldown: float = 0.5
    clip: float = 1.0
    ema: float = 0.0
    context_targets: tuple[float, float] = (0.0, 0.0)
    next_targets: tuple[float, float] = (1.0, 1.0)
    corrupted: float = 0.15
    corruption: float = 0.03
    objective: str = ANY_ORDER
    alpha_0: float = 0.25
    batch_split: float = 0.5
    diffusion_weight: str = "nelbo"
    seed: int = 0
    dtype: str = "auto"
    device: str = "auto"
    workers: int = 0
    compile: bool = False
    checkpoint_minutes: float = 5.0
    log_steps: int = 10
    held_out_samples: int = 400

    def __post_init__(self) -> None:
        """Raises TrainingError for values that cannot be trained."""
        sizes = (self.hidden_size, self.heads, self.layers, self.mlp_ratio, self.samples, self.rows_per_step,
                 self.rows_per_batch, self.accumulate, self.log_steps)  # fmt: skip
        amounts = (self.workers, self.seed, self.held_out_samples, self.python_cap_bytes, self.matrix_rate, self.rate,
                   self.weight_decay, self.checkpoint_minutes)  # fmt: skip
        targets = (*_numbers(self.context_targets), *_numbers(self.next_targets))
        shares = (self.code_share, self.corrupted, self.corruption, *targets)
        problems = (
            (min(sizes) < 1, "sizes must be positive"),
            (not all(0 <= amount < math.inf for amount in amounts), "rates, counts and the seed must be 0 or more"),
            (not all(0 <= share <= 1 for share in shares), "shares must lie between 0 and 1"),
            (not self.clip > 0, "clip must be positive"),
            (not 0 <= self.ema < 1, "ema must be 0, or less than 1"),
            (len(_numbers(self.context_targets)) != 2, "context_targets are two shares, at the begin and at the end"),
            (len(_numbers(self.next_targets)) != 2, "next_targets are two shares, at the begin and at the end"),
            (not self._has_windows(), "windows are [length, share] pairs, of 16 tokens or more"),
            (self.context_length < 64, "context_length must be 64 or more"),
            (self.device not in _DEVICES, f"device must be one of {', '.join(_DEVICES)}"),
            (self.dtype not in _DTYPES, f"dtype must be one of {', '.join(_DTYPES)}"),
            (
                min(self.heads, self.hidden_size) > 0 and self.hidden_size % self.heads,
                "hidden_size must be a multiple of heads",
            ),
            (self.heads > 0 and self.hidden_size // self.heads % 2, "hidden_size / heads must be even"),
            (self.vocab_size > 65_536 or self.vocab_size < 300, "vocab_size must lie between 300 and 65,536"),
            (self.minutes is None and self.steps is None, "minutes or steps must be given"),
            (self.warmup + self.cooldown > 1 or min(self.warmup, self.cooldown) < 0, "warmup + cooldown must be <= 1"),
            (self.objective not in OBJECTIVES, f"objective must be one of {', '.join(OBJECTIVES)}"),
            (not 0 <= self.alpha_0 <= 1, "alpha_0 must lie between 0 and 1"),
            (not 0 < self.batch_split < 1, "batch_split must lie between 0 and 1"),
            (self.diffusion_weight not in ("nelbo", "flat"), "diffusion_weight must be nelbo or flat"),
            (self.data is None and not self.own and not self.python, "there is no data: give a path, or python = true"),
        )
        for wrong, sentence in problems:
            if wrong:
                raise TrainingError(f"The training config cannot be used: {sentence}.")

    def _has_windows(self) -> bool:
        pairs = [_numbers(pair) for pair in self.windows]
        return (
            bool(pairs)
            and all(len(pair) == 2 and 16 <= pair[0] < math.inf and 0 <= pair[1] < math.inf for pair in pairs)
            and sum(pair[1] for pair in pairs) > 0
        )


def _numbers(values: object) -> tuple[float, ...]:
    """`values`, if they are numbers; else none."""
    if not isinstance(values, tuple) or not all(isinstance(value, (int, float)) for value in values):
        return ()
    return values


PRESETS: Mapping[str, TrainConfig] = {
    "tiny": TrainConfig(
        name="redraft-tiny", vocab_size=512, hidden_size=32, layers=2, heads=2, samples=64, windows=((64, 1.0),),
        python=False, data=Path(), context_length=256, steps=20, rows_per_step=512, rows_per_batch=512,
        held_out_samples=16, workers=1, dtype="float32", device="cpu", log_steps=5,
    ),
    "cpu": TrainConfig(minutes=80.0),
    "mini": TrainConfig(
        hidden_size=512, layers=10, heads=8, samples=4_000_000, minutes=25.0, rows_per_step=262_144,
        rows_per_batch=133_120, python_cap_bytes=24_000_000, compile=True, dtype="bfloat16",
        windows=((256, 0.2), (512, 0.4), (1024, 0.4)),
    ),
}  # fmt: skip
"""Named starting points: tiny (seconds, for tests), cpu (two cores, about 80 minutes), mini (one large GPU)."""


def read_config(path: Path) -> TrainConfig:
    """Reads a TOML file: `preset = "cpu"` (optional) and any field of TrainConfig.

    Raises:
        TrainingError: the file cannot be read, or a key or value is not one of a training run.
    """
    return config_of(read_entries(path))


def config_of(entries: Mapping[str, Any]) -> TrainConfig:
    """The config that the entries of a file make of their preset.

    Raises:
        TrainingError: a key or value is not one of a training run.
    """
    base = preset(str(entries.get("preset", "cpu")))
    return replaced(base, {key: value for key, value in entries.items() if key != "preset"})


def read_entries(path: Path) -> dict[str, Any]:
    """What a TOML file says, as it stands there but for paths, which are seen from the file's folder.

    Raises:
        TrainingError: the file cannot be read, or is no TOML.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingError(f"The training config {path} cannot be read: {error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"The training config {path} is not valid TOML: {error}.") from error
    for key in ("data", "tokenizer"):
        if isinstance(values.get(key), str):
            values[key] = (path.parent / values[key]).resolve()
    if isinstance(values.get("own"), list):
        values["own"] = [(path.parent / str(entry)).resolve() for entry in values["own"]]
    return values


def preset(name: str) -> TrainConfig:
    """A preset by name.

    Raises:
        TrainingError: there is none of that name.
    """
    if name not in PRESETS:
        raise TrainingError(f"There is no preset {name!r}; there are {', '.join(PRESETS)}.")
    return PRESETS[name]


def replaced(config: TrainConfig, values: Mapping[str, Any]) -> TrainConfig:
    """`config` with some fields changed.

    Raises:
        TrainingError: a field does not exist, or a value is of the wrong type or cannot be trained.
    """
    known = {field.name: field for field in dataclasses.fields(TrainConfig)}
    for key, value in values.items():
        if key not in known:
            raise TrainingError(f"The training config has an unknown entry, {key!r}.")
        if not _fits(value, getattr(config, key), key):
            raise TrainingError(f"The training config gives {key!r} a value of the wrong kind, {value!r}.")
    return dataclasses.replace(config, **{key: _frozen(value) for key, value in values.items()})


def _fits(value: object, present: object, key: str) -> bool:
    if key in ("data", "tokenizer"):
        return value is None or isinstance(value, Path)
    if key in ("minutes", "steps"):
        kinds = (int, float) if key == "minutes" else int
        return value is None or (isinstance(value, kinds) and not isinstance(value, bool) and value > 0)
    if isinstance(present, bool) or isinstance(value, bool):
        return isinstance(present, bool) and isinstance(value, bool)
    if isinstance(present, float):
        return isinstance(value, (int, float))
    if isinstance(present, tuple):
        return isinstance(value, (list, tuple))
    return isinstance(value, type(present))


def _frozen(value: Any) -> Any:
    return tuple(_frozen(entry) for entry in value) if isinstance(value, list) else value
