"""A tiny checkpoint with random weights, made on the spot: the real format, the real loader, no training."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers
from tokenizers.pre_tokenizers import ByteLevel

from engine.config import read_config
from engine.models.base import ModelAdapter
from engine.models.esolm import shape_of
from engine.models.esolm_network import EsoLMNetwork
from engine.models.registry import load
from engine.types import ModelChoice

MERGES = (("t", "h"), ("th", "e"), ("Ġ", "the"), ("a", "n"), ("i", "n"), ("Ġ", "a"))


def write_tokenizer(folder: Path, merges: Sequence[tuple[str, str]] = MERGES) -> int:
    """Writes a byte-level tokenizer with a few merges; returns its number of tokens."""
    vocabulary = {piece: i for i, piece in enumerate(sorted(ByteLevel.alphabet()))}
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    backend = Backend(models.BPE(vocab=vocabulary, merges=list(merges)))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.save(str(folder / "tokenizer.json"))
    return len(vocabulary)


def write_checkpoint(folder: Path, *, seed: int = 0, **changes: object) -> Path:
    """Writes a whole checkpoint folder; `changes` replace fields of its config."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = write_tokenizer(folder)
    special = {name: tokens + i for i, name in enumerate(("mask", "begin", "end", "empty", "pad"))}
    raw: dict[str, object] = {
        "format": 1,
        "family": "esolm",
        "name": "tiny",
        "vocab_size": tokens + 5,
        "text_tokens": tokens,
        "hidden_size": 48,
        "layers": 3,
        "heads": 3,
        "context_length": 256,
        "context_orders": ["suffix_first", "prefix_first"],
        "suffix_grid": 16,
        "max_slack": 32,
        "special_tokens": special,
        "trained_alpha_0": [0.0, 1.0],
    }
    raw |= changes
    (folder / "config.json").write_text(json.dumps(raw), encoding="utf-8")
    config = read_config(folder)
    torch.manual_seed(seed)
    network = EsoLMNetwork(shape_of(config))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.15)  # moves modulation, norms and biases off their start
    state = {k: v.contiguous() for k, v in network.state_dict().items()}
    if config.tie_embeddings:
        del state["output_layer.linear.weight"]
    save_file(state, folder / "model.safetensors")
    return folder


def load_tiny(folder: Path, *, dtype: str = "float32") -> ModelAdapter:
    """The checkpoint in `folder` on the CPU, one thread."""
    return load(ModelChoice(name=str(folder), device="cpu", dtype=dtype, threads=1))


def load_network(folder: Path) -> EsoLMNetwork:
    """The same weights in the plain network: the reference."""
    from safetensors.torch import load_file

    network = EsoLMNetwork(shape_of(read_config(folder)))
    network.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    return network.eval()
