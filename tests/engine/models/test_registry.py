"""Loading: every kind of broken checkpoint gets one clear sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.errors import (
    CorruptCheckpointError,
    DeviceError,
    EngineError,
    ModelNotFoundError,
    TokenizerError,
    UnknownFamilyError,
)
from engine.models.registry import bundled_folder, bundled_models, find, load, user_models_folder
from engine.session import known_models, why_no_model
from engine.types import ModelChoice
from tests.engine.tiny import MERGES, load_tiny, write_checkpoint, write_tokenizer


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    raw = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(raw), encoding="utf-8")


def change_tensor(folder: Path, name: str, change: Callable[[torch.Tensor], torch.Tensor | None]) -> None:
    path = folder / "model.safetensors"
    tensors = load_file(path)
    changed = change(tensors.pop(name))
    if changed is not None:
        tensors[name] = changed
    save_file(tensors, path)


def truncate(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize(
    ("damage", "error", "word"),
    [
        (lambda f: (f / "config.json").unlink(), ModelNotFoundError, "config.json is missing"),
        (lambda f: (f / "config.json").write_text("{"), CorruptCheckpointError, "cannot be read"),
        (lambda f: (f / "config.json").write_bytes(b"\xff\xfe\x00"), CorruptCheckpointError, "cannot be read"),
        (lambda f: (f / "config.json").write_text("[]"), CorruptCheckpointError, "not a valid model description"),
        (lambda f: change_config(f, format=9), CorruptCheckpointError, "format 9"),
        (lambda f: change_config(f, heads=0), CorruptCheckpointError, "heads"),
        (lambda f: change_config(f, hidden_size="wide"), CorruptCheckpointError, "hidden_size"),
        (lambda f: change_config(f, heads=7), CorruptCheckpointError, "multiple"),
        (lambda f: change_config(f, family="gpt-9"), UnknownFamilyError, "gpt-9"),
        (lambda f: change_config(f, special_tokens={"mask": 99999}), CorruptCheckpointError, "outside the vocabulary"),
        (lambda f: change_config(f, special_tokens={"mask": 3}), TokenizerError, "ordinary token"),
        (
            lambda f: write_tokenizer(f, MERGES[:3]),
            TokenizerError,
            "has 259 tokens; the model was trained with one of 262",
        ),
        (lambda f: change_config(f, vocab_size=261), CorruptCheckpointError, "outside the vocabulary"),
        (lambda f: change_config(f, text_tokens="many"), CorruptCheckpointError, "text_tokens"),
        (lambda f: (f / "tokenizer.json").unlink(), TokenizerError, "missing"),
        (lambda f: (f / "tokenizer.json").write_text("no"), TokenizerError, "cannot be read"),
        (lambda f: (f / "model.safetensors").unlink(), ModelNotFoundError, "missing"),
        (truncate, CorruptCheckpointError, "damaged or cut short"),
        (lambda f: (f / "model.safetensors").write_bytes(b""), CorruptCheckpointError, "damaged"),
        (lambda f: change_tensor(f, "blocks.1.mlp.0.bias", lambda _t: None), CorruptCheckpointError, "mlp.0.bias"),
        (
            lambda f: change_tensor(f, "blocks.0.norm1.weight", lambda t: t[:-1].clone()),
            CorruptCheckpointError,
            "shape",
        ),
        (
            lambda f: change_tensor(f, "vocab_embed.embedding", lambda t: t * torch.nan),
            CorruptCheckpointError,
            "finite",
        ),
    ],
)
def test_a_broken_checkpoint_is_refused_with_a_clear_sentence(
    tmp_path: Path, damage: Callable[[Path], object], error: type[EngineError], word: str
) -> None:
    folder = write_checkpoint(tmp_path / "model")
    damage(folder)
    with pytest.raises(error, match=word):
        load_tiny(folder)


def test_a_model_is_found_by_its_folder_and_an_unknown_one_is_refused(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "model")
    assert find(str(folder)) == folder
    with pytest.raises(ModelNotFoundError, match="neither a known model"):
        find("no-such-model")


@pytest.mark.parametrize("name", ["", "..", "../..", "/"])
def test_a_name_never_climbs_out_of_the_bundled_models(name: str) -> None:
    assert bundled_folder(name) is None


def test_the_bundled_model_is_there() -> None:
    assert "redraft-mini" in bundled_models()


@pytest.mark.parametrize(("device", "dtype", "word"), [("tpu", "auto", "tpu"), ("cpu", "float8", "float8")])
def test_an_odd_device_or_precision_is_refused(tmp_path: Path, device: str, dtype: str, word: str) -> None:
    folder = write_checkpoint(tmp_path / "model")
    with pytest.raises(DeviceError, match=word):
        load(ModelChoice(name=str(folder), device=device, dtype=dtype))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_missing_cuda_device_is_said_plainly(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "model")
    with pytest.raises(DeviceError, match="No CUDA device"):
        load(ModelChoice(name=str(folder), device="cuda"))


def test_the_door_tells_which_models_there_are_and_what_is_wrong_with_a_folder(tmp_path: Path) -> None:
    assert known_models() == tuple(bundled_models())
    assert why_no_model("redraft-mini") == ""
    assert why_no_model(str(write_checkpoint(tmp_path / "whole"))) == ""
    assert "config.json is missing" in why_no_model(str(tmp_path))
    (write_checkpoint(tmp_path / "half") / "model.safetensors").unlink()
    assert "weights" in why_no_model(str(tmp_path / "half"))


def test_looking_at_models_imports_neither_torch_nor_a_tokenizer() -> None:
    code = "import sys; from engine.session import known_models, why_no_model; known_models(); why_no_model('x'); "
    code += "print(*(name for name in ('torch', 'tokenizers', 'numpy') if name in sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""


def test_the_users_own_models_are_known_by_name(user_directories: Path) -> None:
    folder = write_checkpoint(user_directories / "data" / "models" / "my-novel")
    assert user_models_folder() / "my-novel" == folder
    assert known_models() == (*bundled_models(), "my-novel")
    assert find("my-novel") == folder
    with pytest.raises(ModelNotFoundError, match="my-novel"):
        find("no-such-model")
