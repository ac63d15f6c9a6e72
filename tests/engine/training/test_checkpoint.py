from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from engine.errors import CorruptCheckpointError, ModelNotFoundError, TrainingError
from engine.models.esolm_network import EsoLMNetwork, EsoLMShape
from engine.training.account import about_run
from engine.training.checkpoint import (
    STATE_FOLDER,
    Progress,
    model_config,
    read_model,
    read_state,
    write_model,
    write_state,
)
from engine.training.config import preset, replaced

CONFIG = replaced(preset("tiny"), {"data": Path("somewhere")})
TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.ones(1)}


def network() -> EsoLMNetwork:
    torch.manual_seed(0)
    shape = EsoLMShape(CONFIG.vocab_size, CONFIG.hidden_size, CONFIG.layers, CONFIG.heads, CONFIG.context_length)
    return EsoLMNetwork(shape)


def test_a_model_comes_back_in_bfloat16_precision(tmp_path: Path) -> None:
    written = network()
    write_model(tmp_path, written.state_dict(), model_config(CONFIG, {"steps": 1}), "{}")
    read, config = read_model(tmp_path)
    assert (config.name, config.training) == ("redraft-tiny", {"steps": 1})
    assert read.shape == written.shape
    for name, value in written.state_dict().items():
        assert torch.equal(read.state_dict()[name], value.bfloat16().float()), name


def test_a_truncated_or_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError):
        read_model(tmp_path)
    write_model(tmp_path, network().state_dict(), model_config(CONFIG, {}), "{}")
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CorruptCheckpointError):
        read_model(tmp_path)


def test_a_state_comes_back_exactly(tmp_path: Path) -> None:
    progress = Progress(step=7, cursor=40, round=2, seconds=1.5, rows=9, targets=8, tokens=7)
    write_state(tmp_path, progress, TENSORS, {"seed": 1, "windows": ((64, 1.0),)})
    found, tensors = read_state(tmp_path, {"seed": 1, "windows": ((64, 1.0),)})
    assert found == progress
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


def test_a_state_from_before_an_entry_was_there_is_of_a_run_without_it(tmp_path: Path) -> None:
    about = about_run(CONFIG) | {"ema": 0.0, "next_targets": [0.0, 0.0]}
    old = {key: value for key, value in about.items() if key not in ("ema", "next_targets")}
    write_state(tmp_path, Progress(step=3), TENSORS, old)
    assert read_state(tmp_path, about)[0].step == 3
    for other in ({"ema": 0.9}, {"next_targets": [1.0, 1.0]}, {"seed": 5, "rate": 0.5}):
        with pytest.raises(TrainingError, match=f"What differs: {', '.join(sorted(other))}\\."):
            read_state(tmp_path, about | other)
    write_state(tmp_path, Progress(), TENSORS, {})
    with pytest.raises(TrainingError, match="another config"):
        read_state(tmp_path, about)


@pytest.mark.parametrize("about", [[1, 2], "a run", None, 3])
def test_a_state_that_does_not_say_what_its_run_is_is_damaged(tmp_path: Path, about: object) -> None:
    write_state(tmp_path, Progress(step=3), TENSORS, about_run(CONFIG))
    place = tmp_path / STATE_FOLDER / "state.json"
    place.write_text(json.dumps(json.loads(place.read_text(encoding="utf-8")) | {"about": about}), encoding="utf-8")
    with pytest.raises(TrainingError, match="is damaged"):
        read_state(tmp_path, about_run(CONFIG))


def test_entries_that_mean_nothing_to_a_hybrid_run_do_not_keep_it_from_going_on(tmp_path: Path) -> None:
    hybrid = replaced(CONFIG, {"objective": "eso-a"})
    old = about_run(hybrid) | {"context_targets": [1.0, 0.0], "next_targets": [0.0, 0.0], "corrupted": 0.5}
    write_state(tmp_path, Progress(step=3), TENSORS, old)
    assert read_state(tmp_path, about_run(hybrid))[0].step == 3
    assert about_run(replaced(hybrid, {"context_targets": [0.5, 0.5]})) == about_run(hybrid)
    with pytest.raises(TrainingError, match="What differs: alpha_0\\."):
        read_state(tmp_path, about_run(replaced(hybrid, {"alpha_0": 0.9})))
    with pytest.raises(TrainingError, match="objective"):
        read_state(tmp_path, about_run(CONFIG))
    write_state(tmp_path, Progress(step=3), TENSORS, about_run(CONFIG))
    with pytest.raises(TrainingError, match="What differs: context_targets\\."):
        read_state(tmp_path, about_run(replaced(CONFIG, {"context_targets": [0.5, 0.5]})))


def test_a_newer_state_replaces_the_older_and_a_crash_between_leaves_the_older(tmp_path: Path) -> None:
    write_state(tmp_path, Progress(step=1), TENSORS, {})
    write_state(tmp_path, Progress(step=2), TENSORS, {})
    assert read_state(tmp_path, {})[0].step == 2
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FOLDER]
    (tmp_path / STATE_FOLDER).rename(tmp_path / f"{STATE_FOLDER}.old")
    assert read_state(tmp_path, {})[0].step == 2


def test_a_full_disk_is_named_and_keeps_the_older_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_state(tmp_path, Progress(step=1), TENSORS, {})

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.training.checkpoint.save_file", full)
    with pytest.raises(TrainingError, match="No space left"):
        write_state(tmp_path, Progress(step=2), TENSORS, {})
    with pytest.raises(TrainingError, match="No space left"):
        write_model(tmp_path / "model", TENSORS, {}, "{}")
    assert read_state(tmp_path, {})[0].step == 1


def test_a_state_of_which_one_bit_changed_is_damaged(tmp_path: Path) -> None:
    write_state(tmp_path, Progress(), TENSORS, {})
    path = tmp_path / STATE_FOLDER / "state.safetensors"
    changed = bytearray(path.read_bytes())
    changed[-2] ^= 1
    path.write_bytes(changed)
    with pytest.raises(TrainingError, match="not what was written"):
        read_state(tmp_path, {})
