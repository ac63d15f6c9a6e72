from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.canvas import Placed
from engine.config import Attention
from engine.models.esolm_network import EsoLMNetwork, EsoLMShape
from engine.training.bpe import special_tokens
from engine.training.config import preset, replaced
from engine.training.forward import hidden_rows
from engine.training.head import cross_entropies, weighted_loss
from engine.training.hybrid import (
    LEAST_TIME,
    Hybrid,
    HybridRow,
    Phase,
    Window,
    arrange,
    collate_hybrid,
    draw_row,
    expected_rows,
    hybrid_of,
    model_entries,
    noised,
    window_of,
)
from engine.training.samples import Piece, Sample
from tests.engine.tiny import load_network, load_tiny, write_checkpoint

VOCAB = 310
SPECIAL = special_tokens(VOCAB)
MASK = SPECIAL.mask
WINDOW = Window((7, 3, 3, 250, 9, 41, 12), given=0)
BOTH = pytest.mark.parametrize("attention", list(Attention))


@pytest.fixture(scope="module")
def network() -> EsoLMNetwork:
    torch.manual_seed(0)
    network = EsoLMNetwork(EsoLMShape(VOCAB, 32, 2, 2, 64))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.15 * torch.randn_like(parameter))
    return network


@torch.no_grad()
def found(network: EsoLMNetwork, rows: list[HybridRow]) -> Tensor:
    """-ln p of every target as training computes it."""
    batch = collate_hybrid(rows, SPECIAL)
    linear = network.output_layer.linear
    return cross_entropies(hidden_rows(network, batch), linear.weight, linear.bias, batch.targets)


def mean_loss(network: EsoLMNetwork, rows: list[HybridRow]) -> float:
    """The rows' mean weighted loss; rows that are equal but for their weight are run once."""
    plain = [replace(row, weight=1.0) for row in rows]
    once = list(dict.fromkeys(plain))
    parts = found(network, once).split([len(row.targets) for row in once])
    sums = {row: float(part.sum()) for row, part in zip(once, parts, strict=True)}
    return sum(row.weight * sums[same] for row, same in zip(rows, plain, strict=True)) / len(rows)


@torch.no_grad()
def plain_diffusion(network: EsoLMNetwork, window: Window, masked: set[int], order: list[int], mixed: bool) -> Tensor:
    """The reference's diffusion pass: z_t sorted, clean tokens first; causal, or `mixed2`."""
    places = [place for place in order if place not in masked] + [place for place in order if place in masked]
    ids = torch.tensor([[MASK if place in masked else window.ids[place] for place in places]])
    q, kv = torch.arange(len(places))[:, None], torch.arange(len(places))[None, :]
    sees = q >= kv
    if mixed:
        cutoff = len(places) - len(masked)
        sees |= (q < cutoff) & (kv < cutoff)
    logits = network(ids, torch.tensor([places]), sees[None, None])[0]
    hidden = [(row, window.ids[place]) for row, place in enumerate(places) if place in masked]
    return torch.stack([-logits[row].log_softmax(-1)[token] for row, token in hidden])


@torch.no_grad()
def plain_sequential(network: EsoLMNetwork, window: Window, masked: set[int], order: list[int], mixed: bool) -> Tensor:
    """The reference's sequential pass over [z_0 | x], 2 n rows: the block-diffusion mask with blocks of one token, in
    (A) with a prefix of x that sees itself."""
    places = [place for place in order if place not in masked] + sorted(masked)
    count = len(places)
    z = [MASK if place in masked else window.ids[place] for place in places]
    x = [window.ids[place] for place in places]
    sees = torch.zeros(2 * count, 2 * count, dtype=torch.bool)
    for q in range(count):
        sees[q, q] = True
        sees[q, count : count + q] = True
        sees[count + q, count : count + q + 1] = True
    if mixed:
        cutoff = count - len(masked)
        sees[count : count + cutoff, count : count + cutoff] = True
    logits = network(torch.tensor([z + x]), torch.tensor([places + places]), sees[None, None])[0]
    rows = range(count - len(masked), count)
    return torch.stack([-logits[row].log_softmax(-1)[x[row]] for row in rows])


@BOTH
@pytest.mark.parametrize("seed", range(4))
def test_both_phases_equal_the_reference_with_its_explicit_masks(
    network: EsoLMNetwork, attention: Attention, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    masked = generator.random(7) < 0.6
    masked[seed] = True
    order = generator.permutation(7)
    hidden, mixed = set(np.flatnonzero(masked).tolist()), attention is Attention.MIXED2
    hybrid = Hybrid(attention, 0.5)
    rows = [arrange(WINDOW, hybrid, masked, order, phase, 1.0) for phase in Phase]
    wanted = [plain(network, WINDOW, hidden, order.tolist(), mixed) for plain in (plain_diffusion, plain_sequential)]
    for row, values in zip(rows, wanted, strict=True):
        assert torch.allclose(found(network, [row]), values, atol=1e-4)
    assert torch.allclose(found(network, rows), torch.cat(wanted), atol=1e-4)


def test_the_ar_end_is_plain_autoregressive_cross_entropy(network: EsoLMNetwork) -> None:
    hybrid = hybrid_of(replaced(preset("tiny"), {"objective": "ar"}))
    assert hybrid is not None
    window = Window((SPECIAL.begin or 0, *WINDOW.ids), given=1)
    row = draw_row(window, np.random.default_rng(0), hybrid)
    assert row.weight == 1.0
    wanted = []
    for place in range(1, 8):
        ids = torch.tensor([[*window.ids[:place], MASK]])
        causal = torch.ones(1, 1, place + 1, place + 1, dtype=torch.bool).tril()
        with torch.no_grad():
            logits = network(ids, torch.arange(place + 1)[None], causal)[0, -1]
        wanted.append(-logits.log_softmax(-1)[window.ids[place]])
    assert torch.allclose(found(network, [row]), torch.stack(wanted), atol=1e-4)
    assert not any(extent.is_dense for extent in collate_hybrid([row], SPECIAL).extents)


def exact_bound(network: EsoLMNetwork, window: Window, mixed: bool) -> float:
    """MDLM's NELBO in nats, summed over every set of masks and every order: the integral over t of
    t^(|S| - 1) (1 - t)^(n - |S|) is a beta function."""
    count, total = len(window.ids), 0.0
    for chosen in range(1, 2**count):
        masked = {place for place in range(count) if chosen >> place & 1}
        sums = [
            float(plain_diffusion(network, window, masked, list(order), mixed).sum())
            for order in permutations(range(count))
        ]
        size = len(masked)
        beta = math.gamma(size) * math.gamma(count - size + 1) / math.gamma(count + 1)
        total += beta * sum(sums) / len(sums)
    return total


def test_the_mdlm_end_is_the_nelbo(network: EsoLMNetwork) -> None:
    hybrid = hybrid_of(replaced(preset("tiny"), {"objective": "mdlm"}))
    assert hybrid is not None
    window = Window((7, 250, 41), given=0)
    generator = np.random.default_rng(0)
    rows = [draw_row(window, generator, hybrid) for _ in range(6000)]
    assert mean_loss(network, rows) == pytest.approx(exact_bound(network, window, mixed=True), rel=0.03)


@BOTH
def test_the_expected_loss_of_a_split_batch_is_the_sum_of_both_terms(
    network: EsoLMNetwork, attention: Attention
) -> None:
    hybrid = Hybrid(attention, 0.5, split=0.3)
    window = Window((7, 250, 41), given=0)
    generator = np.random.default_rng(1)
    drawn = [draw_row(window, generator, hybrid) for _ in range(5000)]
    terms = []
    for phase in Phase:
        times = (LEAST_TIME + (1 - LEAST_TIME) * (np.arange(3000) + 0.5) / 3000).tolist()
        terms.append([noised(window, generator, hybrid, phase, time) for time in times])

    wanted = sum(mean_loss(network, term) for term in terms)
    assert mean_loss(network, drawn) == pytest.approx(wanted, rel=0.04)
    share = sum(row.in_line for row in drawn) / len(drawn)
    assert share == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("time", [0.001, 0.3, 0.9])
def test_the_weight_of_a_mask_is_the_schedules_slope(time: float) -> None:
    hybrid = Hybrid(Attention.CAUSAL, 0.25)
    slope = (hybrid.kept(time + 1e-6) - hybrid.kept(time - 1e-6)) / 2e-6
    assert hybrid.weight(time) == pytest.approx(-slope / (1 - hybrid.kept(time)), rel=1e-4)
    assert Hybrid(Attention.CAUSAL, 1.0).weight(time) == pytest.approx(1 / time)
    assert Hybrid(Attention.CAUSAL, 0.25, flat=True).weight(time) == 1.0


def test_at_the_ends_every_sample_serves_the_one_term_there_is() -> None:
    assert Hybrid(Attention.CAUSAL, 0.0, split=0.5).share(Phase.SEQUENTIAL) == 1.0
    assert Hybrid(Attention.CAUSAL, 1.0, split=0.5).share(Phase.DIFFUSION) == 1.0
    assert Hybrid(Attention.CAUSAL, 0.5, split=0.3).share(Phase.SEQUENTIAL) == pytest.approx(0.7)


def test_begin_is_never_masked_and_comes_first() -> None:
    window = Window((1, 2, 3, 4), given=1)
    for seed in range(20):
        row = draw_row(window, np.random.default_rng(seed), Hybrid(Attention.CAUSAL, 0.5))
        assert row.positions[0] == 0
        assert 0 not in row.places
        assert row.tokens == 3


def test_a_window_is_all_text_of_a_sample_without_slack() -> None:
    sample = Sample((Piece((5, 6)), Piece((7,), 40, is_hole=True), Piece((8,))), starts=True, ends=True)
    assert window_of(sample, SPECIAL) == Window((SPECIAL.begin or 0, 5, 6, 7, 8, SPECIAL.end or 0), 1)
    assert window_of(Sample(sample.pieces, starts=False, ends=False), SPECIAL) == Window((5, 6, 7, 8), 0)


@BOTH
def test_gradients_are_finite_and_reach_every_weight(network: EsoLMNetwork, attention: Attention) -> None:
    generator = np.random.default_rng(0)
    rows = [draw_row(WINDOW, generator, Hybrid(attention, 0.5)) for _ in range(6)]
    batch = collate_hybrid(rows, SPECIAL)
    assert batch.total == 6 * 7
    linear = network.output_layer.linear
    loss, _ = weighted_loss(hidden_rows(network, batch), linear.weight, linear.bias, batch.targets, batch.weights)
    (loss / batch.total).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name
        assert float(parameter.grad.abs().sum()) > 0, name
    network.zero_grad()


def test_a_row_without_masks_is_no_trouble(network: EsoLMNetwork) -> None:
    row = arrange(WINDOW, Hybrid(Attention.MIXED2, 1.0), np.zeros(7, dtype=bool), np.arange(7), Phase.DIFFUSION, 1.0)
    assert len(found(network, [row])) == 0


def test_objectives_are_told_apart_by_the_config() -> None:
    tiny = preset("tiny")
    assert hybrid_of(tiny) is None
    chosen = replaced(tiny, {"objective": "eso-a", "alpha_0": 0.125, "batch_split": 0.25, "diffusion_weight": "flat"})
    assert hybrid_of(chosen) == Hybrid(Attention.MIXED2, 0.125, 0.25, flat=True)
    assert hybrid_of(replaced(tiny, {"objective": "eso-b"})) == Hybrid(Attention.CAUSAL, 0.25)


def test_a_model_says_how_it_was_trained() -> None:
    entries = model_entries(Hybrid(Attention.MIXED2, 0.25), SPECIAL)
    assert entries["attention"] == "mixed2"
    assert entries["masks_see_masks"] is True
    assert entries["trained_alpha_0"] == [0.25, 0.25]
    assert "empty" not in dict(entries["special_tokens"])  # type: ignore[call-overload]
    assert model_entries(Hybrid(Attention.CAUSAL, 0.0), SPECIAL)["masks_see_masks"] is False


def test_expected_rows_count_the_copies_of_the_sequential_part() -> None:
    assert expected_rows(Hybrid(Attention.CAUSAL, 0.0), 100) == 200
    assert expected_rows(Hybrid(Attention.CAUSAL, 1.0), 100) == 100
    assert expected_rows(Hybrid(Attention.CAUSAL, 0.5), 100) == 125


@BOTH
def test_the_engine_computes_both_phases_as_they_were_trained(tmp_path: Path, attention: Attention) -> None:
    folder = write_checkpoint(tmp_path, attention=attention.value, masks_see_masks=True)
    adapter, network = load_tiny(folder), load_network(folder)
    special = adapter.config.special_tokens
    window, order = Window(tuple(range(5, 14)), 0), [4, 0, 8, 2, 6, 1, 7, 3, 5]
    masked = np.isin(np.arange(9), [1, 3, 5, 7])
    hybrid = Hybrid(attention, 0.5)
    linear = network.output_layer.linear
    for phase in Phase:
        row = arrange(window, hybrid, masked, np.array(order), phase, 1.0)
        with torch.no_grad():
            hidden = hidden_rows(network, collate_hybrid([row], special))
            wanted = torch.nn.functional.linear(hidden, linear.weight, linear.bias)
        cache = adapter.new_cache()
        clean = [Placed(token, place) for token, place in zip(row.ids, row.positions, strict=True)][:5]
        if phase is Phase.DIFFUSION:
            logits = adapter.step(cache, clean, row.places)
        else:
            written = [Placed(token, place) for token, place in zip(row.targets, row.places, strict=True)]
            adapter.step(cache, clean, ())
            logits = adapter.step(cache, written, row.places, seen=range(4))
        assert torch.allclose(logits, wanted, atol=1e-3)
