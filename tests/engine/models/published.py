"""Tiny checkpoints in the published forms, with everything foreign that real ones hold."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, decoders, models, pre_tokenizers, processors
from tokenizers import Tokenizer as Backend
from tokenizers.pre_tokenizers import ByteLevel

from tests.engine.models.reference_esolm import ReferenceEsoLM, Sizes

MERGES = (("t", "h"), ("th", "e"), ("Ġ", "the"), ("a", "n"), ("i", "n"), ("Ġ", "a"))
END_OF_TEXT = 256 + len(MERGES)
VOCAB = END_OF_TEXT + 2
MODES = {"A": ("mixed2", "mixed"), "B": ("causal", "causal")}


def gpt2_vocabulary() -> dict[str, int]:
    pieces = [*sorted(ByteLevel.alphabet()), *(left + right for left, right in MERGES), "<|endoftext|>"]
    return {piece: index for index, piece in enumerate(pieces)}


def trained_tokenizer() -> Backend:
    """A small GPT-2 as training leaves it: framed, and with a padding token in the mask's place."""
    backend = Backend(models.BPE(vocab=gpt2_vocabulary(), merges=list(MERGES)))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken("<|endoftext|>", normalized=True), "[PAD]"])
    end = ("<|endoftext|>", END_OF_TEXT)
    backend.post_processor = processors.BertProcessing(end, end)
    return backend


def small_network(variant: str = "B", **sizes: int) -> ReferenceEsoLM:
    return ReferenceEsoLM(Sizes(VOCAB, **sizes), seed=ord(variant)).eval()


@contextlib.contextmanager
def foreign_classes(*names: str) -> Iterator[dict[str, type]]:
    """Classes of packages that need not be installed here, importable for as long as they are pickled."""
    classes: dict[str, type] = {}
    with pytest.MonkeyPatch.context() as patch:
        for full in names:
            module, _, name = full.rpartition(".")
            classes[name] = type(name, (), {"__module__": module})
            for parent in (module[: dot.start()] for dot in re.finditer(r"\.|$", module)):
                if parent not in sys.modules:
                    patch.setitem(sys.modules, parent, types.ModuleType(parent))
            patch.setattr(sys.modules[module], name, classes[name], raising=False)
        yield classes


def omegaconf_tree(value: object, classes: dict[str, type]) -> object:
    """`value` as OmegaConf keeps it: nodes with their content in attributes, and a way back to the parent."""
    kind = "DictConfig" if isinstance(value, dict) else "AnyNode"
    node: Any = classes[kind]()
    node._metadata = classes["ContainerMetadata"]()
    if isinstance(value, dict):
        node._content = {key: omegaconf_tree(item, classes) for key, item in value.items()}
        for child in node._content.values():
            child._parent = node
    else:
        node._val = value
    return node


def training_config(network: ReferenceEsoLM, variant: str, alpha_0: float) -> dict[str, Any]:
    sizes, (diffusion, sequential) = network.sizes, MODES[variant]
    model: dict[str, object] = {"length": sizes.length, "hidden_size": sizes.width, "cond_dim": sizes.condition}
    model |= {"n_blocks": sizes.layers, "n_heads": sizes.heads, "dropout": 0.1}
    algo: dict[str, object] = {"name": "esolm", "alpha_0": alpha_0}
    algo |= {"diffusion_attn_mode": diffusion, "sequential_attn_mode": sequential}
    return {"model": model, "algo": algo, "checkpointing": {"resume": "${.save_dir}/last.ckpt"}}


def write_ckpt(
    path: Path,
    network: ReferenceEsoLM,
    *,
    variant: str = "B",
    alpha_0: float = 0.25,
    tokenizer: Backend | None = None,
    config: dict[str, Any] | None = None,
    **changes: object,
) -> Path:
    """A Lightning checkpoint: plain weights are noise, the moving average is `network`. `changes` replace entries (None
    removes one)."""
    state = {f"backbone.{name}": torch.randn_like(tensor) for name, tensor in network.state_dict().items()}
    with foreign_classes(
        "omegaconf.dictconfig.DictConfig",
        "omegaconf.nodes.AnyNode",
        "omegaconf.base.ContainerMetadata",
        "transformers.models.gpt2.tokenization_gpt2_fast.GPT2TokenizerFast",
    ) as classes:
        wrapped: Any = classes["GPT2TokenizerFast"]()
        wrapped._tokenizer = tokenizer
        wrapped.init_kwargs = {"unk_token": "<|endoftext|>"}
        content: dict[str, object] = {
            "epoch": 3,
            "pytorch-lightning_version": "2.2.1",
            "state_dict": state,
            "loops": {"fit_loop": {"epoch_progress": {"current": {"completed": 3}}}},
            "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(3), "step": torch.tensor(7.0)}}}],
            "hyper_parameters": {
                "config": omegaconf_tree(config or training_config(network, variant, alpha_0), classes),
                "tokenizer": wrapped,
            },
            "ema": {
                "decay": 0.9999,
                "num_updates": 250_000,
                "shadow_params": [parameter.detach().clone() for parameter in network.parameters()],
            },
            "sampler": {"random_state": None},
        }
        content |= changes
        torch.save({key: value for key, value in content.items() if value is not None}, path)
    return path


def write_hugging_face(folder: Path, network: ReferenceEsoLM, *, prefix: str = "backbone.", **changes: object) -> Path:
    """The form on the Hugging Face hub; `changes` replace fields of its config."""
    folder.mkdir(parents=True)
    sizes = network.sizes
    config: dict[str, object] = {"model_type": "EsoLM", "architectures": ["EsoLM"], "vocab_size": sizes.vocab}
    config |= {"model_length": sizes.length, "hidden_dim": sizes.width, "cond_dim": sizes.condition}
    config |= {"n_blocks": sizes.layers, "n_heads": sizes.heads, "dropout": 0.1, "return_dict": False}
    (folder / "config.json").write_text(json.dumps(config | changes), encoding="utf-8")
    tensors = {f"{prefix}{name}": tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")
    return folder
