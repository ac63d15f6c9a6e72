from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.config import Attention, read_config
from engine.models.esolm_network import EsoLMNetwork
from engine.tokenization import Tokenizer
from engine.training.bounds import bounds_of, nelbo, order_bound, size_of, special_of, trained_objective
from engine.training.checkpoint import read_model
from engine.training.forward import hidden_rows
from engine.training.head import cross_entropies
from engine.training.hybrid import Hybrid, Phase, collate_hybrid, noised, window_of
from engine.training.objective import Row, collate
from engine.training.samples import Piece, Sample
from tests.engine.tiny import write_checkpoint

Model = tuple[EsoLMNetwork, Tokenizer]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    folder = write_checkpoint(tmp_path_factory.mktemp("model"))
    network, config = read_model(folder)
    return network, Tokenizer.load(folder, config.tokenizer_entry())


def sample_of(tokenizer: Tokenizer, text: str) -> Sample:
    ids = tokenizer.encode(text)
    return Sample((Piece(tuple(ids[:1])), Piece(tuple(ids[1:]), len(ids) + 3, is_hole=True)), starts=True, ends=False)


def log_likelihood(model: Model, ids: list[int], order: list[int]) -> float:
    """ln p along one order, begin at place 0 given."""
    network, tokenizer = model
    row = Row(
        [ids[place] for place in order], order, [ids[place] for place in order], list(range(1, len(order))), [], 0
    )
    batch = collate([row], special_of(tokenizer))
    linear = network.output_layer.linear
    with torch.no_grad():
        return -float(cross_entropies(hidden_rows(network, batch), linear.weight, linear.bias, batch.targets).sum())


def test_left_to_right_the_bound_is_the_exact_likelihood(model: Model) -> None:
    samples = [sample_of(model[1], text) for text in ("in the end", "a hand")]
    windows = [window_of(sample, special_of(model[1])) for sample in samples]
    exact = sum(log_likelihood(model, list(window.ids), list(range(len(window.ids)))) for window in windows)
    for orders in (1, 3):
        bits = order_bound(*model, samples, 0.0, orders=orders)
        assert bits == pytest.approx(-exact / math.log(2) / size_of(model[1], windows), rel=1e-4)


def test_many_orders_come_to_the_mean_likelihood_over_all_of_them(model: Model) -> None:
    sample = sample_of(model[1], " the ink")
    window = window_of(sample, special_of(model[1]))
    count = len(window.ids)
    assert count == 5
    values = [log_likelihood(model, list(window.ids), [0, *order]) for order in permutations(range(1, count))]
    exact = float(torch.tensor(values).logsumexp(0)) - math.log(len(values))
    bits = order_bound(*model, [sample], 1.0, orders=400)
    assert bits == pytest.approx(-exact / math.log(2) / size_of(model[1], [window]), rel=0.03)


def test_more_orders_never_raise_the_mean_bound(model: Model) -> None:
    samples = [sample_of(model[1], text) for text in ("in the end", "a hand and", "then an inn")] * 4
    one, many = (order_bound(*model, samples, 1.0, orders=orders) for orders in (1, 32))
    assert many < one


def test_a_bound_is_the_same_again_and_batches_do_not_matter(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = [sample_of(model[1], text) for text in ("in the end", "a hand and", "then an inn")]
    hybrid = Hybrid(Attention.MIXED2, 0.5)
    first = nelbo(*model, samples, hybrid, draws=4)
    assert first == nelbo(*model, samples, hybrid, draws=4)
    monkeypatch.setattr("engine.training.bounds.ROWS_PER_BATCH", 16)
    assert nelbo(*model, samples, hybrid, draws=4) == pytest.approx(first, rel=1e-5)


def test_the_nelbo_is_the_mean_of_both_terms(model: Model) -> None:
    network, tokenizer = model
    sample, hybrid, special = sample_of(tokenizer, " the ink"), Hybrid(Attention.CAUSAL, 0.5), special_of(tokenizer)
    window = window_of(sample, special)
    generator = np.random.default_rng(3)
    total = 0.0
    for phase in Phase:
        rows = [noised(window, generator, hybrid, phase, (draw + 0.5) / 200) for draw in range(200)]
        batch = collate_hybrid(rows, special)
        linear = network.output_layer.linear
        with torch.no_grad():
            each = cross_entropies(hidden_rows(network, batch), linear.weight, linear.bias, batch.targets)
        total += float((each * batch.weights).sum()) / 200
    bits = nelbo(network, tokenizer, [sample], hybrid, draws=200)
    assert bits == pytest.approx(total / math.log(2) / size_of(tokenizer, [window]), rel=0.1)


def test_variant_a_has_no_order_that_is_one_pass(model: Model) -> None:
    samples = [sample_of(model[1], "in the end")]
    assert set(bounds_of(*model, samples, Hybrid(Attention.MIXED2, 0.5), orders=2)) == {"nelbo"}
    assert set(bounds_of(*model, samples, Hybrid(Attention.CAUSAL, 0.5), orders=2)) == {"nelbo", "orders_2"}


def test_a_checkpoint_says_which_objective_it_is_judged_by(tmp_path: Path) -> None:
    config = read_config(write_checkpoint(tmp_path))
    assert trained_objective(config) is None
    assert trained_objective(replace(config, trained_alpha_0=(0.25, 0.25))) == Hybrid(Attention.CAUSAL, 0.25)
