"""Lightning's files: what is broken or malicious gets one clear sentence, what is whole comes out bit by bit."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import CorruptCheckpointError, EngineError, ModelError, UnknownFamilyError, UnsafeCheckpointError
from engine.models.convert import convert
from engine.models.lightning import LightningFile
from engine.models.unpickling import StoredTensor
from tests.engine.models.published import small_network, trained_tokenizer, training_config, write_ckpt
from tests.engine.models.reference_esolm import ReferenceEsoLM
from tests.engine.models.test_unpickling import Calls


@pytest.fixture(scope="module")
def network() -> ReferenceEsoLM:
    return small_network()


def changed_average(network: ReferenceEsoLM, change: Callable[[list[Any]], object]) -> dict[str, object]:
    average: list[Any] = [parameter.detach().clone() for parameter in network.parameters()]
    change(average)
    return {"ema": {"decay": 0.9999, "num_updates": 1, "shadow_params": average}}


def change_config(network: ReferenceEsoLM, section: str, **changes: object) -> dict[str, Any]:
    config = training_config(network, "B", 0.5)
    config[section] |= changes
    return {"config": config}


def ckpt_changes(network: ReferenceEsoLM) -> dict[str, tuple[dict[str, Any], type[EngineError], str]]:
    corrupt = CorruptCheckpointError
    odd = changed_average
    state = {f"backbone.{name}": tensor for name, tensor in network.state_dict().items()}
    swapped = dict(sorted(state.items()))
    missing = {name: tensor for name, tensor in state.items() if "blocks.1.mlp.0.bias" not in name}
    return {
        "NaN": (odd(network, lambda a: a[3].fill_(torch.nan)), corrupt, "not finite"),
        "infinity": (odd(network, lambda a: a[-1].view(-1)[0].fill_(torch.inf)), corrupt, "not finite"),
        "a wrong shape": (odd(network, lambda a: a.__setitem__(5, a[5][:-1])), corrupt, "has the shape"),
        "a missing tensor": (odd(network, lambda a: a.pop()), corrupt, "another order, or"),
        "no tensor": (odd(network, lambda a: a.__setitem__(2, "x")), corrupt, "misses its weights"),
        "an empty average": (odd(network, list.clear), corrupt, "misses its weights"),
        "a missing name": ({"state_dict": missing}, corrupt, r"misses blocks\.1\.mlp\.0\.bias"),
        "another order": ({"state_dict": swapped}, corrupt, "another order"),
        "no weights": ({"state_dict": None, "ema": None}, corrupt, "misses its weights"),
        "no config": ({"hyper_parameters": None}, corrupt, "does not say how"),
        "another family": (change_config(network, "algo", name="mdlm"), UnknownFamilyError, "mdlm"),
        "another attention": (
            change_config(network, "algo", diffusion_attn_mode="bidirectional"),
            UnknownFamilyError,
            "bidirectional and causal",
        ),
        "no heads": (change_config(network, "model", n_heads=0), corrupt, r"model\.n_heads"),
        "odd heads": (change_config(network, "model", n_heads=5), corrupt, "multiple of 5 heads"),
        "an interpolation": (change_config(network, "model", n_blocks="${x}"), corrupt, r"model\.n_blocks"),
        "another width": (change_config(network, "model", hidden_size=64), corrupt, "has the shape"),
        "more blocks": (change_config(network, "model", n_blocks=9), corrupt, r"misses blocks\.3"),
        "an impossible alpha_0": (change_config(network, "algo", alpha_0=1.5), corrupt, "alpha_0"),
    }


@pytest.mark.parametrize("kind", list(ckpt_changes(small_network())))
def test_a_broken_lightning_checkpoint_is_refused(tmp_path: Path, network: ReferenceEsoLM, kind: str) -> None:
    changes, error, word = ckpt_changes(network)[kind]
    source = write_ckpt(tmp_path / "x.ckpt", network, tokenizer=trained_tokenizer(), **changes)
    with pytest.raises(error, match=word):
        convert(source)
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize("where", ["hyper_parameters", "state_dict", "callbacks", "ema"])
def test_code_anywhere_in_a_checkpoint_is_refused_and_not_run(
    tmp_path: Path, network: ReferenceEsoLM, where: str
) -> None:
    marker = tmp_path / "marker"
    payload = Calls(os.system, f"touch {marker}")
    changes: dict[str, Any] = {where: {"config": training_config(network, "B", 1.0), "tokenizer": [payload]}}
    source = write_ckpt(tmp_path / "x.ckpt", network, **changes)
    with pytest.raises(UnsafeCheckpointError, match=r"x\.ckpt names code.*(posix|nt)\.system"):
        convert(source)
    assert not marker.exists()
    assert not (tmp_path / "x-redraft").exists()


def rewritten(source: Path, change: Callable[[str, bytes], bytes | None], compression: int = 0) -> None:
    """Writes the zip anew with changed entries; None leaves one out."""
    with zipfile.ZipFile(source) as file:
        entries = [(name, file.read(name)) for name in file.namelist()]
    with zipfile.ZipFile(source, "w", compression) as file:
        for name, data in entries:
            changed = change(name, data)
            if changed is not None:
                file.writestr(name, changed)


def flip_a_byte(source: Path) -> None:
    with zipfile.ZipFile(source) as file:
        last = max(reversed(file.infolist()), key=lambda entry: entry.file_size)
    data = bytearray(source.read_bytes())
    data[last.header_offset + last.file_size] ^= 0xFF
    source.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:20_000]), "cut short"),
        (lambda p: p.write_bytes(b""), "not a checkpoint"),
        (lambda p: p.write_bytes(b"\x80\x02}."), "not a checkpoint"),
        (flip_a_byte, "damaged"),
        (lambda p: rewritten(p, lambda name, data: data, zipfile.ZIP_DEFLATED), "compressed"),
        (lambda p: rewritten(p, lambda n, d: None if n.endswith("data.pkl") else d), "0 pickles"),
        (lambda p: rewritten(p, lambda n, d: d[:50] if n.endswith("data.pkl") else d), "damaged or cut short"),
        (lambda p: rewritten(p, lambda n, d: b"]." if n.endswith("data.pkl") else d), "no checkpoint of Lightning"),
        (lambda p: rewritten(p, lambda n, d: None if "/data/" in n else d), "misses data/"),
        (lambda p: rewritten(p, lambda n, d: d[:-4] if "/data/" in n else d), "cannot be right"),
        (lambda p: rewritten(p, lambda n, d: b"big" if n.endswith("byteorder") else d), "byte order"),
        (lambda p: p.unlink(), "no file"),
    ],
)
def test_a_damaged_file_is_refused(
    tmp_path: Path, network: ReferenceEsoLM, damage: Callable[[Path], object], word: str
) -> None:
    source = write_ckpt(tmp_path / "x.ckpt", network, tokenizer=trained_tokenizer())
    damage(source)
    with pytest.raises(ModelError, match=word):
        convert(source)
    assert not (tmp_path / "x-redraft").exists()


@pytest.mark.parametrize(
    ("stored", "word"),
    [
        (StoredTensor("0", torch.float32, 12, 0, (3, 5), (4, 1)), "beyond its data|not described"),
        (StoredTensor("0", torch.float32, 12, 9, (4,), (1,)), "beyond its data"),
        (StoredTensor("0", torch.float32, 12, 0, (2**39,), (0,)), "not described"),
        (StoredTensor("../data.pkl", torch.float32, 12, 0, (1,), (1,)), "not described"),
        (StoredTensor("0", torch.float32, 2**40, 0, (1,), (1,)), "cannot be right"),
        (StoredTensor("77", torch.float32, 12, 0, (1,), (1,)), "misses data/77"),
    ],
)
def test_a_tensor_that_is_not_where_it_says_is_refused(tmp_path: Path, stored: StoredTensor, word: str) -> None:
    torch.save({"x": torch.arange(12.0).view(3, 4)}, tmp_path / "x.ckpt")
    with LightningFile(tmp_path / "x.ckpt") as file, pytest.raises(CorruptCheckpointError, match=word):
        file.tensor(stored)


def test_tensors_of_every_kind_are_read_as_they_are(tmp_path: Path) -> None:
    base = torch.arange(24).view(4, 6)
    dtypes = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8)
    tensors = {str(dtype): (base + 1).to(dtype) for dtype in (*dtypes, torch.int8, torch.int16, torch.bool)}
    tensors |= {"view": base[1:3, ::2], "turned": base.t(), "none": torch.empty(0, 3), "scalar": torch.tensor(2.5)}
    tensors |= {"parameter": torch.nn.Parameter(torch.ones(2))}
    torch.save(tensors, tmp_path / "x.ckpt")
    with LightningFile(tmp_path / "x.ckpt") as file:
        for name, expected in tensors.items():
            stored = file.content[name]
            assert isinstance(stored, StoredTensor)
            tensor = file.tensor(stored)
            assert tensor.dtype is expected.dtype
            assert torch.equal(tensor, expected)
