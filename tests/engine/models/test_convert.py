"""Published checkpoints become ours; broken ones of the Hugging Face form get one clear sentence each."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.config import Attention, read_config
from engine.errors import CorruptCheckpointError, ModelError, ModelNotFoundError, TokenizerError
from engine.models.convert import convert
from tests.engine.models.published import (
    END_OF_TEXT,
    MERGES,
    MODES,
    VOCAB,
    gpt2_vocabulary,
    small_network,
    trained_tokenizer,
    write_ckpt,
    write_hugging_face,
)
from tests.engine.models.reference_esolm import ReferenceEsoLM, step_mask
from tests.engine.tiny import load_tiny, write_checkpoint


@pytest.fixture(scope="module")
def network() -> ReferenceEsoLM:
    return small_network()


def write_tokenizer(folder: Path, *, whole: bool = True) -> None:
    """GPT-2's files as they are published: with nothing added."""
    folder.mkdir(parents=True, exist_ok=True)
    if whole:
        raw = json.loads(trained_tokenizer().to_str())
        raw["added_tokens"] = raw["added_tokens"][:1]
        (folder / "tokenizer.json").write_text(json.dumps(raw), encoding="utf-8")
        return
    (folder / "vocab.json").write_text(json.dumps(gpt2_vocabulary()), encoding="utf-8")
    merges = "".join(f"{left} {right}\n" for left, right in MERGES)
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}", encoding="utf-8")


def same_logits(folder: Path, network: ReferenceEsoLM) -> bool:
    adapter = load_tiny(folder)
    masked = [9, 0, 4]
    logits = adapter.step(adapter.new_cache(), [], masked)
    expected = network([network.mask] * 3, masked, step_mask(0, 0, 3, "B"))
    return bool((logits - expected).abs().max() <= 1e-4)


@pytest.mark.parametrize("variant", ["A", "B"])
def test_a_lightning_checkpoint_becomes_a_folder_of_ours(tmp_path: Path, variant: str) -> None:
    network = small_network(variant)
    source = write_ckpt(tmp_path / "esolm-250k.ckpt", network, variant=variant, tokenizer=trained_tokenizer())
    out = convert(source)
    assert out == tmp_path / "esolm-250k-redraft"
    assert sorted(path.name for path in out.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]
    config = read_config(out)
    assert (config.name, config.family, config.attention.value) == ("esolm-250k", "esolm", MODES[variant][0])
    assert (config.vocab_size, config.context_length, config.suffix_grid) == (VOCAB, network.sizes.length, 1)
    special = config.special_tokens
    assert (special.mask, special.begin, special.end, special.empty) == (VOCAB - 1, END_OF_TEXT, END_OF_TEXT, None)
    assert config.masks_see_masks
    assert not config.tie_embeddings
    assert config.trained_alpha_0 == (0.25, 0.25)
    assert same_logits(out, network)


def test_the_moving_average_is_taken_and_the_plain_weights_only_without_one(
    tmp_path: Path, network: ReferenceEsoLM
) -> None:
    averaged = convert(write_ckpt(tmp_path / "with.ckpt", network, tokenizer=trained_tokenizer()))
    state = {f"backbone.{name}": tensor for name, tensor in network.state_dict().items()}
    source = tmp_path / "without.ckpt"
    without = convert(write_ckpt(source, network, tokenizer=trained_tokenizer(), ema=None, state_dict=state))
    assert same_logits(averaged, network)
    assert same_logits(without, network)


@pytest.mark.parametrize("prefix", ["backbone.", ""])
@pytest.mark.parametrize("by_file", [True, False])
def test_the_hugging_face_form_becomes_a_folder_of_ours(
    tmp_path: Path, network: ReferenceEsoLM, prefix: str, by_file: bool
) -> None:
    folder = write_hugging_face(tmp_path / "Eso-LM-B-alpha-1", network, prefix=prefix)
    write_tokenizer(tmp_path / "gpt2", whole=not prefix)
    source = folder / "model.safetensors" if by_file else folder
    out = convert(source, tmp_path / "made" / "model", tokenizer=tmp_path / "gpt2", alpha_0=1.0)
    config = read_config(out)
    assert (config.attention, config.trained_alpha_0) == (Attention.CAUSAL, (1.0, 1.0))
    assert same_logits(out, network)


def test_the_tokenizer_is_taken_from_the_checkpoints_folder(tmp_path: Path, network: ReferenceEsoLM) -> None:
    write_tokenizer(tmp_path, whole=False)
    out = convert(write_ckpt(tmp_path / "bare.ckpt", network))
    tokenizer = load_tiny(out).tokenizer
    text = "the man  in\r\nthe <|endoftext|> [PAD] ünïcode \x00🙂\ud800"
    assert tokenizer.decode(tokenizer.encode(text)) == text.replace("\ud800", "\ufffd")
    assert not {VOCAB - 1, END_OF_TEXT} & set(tokenizer.encode(text))


def test_offsets_cover_the_blanks_before_a_word(tmp_path: Path, network: ReferenceEsoLM) -> None:
    out = convert(write_ckpt(tmp_path / "x.ckpt", network, tokenizer=trained_tokenizer()))
    _, offsets = load_tiny(out).tokenizer.encode_with_offsets("in the  man")
    assert offsets[0][0] == 0
    assert all(left[1] == right[0] for left, right in itertools.pairwise(offsets))


def test_a_checkpoint_without_a_tokenizer_says_where_to_get_one(tmp_path: Path, network: ReferenceEsoLM) -> None:
    source = write_ckpt(tmp_path / "bare.ckpt", network)
    with pytest.raises(TokenizerError, match=r"without its tokenizer.*--tokenizer"):
        convert(source)
    with pytest.raises(TokenizerError, match=r"no tokenizer\.json"):
        convert(source, tokenizer=tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == [source]


def change_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    raw = json.loads(path.read_text(encoding="utf-8"))
    change(raw)
    path.write_text(json.dumps(raw), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda raw: raw["model"]["vocab"].popitem(), "byte-level BPE"),  # the end of text, which is no merge
        (lambda raw: raw["model"].update(type="WordPiece"), "byte-level BPE"),
        (lambda raw: raw.update(normalizer={"type": "Lowercase"}), "byte-level BPE"),
        (lambda raw: raw["model"]["vocab"].update(more=END_OF_TEXT + 1), f"has {VOCAB} tokens"),
        (lambda raw: raw.pop("model"), "cannot be read"),
        (lambda raw: raw["model"].update(vocab=3), "cannot be read"),
        (lambda raw: raw["model"].update(merges=[["no", "such"]]), "cannot be read"),
        (lambda raw: raw.update(added_tokens=[{"content": 3}]), "cannot be read"),
    ],
)
def test_a_tokenizer_that_does_not_fit_is_refused(
    tmp_path: Path, network: ReferenceEsoLM, change: Callable[[dict[str, Any]], object], word: str
) -> None:
    write_tokenizer(tmp_path)
    change_json(tmp_path / "tokenizer.json", lambda raw: raw["added_tokens"].clear())
    change_json(tmp_path / "tokenizer.json", change)
    with pytest.raises(TokenizerError, match=word):
        convert(write_ckpt(tmp_path / "x.ckpt", network))
    assert not (tmp_path / "x-redraft").exists()


def change_tensors(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda f: (f / "config.json").unlink(), r"config\.json is missing"),
        (lambda f: (f / "model.safetensors").unlink(), r"model\.safetensors is missing"),
        (lambda f: (f / "config.json").write_text("{"), "cannot be read"),
        (lambda f: (f / "config.json").write_text("[]"), "cannot be read"),
        (lambda f: change_json(f / "config.json", lambda raw: raw.update(model_type="bd3lm")), "bd3lm"),
        (lambda f: change_json(f / "config.json", lambda raw: raw.pop("n_heads")), "n_heads"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\x10"), "damaged or cut short"),
        (lambda f: change_tensors(f, lambda t: t.pop("backbone.sigma_map.mlp.0.bias")), "misses the tensor sigma_map"),
        (lambda f: change_tensors(f, lambda t: t["backbone.blocks.0.norm1.weight"].fill_(torch.nan)), "not finite"),
        (lambda f: change_tensors(f, lambda t: t.update({"backbone.blocks.0.norm2.weight": torch.ones(3)})), "shape"),
    ],
)
def test_a_broken_hugging_face_form_is_refused(
    tmp_path: Path, network: ReferenceEsoLM, damage: Callable[[Path], object], word: str
) -> None:
    folder = write_hugging_face(tmp_path / "hub", network)
    write_tokenizer(folder)
    damage(folder)
    with pytest.raises(ModelError, match=word):
        convert(folder, alpha_0=1.0)
    assert list(tmp_path.iterdir()) == [folder]


def test_the_hugging_face_form_needs_to_be_told_its_alpha_0(tmp_path: Path, network: ReferenceEsoLM) -> None:
    folder = write_hugging_face(tmp_path / "hub", network)
    with pytest.raises(ModelError, match="--alpha0"):
        convert(folder)
    with pytest.raises(CorruptCheckpointError, match="alpha_0"):
        convert(folder, alpha_0=-1.0)


def test_a_folder_that_exists_is_never_overwritten(tmp_path: Path, network: ReferenceEsoLM) -> None:
    source = write_ckpt(tmp_path / "x.ckpt", network, tokenizer=trained_tokenizer())
    kept = tmp_path / "x-redraft" / "kept"
    kept.parent.mkdir()
    kept.write_text("mine")
    with pytest.raises(ModelError, match="exists already"):
        convert(source)
    assert kept.read_text() == "mine"


def test_a_disk_without_room_leaves_nothing_behind(
    tmp_path: Path, network: ReferenceEsoLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("engine.models.convert.save_file", full)
    source = write_ckpt(tmp_path / "x.ckpt", network, tokenizer=trained_tokenizer())
    with pytest.raises(ModelError, match="No space left"):
        convert(source)
    assert list(tmp_path.iterdir()) == [source]


def test_a_published_checkpoint_that_was_not_converted_says_how(tmp_path: Path, network: ReferenceEsoLM) -> None:
    folder = write_hugging_face(tmp_path / "hub", network)
    for place in (folder, write_ckpt(tmp_path / "x.ckpt", network)):
        with pytest.raises(ModelNotFoundError, match="redraft models convert"):
            load_tiny(place)


def test_an_unknown_attention_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptCheckpointError, match="sideways"):
        write_checkpoint(tmp_path / "model", attention="sideways")
