"""Typing right before a hole must stay cheap; counts of tokens, no times."""

from __future__ import annotations

import json
import sys

import pytest

from engine.cache import BLOCK
from engine.training.questions import MissingLine
from tests.bench import bench_context_order
from tests.engine.tiny import write_checkpoint

pytestmark = pytest.mark.bench


def test_with_the_suffix_first_typing_computes_the_new_tokens_and_the_rest_of_their_block_only(
    tmp_path, monkeypatch, capsys
):
    folder = write_checkpoint(tmp_path / "tiny", context_length=1024, suffix_grid=64)
    asked = {"python": [MissingLine("first = 1\nsecond = first + 1\nthird = 3\n", 10, 28)]}
    monkeypatch.setattr(bench_context_order, "questions", lambda _data, _count: asked)
    monkeypatch.setattr(sys, "argv", ["bench", "--model", str(folder)])
    bench_context_order.main()
    orders = json.loads(capsys.readouterr().out.splitlines()[-1])["orders"]
    typed = len(bench_context_order.TYPED)
    assert orders["suffix_first"]["computed_tokens_after_all_keys_at_once"] < typed + BLOCK
    assert orders["suffix_first"]["computed_tokens_a_key_most"] < typed + BLOCK
    assert all(order["python_bits_per_byte"] > 0 for order in orders.values())
    assert orders["prefix_first"]["computed_tokens_a_key_median"] > typed + BLOCK
