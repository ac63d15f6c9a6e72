from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from engine.models.esolm_network import EsoLMNetwork, EsoLMShape
from engine.tokenization import Tokenizer
from engine.training.bpe import special_tokens
from engine.training.forward import hidden_rows
from engine.training.head import cross_entropies
from engine.training.objective import Row, TargetKind, collate, make_row
from engine.training.packing import PackingRules, pack
from engine.training.reveal import Order
from engine.training.samples import Sample
from tests.engine.training.small import VOCAB, documents, small_tokenizer

SPECIAL = special_tokens(VOCAB)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return small_tokenizer()


@pytest.fixture(scope="module")
def samples(tokenizer: Tokenizer) -> list[Sample]:
    rules = PackingRules(windows=((64, 1.0),), max_slack=24, suffix_grid=16)
    return next(pack(documents(), tokenizer, 40, rules, 0))


@pytest.fixture(scope="module")
def network() -> EsoLMNetwork:
    torch.manual_seed(0)
    network = EsoLMNetwork(EsoLMShape(VOCAB, 32, 2, 2, 256))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def rows_of(
    samples: list[Sample], *, context_targets: bool = False, corrupt: float = 0.0, next_targets: float = 0.0
) -> list[Row]:
    return [
        make_row(sample, SPECIAL, np.random.default_rng(number), vocab_size=VOCAB,
                 context_targets=context_targets, corrupt=corrupt, next_targets=next_targets)
        for number, sample in enumerate(samples)
    ]  # fmt: skip


@torch.no_grad()
def step_by_step(network: EsoLMNetwork, row: Row) -> list[float]:
    """-ln p of each predicted token as the sampler computes it: the clean tokens so far, then one mask."""
    losses = []
    for place in row.predicted:
        ids = torch.tensor([[*row.ids[:place], SPECIAL.mask]])
        positions = torch.tensor([row.positions[: place + 1]])
        causal = torch.ones(1, 1, place + 1, place + 1, dtype=torch.bool).tril()
        logits = network(ids, positions, causal)[0, -1]
        losses.append(float(-logits.log_softmax(-1)[row.truth[place]]))
    return losses


@pytest.mark.parametrize("context_targets", [False, True])
def test_one_pass_equals_the_sampler_step_by_step(
    network: EsoLMNetwork, samples: list[Sample], context_targets: bool
) -> None:
    rows = rows_of(samples[:5], context_targets=context_targets)
    batch = collate(rows, SPECIAL)
    linear = network.output_layer.linear
    with torch.no_grad():
        found = cross_entropies(hidden_rows(network, batch), linear.weight, linear.bias, batch.targets)
    wanted = [loss for row in rows for loss in step_by_step(network, row)]
    assert torch.allclose(found, torch.tensor(wanted), atol=1e-4)


def test_every_hole_token_and_empty_has_a_copy_and_context_only_when_asked(samples: list[Sample]) -> None:
    for sample, row, dense in zip(samples, rows_of(samples), rows_of(samples, context_targets=True), strict=True):
        assert row.predicted == list(range(row.context, len(row.ids)))
        assert len(row.predicted) >= sample.hole_rows
        in_context = [place for place in dense.predicted if place < dense.context]
        assert len(in_context) == dense.context - sample.starts - sample.ends


def test_corruption_changes_context_only_and_asks_for_the_truth(samples: list[Sample]) -> None:
    changed = 0
    for row in rows_of(samples, corrupt=0.2):
        differing = [place for place, token in enumerate(row.ids) if token != row.truth[place]]
        assert set(differing) <= set(row.corrected)
        assert all(place < row.context for place in row.corrected)
        assert not {row.ids[place] for place in differing} & SPECIAL.ids()
        changed += len(differing)
    assert changed > 100


def test_corrections_weigh_a_tenth_and_are_read_from_the_clean_rows(samples: list[Sample]) -> None:
    rows = rows_of(samples[:6], corrupt=0.1)
    batch = collate(rows, SPECIAL)
    corrections = batch.kinds == TargetKind.CORRECTION
    assert int(corrections.sum()) == sum(len(row.corrected) for row in rows) > 0
    assert torch.all(batch.weights[corrections] == 0.1)
    assert torch.all(batch.weights[~corrections] == 1.0)
    assert torch.all(batch.ids[batch.rows[corrections]] != SPECIAL.mask)
    assert torch.all(batch.ids[batch.rows[~corrections]] == SPECIAL.mask)


def test_neighbors_in_a_batch_change_nothing(network: EsoLMNetwork, samples: list[Sample]) -> None:
    rows = sorted(rows_of(samples), key=lambda row: row.size)
    short, long = rows[0], rows[-1]
    with torch.no_grad():
        alone = hidden_rows(network, collate([short], SPECIAL))
        together = hidden_rows(network, collate([short, long], SPECIAL))[: len(alone)]
    assert torch.allclose(alone, together, atol=1e-5)


def test_order_and_alpha_0_can_be_fixed(samples: list[Sample]) -> None:
    row = make_row(
        samples[0], SPECIAL, np.random.default_rng(0), vocab_size=VOCAB, order=Order.PREFIX_FIRST, alpha_0=0.0
    )
    holes = row.positions[row.context :]
    context = row.positions[: row.context]
    assert holes == sorted(holes)
    assert context == sorted(context)


def test_clean_rows_predict_the_token_that_stands_next_where_it_comes_next(samples: list[Sample]) -> None:
    for row in rows_of(samples, corrupt=0.1, next_targets=1.0):
        steps = [b - a for a, b in pairwise(row.positions)]
        assert row.leads == [place for place, step in enumerate(steps) if step == 1 and place not in row.corrected]
    rows = rows_of(samples[:6], corrupt=0.1, next_targets=1.0)
    batch = collate(rows, SPECIAL)
    chosen = batch.kinds == TargetKind.NEXT
    assert torch.all(batch.ids[batch.rows[chosen]] != SPECIAL.mask)
    assert batch.targets[chosen].tolist() == [row.truth[place + 1] for row in rows for place in row.leads]
    assert torch.all(batch.weights[chosen] == 1.0)


def test_a_share_of_the_clean_rows_predicts_what_is_next(samples: list[Sample]) -> None:
    every, some = (
        sum(len(row.leads) for row in rows_of(samples, next_targets=share)) for share in (1.0, 0.25)
    )  # fmt: skip
    assert 0.2 < some / every < 0.3
    assert not any(row.leads for row in rows_of(samples))


def test_predicting_what_is_next_leaves_the_other_draws_as_they_are(samples: list[Sample]) -> None:
    for one, other in zip(rows_of(samples, corrupt=0.1), rows_of(samples, corrupt=0.1, next_targets=0.5), strict=True):
        assert (one.ids, one.predicted, one.corrected) == (other.ids, other.predicted, other.corrected)
