"""Published models in our form against the authors' own code, on the same random checkpoint: run where a checkout of
github.com/s-sahoo/Eso-LMs (92e7982 or near it) is named by REDRAFT_ESOLM_REPO. Only its network is imported, with plain
stand-ins for the packages it needs beside torch; its compiled attention is replaced by a dense one under its own masks.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from engine.canvas import Placed
from engine.models.base import ModelAdapter
from engine.models.convert import convert
from tests.engine.models.published import MODES, VOCAB, small_network, trained_tokenizer, write_ckpt
from tests.engine.models.reference_esolm import ReferenceEsoLM
from tests.engine.tiny import load_tiny

REPOSITORY = os.environ.get("REDRAFT_ESOLM_REPO")
TOLERANCE = 1e-4
LENGTH = 96
MASK = VOCAB - 1

pytestmark = [
    pytest.mark.skipif(not REPOSITORY, reason="REDRAFT_ESOLM_REPO names no checkout of the reference repository"),
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def theirs() -> Iterator[Any]:
    """Their module `models.dit`."""
    settings = torch.backends.cuda.matmul.allow_tf32, torch.get_float32_matmul_precision()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "einops", stand_in("einops", rearrange=_rearrange, repeat=_repeat))
        patch.setitem(sys.modules, "omegaconf", stand_in("omegaconf"))
        hub = stand_in("huggingface_hub", PyTorchModelHubMixin=type("PyTorchModelHubMixin", (), {}))
        patch.setitem(sys.modules, "huggingface_hub", hub)
        spec = importlib.util.spec_from_file_location("reference_dit", Path(str(REPOSITORY)) / "models" / "dit.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        patch.setattr(module, "create_block_mask", _dense_mask)
        patch.setattr(module, "flex_attention_multi_headed", _dense_attention)
        yield module
    torch.backends.cuda.matmul.allow_tf32 = settings[0]
    torch.set_float32_matmul_precision(settings[1])


def stand_in(name: str, **content: object) -> types.ModuleType:
    module = types.ModuleType(name)
    module.__dict__.update(content)
    return module


def _rearrange(x: Tensor, pattern: str, **sizes: int) -> Tensor:
    if pattern == "b s h d -> b s (h d)":
        return x.flatten(2)
    assert pattern == "b s (three h d) -> b s three h d"
    parted: Tensor = x.unflatten(2, (sizes["three"], sizes["h"], -1))
    return parted


def _repeat(x: Tensor, pattern: str) -> Tensor:
    assert pattern == "... d -> ... 1 (2 d)"
    return torch.cat((x, x), dim=-1).unsqueeze(-2)


def _dense_mask(mask_mod: Any, *, B: None, H: None, Q_LEN: int, KV_LEN: int) -> Tensor:  # noqa: N803
    zero = torch.tensor(0)
    mask: Tensor = mask_mod(zero, zero, torch.arange(Q_LEN)[:, None], torch.arange(KV_LEN)[None])
    return mask


def _dense_attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, dynamic_shape: bool) -> Tensor:
    q, k, v = (part.transpose(1, 2) for part in (q, k, v))
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2)


@pytest.fixture(params=["A", "B"])
def variant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def network(variant: str) -> ReferenceEsoLM:
    return small_network(variant, length=LENGTH)


@pytest.fixture
def reference(theirs: Any, network: ReferenceEsoLM, variant: str) -> Any:
    sizes, (diffusion, sequential) = network.sizes, MODES[variant]
    config = types.SimpleNamespace(
        algo=types.SimpleNamespace(
            causal_attention=False, diffusion_attn_mode=diffusion, sequential_attn_mode=sequential
        ),
        model=types.SimpleNamespace(
            hidden_size=sizes.width, cond_dim=sizes.condition, n_heads=sizes.heads, n_blocks=sizes.layers,
            length=LENGTH, dropout=0.1, scale_by_sigma=False,
        ),
        attn=types.SimpleNamespace(dynamic_shape=False),
        sampling=types.SimpleNamespace(kv_cache=True),
    )  # fmt: skip
    model = theirs.EsoLMDiT(config, VOCAB, MASK)
    model.load_state_dict(network.state_dict())
    return model.eval()


@pytest.fixture
def ours(network: ReferenceEsoLM, variant: str, tmp_path: Path) -> ModelAdapter:
    return load_tiny(convert(write_ckpt(tmp_path / "x.ckpt", network, variant=variant, tokenizer=trained_tokenizer())))


def noise(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def shuffled_text(seed: int, parallel: int = LENGTH) -> tuple[Tensor, Tensor]:
    """Tokens and their positions in a random order; from `parallel` on the positions ascend."""
    positions = torch.randperm(LENGTH, generator=noise(seed))
    positions = torch.cat((positions[:parallel], positions[parallel:].sort().values))
    return torch.randint(0, MASK, (LENGTH,), generator=noise(seed + 1)), positions


def placed(tokens: Sequence[int], positions: Sequence[int]) -> list[Placed]:
    return [Placed(token, position) for token, position in zip(tokens, positions, strict=True)]


def assert_close(left: Tensor, right: Tensor) -> None:
    """Of all tokens but the mask, whose logit they set only afterwards."""
    assert left.shape == right.shape
    assert float((left - right)[:, :MASK].abs().max()) <= TOLERANCE


@torch.no_grad()
@pytest.mark.parametrize("clean", [0, 1, 40, LENGTH - 1])
def test_masks_have_the_references_logits_in_the_diffusion_phase(ours: Any, reference: Any, clean: int) -> None:
    tokens, positions = shuffled_text(clean)
    zt = torch.cat((tokens[:clean], torch.full((LENGTH - clean,), MASK)))
    expected = reference(zt[None], torch.zeros(1), positions[None])[0, clean:]
    context = placed(tokens[:clean].tolist(), positions[:clean].tolist())
    assert_close(ours.step(ours.new_cache(), context, positions[clean:].tolist()), expected)


@torch.no_grad()
@pytest.mark.parametrize("clean", [1, 40, LENGTH - 1])
def test_a_run_has_the_references_logits_in_the_sequential_phase(ours: Any, reference: Any, clean: int) -> None:
    tokens, positions = shuffled_text(clean, parallel=clean)
    zt = torch.cat((tokens[:clean], torch.full((LENGTH - clean,), MASK)))
    expected = reference(zt[None], torch.zeros(1), positions[None], x0=tokens[None])[0, clean:]
    cache, order = ours.new_cache(), placed(tokens.tolist(), positions.tolist())
    ours.step(cache, order[:clean], ())
    run = order[clean:]
    assert_close(ours.step(cache, run, [one.position for one in run], seen=range(len(run))), expected)


@torch.no_grad()
@pytest.mark.parametrize("variant", ["B"], indirect=True)
@pytest.mark.parametrize(("alpha_0", "steps"), [(1.0, 8), (1.0, LENGTH), (0.5, 6), (0.25, 30), (0.0, 1)])
def test_whole_runs_write_the_references_tokens_with_the_same_noise(
    ours: Any, reference: Any, alpha_0: float, steps: int
) -> None:
    parallel = round(alpha_0 * LENGTH)
    _, positions = shuffled_text(steps, parallel)
    counts = [len(part) for part in torch.arange(parallel).chunk(steps) if len(part)] + [1] * (LENGTH - parallel)
    reference.reset_kv_cache()
    reference.reset_sorted_rotary_cache()
    zt, cache, fed, done, last = torch.full((1, LENGTH), MASK), ours.new_cache(), list[Placed](), 0, 0
    for number, count in enumerate(counts):
        window = {"last_k_start": last, "curr_k_start": done, "curr_k_end": done + count}
        expected = reference.forward_sample(zt, positions[None], **window)[0]
        places = positions[done : done + count].tolist()
        logits = ours.step(cache, fed, places)
        assert_close(logits, expected)
        gumbel = -(-torch.rand(expected.shape, generator=noise(number), dtype=torch.float64).log()).log()
        chosen = [(row[:, :MASK] + gumbel[:, :MASK]).argmax(-1) for row in (logits, expected)]
        assert torch.equal(*chosen)
        zt[0, done : done + count] = chosen[0]
        fed = placed(chosen[0].tolist(), places)
        last, done = done, done + count
    assert done == LENGTH
