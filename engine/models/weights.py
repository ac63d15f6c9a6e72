"""Weights from disk: safetensors only, every tensor checked before anything is built from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from engine.errors import CorruptCheckpointError, ModelNotFoundError

WEIGHTS_FILE = "model.safetensors"


def read_weights(folder: Path, expected: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Reads `folder/model.safetensors` and holds it to the names and shapes expected.

    Returns:
        Exactly the expected tensors, in the dtype they are stored in, on the CPU.

    Raises:
        ModelNotFoundError: the file is not there.
        CorruptCheckpointError: it is truncated, misses a tensor, has one of a wrong shape, or holds NaN or infinity.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise ModelNotFoundError(f"The model's weights, {WEIGHTS_FILE}, are missing from {folder}. Install it again.")
    return check_tensors(path, read_safetensors(path), expected)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a file.

    Raises:
        CorruptCheckpointError: it is damaged or cut short.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise CorruptCheckpointError(f"{path} is damaged or cut short ({error}). Install the model again.") from error


def check_tensors(
    path: Path, tensors: Mapping[str, Tensor], expected: Mapping[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    """Exactly the expected ones of the tensors of `path`.

    Raises:
        CorruptCheckpointError: one is missing, has a wrong shape, or holds NaN or infinity.
    """
    for name, shape in expected.items():
        if name not in tensors:
            raise CorruptCheckpointError(f"{path} misses the tensor {name}. Install the model again.")
        if tuple(tensors[name].shape) != shape:
            raise CorruptCheckpointError(
                f"{path}: the tensor {name} has the shape {tuple(tensors[name].shape)}, not {shape}."
            )
        if not bool(torch.isfinite(tensors[name]).all()):
            raise CorruptCheckpointError(f"{path}: the tensor {name} holds values that are not finite.")
    return {name: tensors[name] for name in expected}
