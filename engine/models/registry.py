"""Known models and families. A family is named by the checkpoint's config, never guessed from its tensors."""

from __future__ import annotations

import importlib.resources
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import platformdirs

from engine.config import Attention, CheckpointConfig, read_config
from engine.device import Placement, place
from engine.errors import ModelNotFoundError, UnknownFamilyError
from engine.types import ModelChoice

if TYPE_CHECKING:
    from torch import Tensor

    from engine.models.base import ModelAdapter
    from engine.tokenization import Tokenizer

BUNDLED = "redraft-mini"
CONVERT = "redraft models convert"
WEIGHTS = "model.safetensors"


def load(choice: ModelChoice) -> ModelAdapter:
    """Loads the model of a choice on its device.

    Raises:
        ModelNotFoundError, UnknownFamilyError, CorruptCheckpointError, TokenizerError, DeviceError.
    """
    import torch

    config = describe(choice.name)
    placement = place(choice)
    if placement.device.type == "cpu":
        torch.set_num_threads(placement.threads)
    return FAMILIES[config.family](config, placement)


def describe(name: str) -> CheckpointConfig:
    """What the model of that name, or in that folder, says of itself. Reads no weights.

    Raises:
        ModelNotFoundError, UnknownFamilyError, CorruptCheckpointError.
    """
    folder = find(name)
    if _is_published(folder):
        raise ModelNotFoundError(f"{folder} holds an Eso-LM in its published form; convert it: {CONVERT} {folder}")
    config = read_config(folder)
    if config.family not in FAMILIES:
        raise UnknownFamilyError(
            f"The model in {config.folder} is of the family “{config.family}”, which this version does not know."
        )
    if not (folder / WEIGHTS).is_file():
        raise ModelNotFoundError(f"The model's weights, {WEIGHTS}, are missing from {folder}. Install it again.")
    return config


def find(name: str) -> Path:
    """The folder of a model: a path to one, or the name of a bundled one or of one of the user's own.

    Raises:
        ModelNotFoundError: there is none.
    """
    bundled = bundled_folder(name)
    if bundled is not None:
        return bundled
    own = user_models_folder() / name
    if _is_name(name) and (own / "config.json").is_file():
        return own
    folder = Path(name).expanduser()
    if folder.is_file():
        raise ModelNotFoundError(f"{folder} is a file. If it is a published Eso-LM, convert it: {CONVERT} {folder}")
    if folder.is_dir():
        return folder
    raise ModelNotFoundError(
        f"There is no model “{name}”: it is neither a known model ({', '.join(known_models())}) nor a folder."
    )


def _is_published(folder: Path) -> bool:
    """Whether its config.json is one of the Hugging Face form of Eso-LM."""
    try:
        return bool(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type") == "EsoLM")
    except (OSError, ValueError, AttributeError):
        return False


def bundled_folder(name: str = BUNDLED) -> Path | None:
    """The folder of a bundled model, or None."""
    folder = Path(str(importlib.resources.files("resources"))) / "models" / name
    return folder if _is_name(name) and (folder / "config.json").is_file() else None


def bundled_models() -> list[str]:
    """Names of the models that come with Redraft."""
    models = Path(str(importlib.resources.files("resources"))) / "models"
    return sorted(path.parent.name for path in models.glob("*/config.json"))


def user_models_folder() -> Path:
    """Where the user's own models are, each in a folder of its name; `REDRAFT_DATA_DIR` overrides the parent."""
    chosen = os.environ.get("REDRAFT_DATA_DIR")
    return Path(chosen or platformdirs.user_data_dir("redraft", appauthor=False)) / "models"


def known_models() -> list[str]:
    """Names of the models that come with Redraft, then of the user's own."""
    own = sorted(path.parent.name for path in user_models_folder().glob("*/config.json"))
    bundled = bundled_models()
    return bundled + [name for name in own if name not in bundled]


def _is_name(name: str) -> bool:
    return bool(name) and Path(name).name == name


def _load_esolm(config: CheckpointConfig, placement: Placement) -> ModelAdapter:
    from engine.models.esolm import shape_of
    from engine.models.esolm_network import parameter_shapes
    from engine.models.weights import read_weights
    from engine.tokenization import Tokenizer

    tokenizer = Tokenizer.load(config.folder, config.tokenizer_entry())
    weights = read_weights(config.folder, parameter_shapes(shape_of(config)))
    return esolm(config, tokenizer, weights, placement)


def esolm(
    config: CheckpointConfig, tokenizer: Tokenizer, weights: Mapping[str, Tensor], placement: Placement
) -> ModelAdapter:
    """An Eso-LM of these weights, in the form that suits its attention and its device. (A) computes whole contexts in
    every pass: there is nothing to gain from recording that."""
    from engine.models.esolm import EsoLMAdapter
    from engine.models.esolm_mixed import MixedEsoLMAdapter
    from engine.models.esolm_static import StaticEsoLMAdapter
    from engine.models.graphs import CudaRecorder

    if config.attention is Attention.MIXED2:
        return MixedEsoLMAdapter(config, tokenizer, weights, placement)
    if placement.device.type == "cuda":
        return StaticEsoLMAdapter(config, tokenizer, weights, placement, CudaRecorder(placement.device))
    return EsoLMAdapter(config, tokenizer, weights, placement)


FAMILIES: Mapping[str, Callable[[CheckpointConfig, Placement], ModelAdapter]] = MappingProxyType({"esolm": _load_esolm})
