from __future__ import annotations

import torch

from engine.models.esolm_network import EsoLMShape
from engine.training.extent import Extent
from engine.training.flops import flops_of, measured_peak
from engine.training.objective import Batch


def test_products_and_attention_are_counted_three_times_forward() -> None:
    places = torch.arange(5)
    batch = Batch(
        places, places, torch.tensor([0, 0, 0, 1, 3]), [Extent(0, 3, 2)], places[3:], places[3:], torch.ones(2),
        places[3:] * 0,
    )  # fmt: skip
    width, layers, vocab = 8, 2, 50
    matrices = 5 * layers * (4 * width**2 + 2 * 4 * width**2)
    pairs = (1 + 2 + 3) + (1 + 1) + (3 + 1)
    forward = 2 * (matrices + 2 * width * vocab + layers * 2 * pairs * width)
    assert flops_of(batch, EsoLMShape(vocab, width, layers, 2, 64)) == 3 * forward


def test_the_peak_is_measured_and_grows_with_the_workers() -> None:
    threads = torch.get_num_threads()
    peak = measured_peak(torch.device("cpu"), torch.float32, 1)
    assert 1e8 < peak < 1e15
    assert torch.get_num_threads() == threads
