"""What a run leaves on disk: a model folder that the engine loads, and a training state that resumes exactly.

No pickle: safetensors and JSON. Both are written beside their place and then moved there, so that a crash leaves the
older one whole.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from engine.config import CheckpointConfig, parse_config, read_config
from engine.errors import TrainingError
from engine.models.esolm import shape_of
from engine.models.esolm_network import EsoLMNetwork, EsoLMShape, parameter_shapes
from engine.models.weights import read_weights
from engine.training.bpe import special_tokens
from engine.training.config import ANY_ORDER_SETTINGS, TrainConfig
from engine.training.hybrid import hybrid_of, model_entries

STATE_FOLDER = "state"
_TIED = "output_layer.linear.weight"
_BEFORE: Mapping[str, object] = {"ema": 0.0, "next_targets": [0.0, 0.0]}
"""Entries of a run that older states lack, and how such a run was trained."""
_MODEL_FILES = ("tokenizer.json", "model.safetensors", "config.json")


@dataclass(slots=True)
class Progress:
    """Where a run stands. Sample i of round r is always drawn from the same seed, so these counters are all the random
    state there is.

    Attributes:
        step: optimizer steps done. cursor: samples taken in this round. round: times round the samples.
        share: of the run, at the last step: the next step's context targets are drawn by it.
        seconds: time spent training. rows: network rows run; targets: tokens predicted; tokens: clean tokens read.
    """

    step: int = 0
    cursor: int = 0
    round: int = 0
    seconds: float = 0.0
    rows: int = 0
    targets: int = 0
    tokens: int = 0
    share: float = 0.0


def model_config(config: TrainConfig, training: Mapping[str, object]) -> dict[str, object]:
    """config.json of a model that this run makes."""
    special = special_tokens(config.vocab_size)
    hybrid = hybrid_of(config)
    return {
        "format": 1,
        "family": "esolm",
        "name": config.name,
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "layers": config.layers,
        "heads": config.heads,
        "mlp_ratio": config.mlp_ratio,
        "context_length": config.context_length,
        "rope_theta": 10_000.0,
        "norm_eps": 1e-5,
        "tie_embeddings": True,
        "masks_see_masks": False,
        "context_orders": ["suffix_first", "prefix_first"],
        "suffix_grid": 64,
        "max_slack": 128,
        "special_tokens": {name: getattr(special, name) for name in ("mask", "begin", "end", "empty", "pad")},
        "tokenizer": "tokenizer.json",
        "trained_alpha_0": [0.0, 1.0],
        "training": dict(training),
    } | (model_entries(hybrid, special) if hybrid is not None else {})


def write_model(folder: Path, weights: Mapping[str, Tensor], config: Mapping[str, object], tokenizer_json: str) -> None:
    """Writes config.json, model.safetensors (bfloat16) and tokenizer.json; a model card beside them is left alone.

    Raises:
        TrainingError: the disk is full or the folder cannot be written.
    """
    tensors = {
        name: value.detach().to("cpu", torch.bfloat16).contiguous() for name, value in weights.items() if name != _TIED
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(tensors, folder / "model.safetensors.new", metadata={"format": "pt"})
        (folder / "model.safetensors.new").chmod(0o644)  # the library makes it its owner's alone
        (folder / "config.json.new").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        (folder / "tokenizer.json.new").write_text(tokenizer_json, encoding="utf-8")
        for name in _MODEL_FILES:
            (folder / f"{name}.new").replace(folder / name)
    except (OSError, SafetensorError) as error:
        for name in _MODEL_FILES:
            with suppress(OSError):
                (folder / f"{name}.new").unlink(missing_ok=True)
        raise TrainingError(f"The model cannot be written to {folder}: {error}.") from error


def shape_of_run(config: TrainConfig) -> EsoLMShape:
    """The network's sizes, as config.json of this run's model will state them."""
    return shape_of(parse_config(Path(config.name), model_config(config, {})))


def check_continuable(folder: Path, config: TrainConfig) -> None:
    """Whether the trainer can go on with the model in `folder`, whose sizes `config` has taken over.

    Raises:
        TrainingError: it is of another make (attention, tokens, norms) than what this trainer writes.
    """
    found, made = read_config(folder), parse_config(folder, model_config(config, {}))
    # What masks see, and whether a token may be empty, is the objective's affair: it may be another one now.
    shapes = [replace(shape_of(each), masks_see_masks=False) for each in (found, made)]
    tokens = [replace(each.special_tokens, empty=None) for each in (found, made)]
    if shapes[0] != shapes[1] or tokens[0] != tokens[1]:
        raise TrainingError(f"The model in {folder} was not made by this trainer, which cannot go on with it.")


def read_model(folder: Path) -> tuple[EsoLMNetwork, CheckpointConfig]:
    """A float32 network and its config, for training and evaluation (inference folds the weights).

    Raises:
        ModelNotFoundError: a file is missing. CorruptCheckpointError: a file is damaged or does not fit.
    """
    config = read_config(folder)
    network = EsoLMNetwork(shape_of(config))
    weights = read_weights(folder, parameter_shapes(network.shape))
    network.load_state_dict({name: value.float() for name, value in weights.items()}, strict=False)
    return network, config


def write_state(folder: Path, progress: Progress, tensors: Mapping[str, Tensor], about: Mapping[str, object]) -> None:
    """Writes the training state; the older one is replaced only when the new one is whole.

    Raises:
        TrainingError: the disk is full or the folder cannot be written.
    """
    place, new, old = folder / STATE_FOLDER, folder / f"{STATE_FOLDER}.new", folder / f"{STATE_FOLDER}.old"
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        save_file(plain, new / "state.safetensors")
        entry = {"progress": asdict(progress), "about": dict(about), "sha256": _digest(new / "state.safetensors")}
        (new / "state.json").write_text(json.dumps(entry, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(old, ignore_errors=True)
        if place.exists():
            place.rename(old)
        new.rename(place)
        shutil.rmtree(old, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(new, ignore_errors=True)
        raise TrainingError(
            f"The training checkpoint cannot be written to {folder}: {error}. The one before it, if there is one, is "
            "whole: make room, and go on from it with --resume."
        ) from error


def has_state(folder: Path) -> bool:
    """Whether there is a training state, damaged or not."""
    return _state_place(folder).is_dir()


def _state_place(folder: Path) -> Path:
    """Where the training state is: after a crash between the two renames of `write_state` beside its place."""
    place = folder / STATE_FOLDER
    return place if place.is_dir() else folder / f"{STATE_FOLDER}.old"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_state(folder: Path, about: Mapping[str, object]) -> tuple[Progress, dict[str, Tensor]]:
    """Reads the training state of a run whose `about` must be the same.

    Raises:
        TrainingError: there is none, it is damaged, or it belongs to another run.
    """
    place = _state_place(folder)
    if not place.is_dir():
        raise TrainingError(f"There is no training checkpoint in {folder} to resume from.")
    try:
        entry = json.loads((place / "state.json").read_text(encoding="utf-8"))
        progress = Progress(**entry["progress"])
        found = dict(entry.get("about", {}))
        if entry.get("sha256") not in (None, _digest(place / "state.safetensors")):  # older states have none
            raise ValueError("state.safetensors is not what was written")
        tensors = load_file(place / "state.safetensors")
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise TrainingError(f"The training checkpoint in {folder} is damaged: {error}.") from error
    wanted = json.loads(json.dumps(dict(about)))
    found = {name: value for name, value in _BEFORE.items() if name in wanted} | found
    if "objective" in wanted:  # older states of such runs have entries that mean nothing to them
        found = {name: value for name, value in found.items() if name not in ANY_ORDER_SETTINGS}
    differing = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
    if differing:
        raise TrainingError(
            f"The training checkpoint in {folder} belongs to a run with another config. What differs: "
            f"{', '.join(differing)}. Give that as it was, or another --out."
        )
    return progress, tensors
