from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.models.esolm_network import EsoLMNetwork, EsoLMShape
from engine.training.bpe import special_tokens
from engine.training.loop import Place, StepReport, Trainer, trapezoid
from engine.training.optimizer import trainable
from engine.training.packing import PackingRules, pack
from engine.training.samples import write_samples
from tests.engine.training.small import VOCAB, documents, small_tokenizer, tiny_config


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    write_samples(folder, pack(documents(), small_tokenizer(), 40, PackingRules(windows=((64, 1.0),)), 0), {})
    return folder


def trainer_of(samples: Path, **changes: object) -> Trainer:
    torch.manual_seed(0)
    network = EsoLMNetwork(EsoLMShape(VOCAB, 32, 2, 2, 256))
    config = tiny_config(samples, clip=1e9, **changes)
    return Trainer(config, network, samples, special_tokens(VOCAB), Place(torch.device("cpu"), torch.float32))


def trained(samples: Path, steps: int, **changes: object) -> list[StepReport]:
    return list(trainer_of(samples, **changes).steps(lambda progress: progress.step / steps))


@pytest.mark.parametrize(
    ("share", "factor"), [(0.0, 0.001), (0.01, 0.501), (0.02, 1.0), (0.4, 1.0), (0.75, 0.5), (1.0, 0.0), (1.2, 0.0)]
)
def test_the_rate_rises_stays_and_falls_to_zero(share: float, factor: float) -> None:
    assert trapezoid(share, 0.02, 0.5) == pytest.approx(factor)


def test_accumulated_passes_give_the_gradient_of_one_big_batch(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gradients: list[dict[str, torch.Tensor]] = []
    for accumulate in (1, 4):
        trainer = trainer_of(samples, accumulate=accumulate, rows_per_batch=10_000)
        weights = trainable(trainer.network)
        monkeypatch.setattr(
            trainer.optimizer,
            "step",
            lambda *_, weights=weights: gradients.append(
                {name: value.grad.clone() for name, value in weights.items() if value.grad is not None}
            ),
        )
        list(trainer.steps(lambda progress: progress.step))
    whole, parts = gradients
    assert whole.keys() == parts.keys()
    assert len(whole) > 10
    for name, value in whole.items():
        assert torch.allclose(value, parts[name], rtol=1e-4, atol=1e-5 * float(value.abs().max())), name


def test_accumulated_passes_train_alike(samples: Path) -> None:
    whole, parts = (
        [report.loss for report in trained(samples, 4, accumulate=accumulate, rows_per_batch=10_000)]
        for accumulate in (1, 3)
    )
    assert parts == pytest.approx(whole, rel=1e-3)


def test_a_step_counts_its_arithmetic(samples: Path) -> None:
    trainer = trainer_of(samples)
    (report,) = trainer.steps(lambda progress: progress.step)
    shapes = {name: value.shape for name, value in trainer.optimizer.masters.items()}
    matrices = sum(shape.numel() for name, shape in shapes.items() if name.startswith("blocks.") and len(shape) == 2)
    assert 6 * report.rows * matrices < report.flops < 20 * report.rows * (matrices + VOCAB * 32)


def test_a_step_tells_how_the_context_was_predicted_by_copies_or_by_clean_rows(samples: Path) -> None:
    nothing, ahead, copies = (
        trained(samples, 1, next_targets=next_, context_targets=context)[0].context_loss
        for next_, context in (((0.0, 0.0), (0.0, 0.0)), ((1.0, 1.0), (0.0, 0.0)), ((0.0, 0.0), (1.0, 1.0)))
    )
    assert nothing == 0
    assert [5 < loss < 8 for loss in (ahead, copies)] == [True, True]
