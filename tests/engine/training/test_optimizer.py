from __future__ import annotations

import pytest
import torch

from engine.errors import TrainingError
from engine.models.esolm_network import EsoLMNetwork, EsoLMShape
from engine.training.optimizer import Optimizer, clip_gradients, orthogonal, trainable


@pytest.fixture
def network() -> EsoLMNetwork:
    torch.manual_seed(0)
    return EsoLMNetwork(EsoLMShape(64, 16, 2, 2, 64))


def give_gradients(network: EsoLMNetwork, seed: int = 0) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in trainable(network).values():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


@pytest.mark.parametrize("shape", [(16, 16), (48, 16), (16, 64)])
def test_orthogonal_pushes_singular_values_to_about_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrix).float())
    assert float(values.min()) > 0.4
    assert float(values.max()) < 1.4


def test_every_weight_but_the_modulation_moves(network: EsoLMNetwork) -> None:
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    optimizer = Optimizer(network, weight_decay=0.0)
    give_gradients(network)
    optimizer.step(0.02, 0.003)
    for name, value in network.named_parameters():
        assert torch.equal(value, before[name]) == name.endswith("modulation"), name
        assert value.grad is None


def test_tied_weights_are_one(network: EsoLMNetwork) -> None:
    assert "output_layer.linear.weight" not in trainable(network)
    assert "vocab_embed.embedding" in trainable(network)


def test_masters_keep_what_bfloat16_would_lose(network: EsoLMNetwork) -> None:
    optimizer = Optimizer(network, weight_decay=0.0)
    network.to(torch.bfloat16)
    for _ in range(3):
        for parameter in trainable(network).values():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step(1e-6, 1e-6)
    name = "output_layer.norm_final.weight"
    assert torch.all(trainable(network)[name] == 1.0)
    assert torch.all(optimizer.masters[name] < 1.0)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_restoring_the_state_gives_the_same_next_step(network: EsoLMNetwork, ema: float) -> None:
    optimizer = Optimizer(network, weight_decay=0.1, ema=ema)
    give_gradients(network, 1)
    optimizer.step(0.02, 0.003)
    state = {key: value.clone() for key, value in optimizer.state().items()}
    give_gradients(network, 2)
    optimizer.step(0.02, 0.003)
    torch.manual_seed(9)
    other = EsoLMNetwork(network.shape)
    resumed = Optimizer(other, weight_decay=0.1, ema=ema)
    resumed.restore(state, 1)
    give_gradients(other, 2)
    resumed.step(0.02, 0.003)
    for name, value in optimizer.masters.items():
        assert torch.equal(value, resumed.masters[name]), name
        assert torch.equal(optimizer.weights[name], resumed.weights[name]), name
        assert torch.equal(optimizer.weights[name], value) == (not ema), name


@pytest.mark.parametrize("together", [False, True])
def test_averages_follow_the_weights_more_slowly_and_leave_training_alone(together: bool) -> None:
    found: list[Optimizer] = []
    wanted: dict[str, torch.Tensor] = {}
    for ema in (0.0, 0.5):
        torch.manual_seed(0)
        network = EsoLMNetwork(EsoLMShape(64, 16, 2, 2, 64))
        optimizer = Optimizer(network, weight_decay=0.1, together=together, ema=ema)
        wanted = {name: value.clone() for name, value in optimizer.masters.items()}
        for number in range(1, 15):
            give_gradients(network, number)
            optimizer.step(0.02, 0.003)
            kept = min(0.5, (1 + number) / (10 + number))
            wanted = {name: kept * value + (1 - kept) * optimizer.masters[name] for name, value in wanted.items()}
        found.append(optimizer)
    for name, value in wanted.items():
        assert torch.equal(found[0].masters[name], found[1].masters[name]), name
        assert torch.allclose(found[1].weights[name], value, atol=1e-6), name
    assert found[0].weights is found[0].masters
    assert not any(key.startswith("average/") for key in found[0].state())


def test_a_state_of_another_model_is_refused(network: EsoLMNetwork) -> None:
    optimizer = Optimizer(network, weight_decay=0.0)
    other = Optimizer(EsoLMNetwork(EsoLMShape(64, 32, 2, 2, 64)), weight_decay=0.0)
    with pytest.raises(TrainingError, match="does not fit"):
        other.restore(optimizer.state(), 1)


def test_clipping_bounds_the_norm(network: EsoLMNetwork) -> None:
    give_gradients(network)
    parameters = list(trainable(network).values())
    before = clip_gradients(parameters, 1.0)
    assert before > 1.0
    assert clip_gradients(parameters, 10.0) == pytest.approx(1.0, rel=1e-3)
    assert clip_gradients([], 1.0) == 0.0


def test_updating_all_together_is_updating_one_by_one() -> None:
    found = []
    for together in (False, True):
        torch.manual_seed(0)
        network = EsoLMNetwork(EsoLMShape(64, 16, 2, 2, 64))
        optimizer = Optimizer(network, weight_decay=0.1, together=together)
        for seed in range(4):
            give_gradients(network, seed)
            optimizer.step(0.02, 0.003)
        found.append(({name: value.clone() for name, value in optimizer.state().items()}, network.state_dict()))
    for single, joint in zip(*found, strict=True):
        assert single.keys() == joint.keys()
        for name, value in single.items():
            # orthogonal matrices come from bfloat16 products, whose sums a batch may add in another order
            assert torch.allclose(value, joint[name], atol=2e-3), name
