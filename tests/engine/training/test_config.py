from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import TrainingError
from engine.training.config import PRESETS, preset, read_config, replaced


def write(path: Path, text: str) -> Path:
    (path / "train.toml").write_text(text, encoding="utf-8")
    return path / "train.toml"


def test_a_config_starts_from_a_preset_and_paths_are_its_own(tmp_path: Path) -> None:
    config = read_config(
        write(tmp_path, 'preset = "tiny"\ndata = "texts"\nsteps = 7\nwindows = [[64, 0.5], [128, 0.5]]\nrate = 1\n')
    )
    assert config.hidden_size == preset("tiny").hidden_size
    assert config.data == (tmp_path / "texts").resolve()
    assert (config.steps, config.windows, config.rate) == (7, ((64, 0.5), (128, 0.5)), 1)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hidden = 3", "unknown entry, 'hidden'"),
        ('layers = "six"', "wrong kind"),
        ("layers = true", "wrong kind"),
        ("compile = 1", "wrong kind"),
        ("heads = 7", "multiple of heads"),
        ("vocab_size = 70000", "vocab_size"),
        ("steps = -1", "wrong kind"),
        ("warmup = 0.9", "warmup"),
        ("rows_per_step = 0", "positive"),
        ('preset = "huge"', "no preset 'huge'"),
        ('objective = "gan"', "objective must be one of any-order, eso-a"),
        ("alpha_0 = 1.5", "alpha_0 must lie"),
        ("batch_split = 1.0", "batch_split must lie"),
        ('diffusion_weight = "high"', "nelbo or flat"),
        ("a = = b", "not valid TOML"),
        ("heads = 0", "positive"),
        ("hidden_size = 0", "positive"),
        ("log_steps = 0", "positive"),
        ("steps = 2.5", "wrong kind"),
        ("seed = -5", "0 or more"),
        ("rate = nan", "0 or more"),
        ("code_share = 7.0", "shares"),
        ("clip = 0.0", "clip"),
        ("ema = 1.0", "ema"),
        ("context_targets = [1]", "context_targets"),
        ("next_targets = [1, 0, 1]", "next_targets"),
        ("windows = []", "windows"),
        ("windows = [[64]]", "windows"),
        ('windows = ["a"]', "windows"),
        ("windows = [[4, 1.0]]", "windows"),
        ("context_length = 8", "context_length"),
        ("windows = [[64, 0.0]]", "windows"),
        ('device = "abacus"', "device must be one of auto, cpu"),
        ('dtype = "float16"', "dtype must be one of auto, bfloat16"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(TrainingError, match=sentence):
        read_config(write(tmp_path, text))


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        read_config(tmp_path / "none.toml")


def test_a_run_needs_an_end_and_data() -> None:
    with pytest.raises(TrainingError, match="minutes or steps"):
        replaced(preset("cpu"), {"minutes": None})
    with pytest.raises(TrainingError, match="no data"):
        replaced(preset("cpu"), {"python": False})


@pytest.mark.parametrize("name", PRESETS)
def test_presets_can_be_trained(name: str) -> None:
    config = preset(name)
    assert config.vocab_size <= 16_384
    assert max(size for size, _ in config.windows) <= config.context_length
