"""Published Eso-LM checkpoints into our form: config.json, model.safetensors, tokenizer.json in a folder.

Two forms are read: Lightning's `.ckpt` (the moving average of its weights, with which the authors evaluate) and the
Hugging Face one (config.json beside model.safetensors, which holds the moving average already).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from engine.config import FORMAT, Attention, read_config
from engine.errors import CorruptCheckpointError, EngineError, ModelError, ModelNotFoundError, UnknownFamilyError
from engine.models.esolm_network import EsoLMShape
from engine.models.gpt2_tokenizer import find_tokenizer, normalize
from engine.models.lightning import LightningFile, setting, tokenizer_json
from engine.models.published import PREFIX, fold, published_shapes
from engine.models.unpickling import StoredTensor
from engine.models.weights import WEIGHTS_FILE, check_tensors, read_safetensors
from engine.tokenization import Tokenizer

_ATTENTION = {("causal", "causal"): Attention.CAUSAL, ("mixed2", "mixed"): Attention.MIXED2}
"""Attention of the (diffusion, sequential) phase as the training config names it: Eso-LM (B) and (A)."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a published checkpoint says of itself, and its weights under their published names without prefix."""

    path: Path
    shape: EsoLMShape
    attention: Attention
    alpha_0: float
    tokenizer: str | None
    weights: Mapping[str, Tensor]


def convert(
    source: Path, out: Path | None = None, *, tokenizer: Path | None = None, alpha_0: float | None = None
) -> Path:
    """Writes a published checkpoint in our form.

    Args:
        source: a `.ckpt`, a `.safetensors` with its config.json beside it, or a folder with both.
        out: the folder to make; beside `source` if None. It must not exist yet.
        tokenizer: GPT-2's tokenizer.json, or a folder with it or with vocab.json and merges.txt, where the checkpoint
            does not bring it.
        alpha_0: what the model was trained with, where the checkpoint does not say it.

    Returns:
        The new folder.

    Raises:
        ModelError: see `engine.errors`; nothing is left behind.
    """
    out = out or source.parent / f"{source.stem if source.is_file() else source.name}-redraft"
    if out.exists():
        raise ModelError(f"{out} exists already; choose another folder with --out.")
    published = read_published(source, alpha_0)
    shape = published.shape
    found = find_tokenizer(tokenizer, published.tokenizer, source if source.is_dir() else source.parent)
    tokenizer_text, end = normalize(found, shape.vocab_size)
    mask = shape.vocab_size - 1
    part = out.with_name(f".{out.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        (part / "tokenizer.json").write_text(tokenizer_text, encoding="utf-8")
        description = json.dumps(_description(published, mask, end), indent=2)
        (part / "config.json").write_text(description + "\n", encoding="utf-8")
        Tokenizer.load(part, read_config(part).tokenizer_entry())
        save_file(fold(published.weights, shape, mask), part / WEIGHTS_FILE, {"format": "pt"})
        part.rename(out)
    except EngineError:
        shutil.rmtree(part, ignore_errors=True)
        raise
    except Exception as error:  # safetensors raises its own kind when a disk is full
        shutil.rmtree(part, ignore_errors=True)
        raise ModelError(f"The converted model cannot be written to {out} ({error}).") from error
    return out


def read_published(source: Path, alpha_0: float | None = None) -> Published:
    """Reads a checkpoint in either form and checks every tensor; arguments and errors as `convert` has them."""
    if source.is_dir() or source.suffix == ".safetensors":
        return _read_hugging_face(source, alpha_0)
    with LightningFile(source) as file:
        return _read_lightning(file)


def _description(published: Published, mask: int, end: int) -> dict[str, Any]:
    path, shape = published.path, published.shape
    return {
        "format": FORMAT,
        "family": "esolm",
        "name": path.stem if path.is_file() else path.name,
        "vocab_size": shape.vocab_size,
        "text_tokens": mask,  # all ids before it
        "hidden_size": shape.hidden_size,
        "layers": shape.layers,
        "heads": shape.heads,
        "context_length": shape.context_length,
        "mlp_ratio": shape.mlp_ratio,
        "rope_theta": shape.rope_theta,
        "norm_eps": shape.norm_eps,
        "tie_embeddings": False,
        "masks_see_masks": True,
        "attention": published.attention.value,
        "context_orders": ["prefix_first"],
        "suffix_grid": 1,
        "special_tokens": {"mask": mask, "begin": end, "end": end},
        "trained_alpha_0": [published.alpha_0, published.alpha_0],
        "training": {"converted_from": path.name},
    }


def _read_lightning(file: LightningFile) -> Published:
    hyper = file.content.get("hyper_parameters")
    config = hyper.get("config") if isinstance(hyper, dict) else None
    family = setting(config, "algo", "name")
    if family is None:
        raise CorruptCheckpointError(f"{file.path} does not say how its model was trained (hyper_parameters.config).")
    if family != "esolm":
        raise UnknownFamilyError(f"{file.path} holds a model of the family “{family}”; only Eso-LM can be converted.")
    sizes = [_count(file.path, setting(config, "model", key), f"model.{key}") for key in _LIGHTNING_SIZES]
    values = _lightning_weights(file)
    shape = _shape(file.path, (values[0].size or (0,))[0], *sizes[:4])
    expected = published_shapes(shape, sizes[4])
    _check_order(file, list(expected), len(values))
    tensors = {name: file.tensor(stored) for name, stored in zip(expected, values, strict=True)}
    return Published(
        path=file.path,
        shape=shape,
        attention=_attention(file.path, config),
        alpha_0=_share(file.path, setting(config, "algo", "alpha_0")),
        tokenizer=tokenizer_json(hyper.get("tokenizer")) if isinstance(hyper, dict) else None,
        weights=check_tensors(file.path, tensors, expected),
    )


_LIGHTNING_SIZES = ("length", "hidden_size", "n_blocks", "n_heads", "cond_dim")
_HUGGING_FACE_SIZES = ("model_length", "hidden_dim", "n_blocks", "n_heads", "cond_dim", "vocab_size")


def _lightning_weights(file: LightningFile) -> list[StoredTensor]:
    """The moving average of the parameters, in their order; the parameters themselves where none was kept."""
    average = file.content.get("ema")
    values = average.get("shadow_params") if isinstance(average, dict) else list(_parameters(file).values())
    if not isinstance(values, list) or not values or not all(isinstance(value, StoredTensor) for value in values):
        raise CorruptCheckpointError(f"{file.path} misses its weights (ema.shadow_params).")
    return values


def _check_order(file: LightningFile, names: list[str], count: int) -> None:
    """The moving average has no names; those of the plain weights must be the expected ones in the expected order."""
    ours = list(_parameters(file))
    if ours != names or count != len(names):
        odd = next((name for name in names if name not in ours), f"the parameters in another order, or {count} of them")
        raise CorruptCheckpointError(f"{file.path} does not hold an Eso-LM of its size: it misses {odd}.")


def _parameters(file: LightningFile) -> dict[str, object]:
    """The network's plain weights, without prefix and without its buffer, the rotary frequencies."""
    state = file.content.get("state_dict")
    entries = {str(key): value for key, value in state.items()} if isinstance(state, dict) else {}
    return {
        name.removeprefix(PREFIX): value
        for name, value in entries.items()
        if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}rotary_emb.")
    }


def _attention(path: Path, config: object) -> Attention:
    modes = tuple(str(setting(config, "algo", f"{phase}_attn_mode")) for phase in ("diffusion", "sequential"))
    if modes not in _ATTENTION:
        raise UnknownFamilyError(
            f"{path} was trained with the attention modes {' and '.join(modes)}, which this version does not know."
        )
    return _ATTENTION[modes]


def _read_hugging_face(source: Path, alpha_0: float | None) -> Published:
    folder = source if source.is_dir() else source.parent
    path = source / WEIGHTS_FILE if source.is_dir() else source
    for needed in (path, folder / "config.json"):
        if not needed.is_file():
            raise ModelNotFoundError(f"{needed} is missing; it belongs to the checkpoint.")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        family = config.get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        raise CorruptCheckpointError(f"{folder / 'config.json'} cannot be read ({error}).") from error
    if family != "EsoLM":
        raise UnknownFamilyError(f"{folder} holds a model of the type “{family}”; only EsoLM can be converted.")
    sizes = [_count(folder / "config.json", config.get(key), key) for key in _HUGGING_FACE_SIZES]
    shape = _shape(path, sizes[5], *sizes[:4])
    tensors = {name.removeprefix(PREFIX): tensor for name, tensor in read_safetensors(path).items()}
    if alpha_0 is None:
        raise ModelError(
            f"{folder} does not say which alpha_0 it was trained with; give it with --alpha0 (for Eso-LM-B-alpha-0_25 "
            "it is 0.25)."
        )
    return Published(
        path=source,
        shape=shape,
        attention=Attention.CAUSAL,  # no other Eso-LM was published in this form
        alpha_0=_share(path, alpha_0),
        tokenizer=None,
        weights=check_tensors(path, tensors, published_shapes(shape, sizes[4])),
    )


def _shape(path: Path, vocab_size: int, length: int, width: int, layers: int, heads: int) -> EsoLMShape:
    if width % (2 * heads):
        raise CorruptCheckpointError(f"{path}: the width {width} is not an even multiple of {heads} heads.")
    return EsoLMShape(
        vocab_size, width, layers, heads, context_length=length, tie_embeddings=False, masks_see_masks=True
    )


def _count(path: Path, value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**24:
        raise CorruptCheckpointError(f"{path} gives no usable {name}, but {value!r}.")
    return value


def _share(path: Path, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
        raise CorruptCheckpointError(f"{path} gives no usable alpha_0, but {value!r}.")
    return float(value)
