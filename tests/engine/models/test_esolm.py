"""The folded model over its cache against the plain network with an explicit mask: the same numbers."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from torch import Tensor

from engine.canvas import Placed
from engine.models.base import Feed, ModelAdapter
from engine.models.esolm_network import EsoLMNetwork
from tests.engine.tiny import load_network, load_tiny, write_checkpoint

TOLERANCE = 1e-4


@pytest.fixture(scope="module", params=[False, True], ids=["masks-apart", "masks-see-masks"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    return write_checkpoint(folder, masks_see_masks=request.param, tie_embeddings=not request.param)


@pytest.fixture(scope="module")
def adapter(checkpoint: Path) -> ModelAdapter:
    return load_tiny(checkpoint)


@pytest.fixture(scope="module")
def network(checkpoint: Path) -> EsoLMNetwork:
    return load_network(checkpoint)


def full_pass(network: EsoLMNetwork, adapter: ModelAdapter, clean: list[Placed], masked: list[int]) -> Tensor:
    """Everything in one pass without a cache, with the attention mask written out as the paper defines it."""
    rows = len(clean) + len(masked)
    visible = torch.zeros(rows, rows, dtype=torch.bool)
    for row in range(rows):
        for column in range(rows):
            both_masks = row >= len(clean) and column >= len(clean)
            allowed = column <= row if not both_masks or adapter.config.masks_see_masks else column == row
            visible[row, column] = allowed
    ids = [placed.token for placed in clean] + [adapter.config.special_tokens.mask] * len(masked)
    positions = [placed.position for placed in clean] + masked
    with torch.no_grad():
        logits: Tensor = network(torch.tensor([ids]), torch.tensor([positions]), visible)
    return logits[0, len(clean) :]


def random_canvas(rng: random.Random, vocabulary: int, length: int) -> tuple[list[Placed], list[int]]:
    positions = rng.sample(range(length + 40), length)
    clean = [Placed(rng.randrange(vocabulary), position) for position in positions]
    return clean, [p for p in range(length + 40) if p not in set(positions)][:12]


@pytest.mark.parametrize("seed", range(6))
def test_a_cached_step_equals_a_full_pass_at_random_orders(
    adapter: ModelAdapter, network: EsoLMNetwork, seed: int
) -> None:
    rng = random.Random(seed)
    clean, masked = random_canvas(rng, 200, rng.choice([1, 7, 40, 130]))
    cache = adapter.new_cache()
    done = 0
    while done < len(clean):
        count = rng.randint(1, 40)
        chunk = clean[done : done + count]
        masks = masked[: rng.randint(0, len(masked))]
        logits = adapter.step(cache, chunk, masks)
        done += len(chunk)
        cache.check_integrity()
        expected = full_pass(network, adapter, clean[:done], masks)
        assert logits.shape == expected.shape
        if masks:
            assert (logits - expected).abs().max() <= TOLERANCE
    assert cache.order == clean


def test_a_mask_sees_only_as_many_new_tokens_as_it_is_told(adapter: ModelAdapter, network: EsoLMNetwork) -> None:
    clean, _ = random_canvas(random.Random(3), 200, 30)
    context, tokens = clean[:18], clean[18:]
    cache = adapter.new_cache()
    adapter.step(cache, context, ())
    logits = adapter.step(cache, tokens, [placed.position for placed in tokens], seen=range(len(tokens)))
    for index, placed in enumerate(tokens[: 1 if adapter.config.masks_see_masks else None]):
        expected = full_pass(network, adapter, clean[: 18 + index], [placed.position])
        assert (logits[index] - expected[0]).abs().max() <= TOLERANCE


def test_bfloat16_stays_close_to_float32(checkpoint: Path, adapter: ModelAdapter) -> None:
    half = load_tiny(checkpoint, dtype="bfloat16")
    clean, masked = random_canvas(random.Random(5), 200, 64)
    exact = adapter.step(adapter.new_cache(), clean, masked).softmax(-1)
    rounded = half.step(half.new_cache(), clean, masked).float().softmax(-1)
    assert (exact - rounded).abs().sum(-1).max() / 2 < 0.08  # total variation distance


def test_masks_leave_no_trace_in_the_cache(adapter: ModelAdapter) -> None:
    clean, masked = random_canvas(random.Random(8), 200, 50)
    with_masks, without = adapter.new_cache(), adapter.new_cache()
    adapter.step(with_masks, clean[:32], masked)
    adapter.step(without, clean[:32], ())
    first = adapter.step(with_masks, clean[32:], masked[:3])
    second = adapter.step(without, clean[32:], masked[:3])
    assert torch.allclose(first, second, atol=1e-5)
    assert with_masks.order == without.order


def test_variations_in_one_batch_equal_single_runs_and_share_the_context(adapter: ModelAdapter) -> None:
    rng = random.Random(4)
    context, masked = random_canvas(rng, 200, 40)
    together = adapter.new_cache()
    adapter.step(together, context, ())
    alone = [adapter.new_cache() for _ in range(3)]
    for cache in alone:
        adapter.step(cache, context, ())
    accepted: list[list[Placed]] = [[], [], []]
    for step in range(3):
        masks = [masked[step + 1 : step + 1 + count] for count in (4, 1, 2)]
        feeds = [Feed(number, accepted[number], masks[number]) for number in range(3)]
        results = adapter.step_batch(together, feeds)
        together.check_integrity()
        for number in range(3):
            expected = adapter.step(alone[number], accepted[number], masks[number])
            assert (results[number] - expected).abs().max() <= TOLERANCE
            accepted[number] = [Placed(rng.randrange(200), masked[step])]
    assert together.owners.count(-1) == 40
    assert len(together) == 40 + 3 * 2
