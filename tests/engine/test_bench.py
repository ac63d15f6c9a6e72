"""The benchmark in miniature: that it measures what it says, not how fast."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import bench
from engine.cli import main
from engine.errors import EngineError
from engine.types import ModelChoice
from tests.engine.tiny import write_checkpoint

PROMISED = {
    "cold_first_frame_ms", "warm_first_frame_ms", "cold_total_ms", "warm_total_ms", "cache_off_total_ms", "step_ms",
    "tokens_per_s", "nfe", "peak_rss_mb", "device", "dtype", "threads",
}  # fmt: skip

pytestmark = pytest.mark.bench


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("models") / "tiny")


def test_the_last_line_is_one_object_with_the_promised_figures(tiny, capsys):
    sizes = ("--before", "70", "--after", "40", "--capacity", "12", "--steps", "4", "--repeats", "1")
    assert main(["bench", "--model", str(tiny), "--device", "cpu", "--threads", "1", *sizes, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures.keys() >= PROMISED
    assert figures["threads"] == 1
    assert 1 <= figures["nfe"] <= 4
    assert 0 < figures["warm_first_frame_ms"] <= figures["warm_total_ms"]


def test_without_json_each_figure_has_a_line(tiny, capsys):
    sizes = ("--before", "70", "--after", "40", "--capacity", "12", "--steps", "2", "--repeats", "1")
    assert main(["bench", "--model", str(tiny), "--device", "cpu", "--threads", "1", *sizes]) == 0
    names = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert names >= PROMISED


def test_requests_have_exactly_the_tokens_of_the_shape(tiny):
    shape = bench.Shape(before=70, after=40, capacity=12, steps=4)
    requests = bench._requests(ModelChoice(str(tiny)), shape, 3)
    tokenizer = bench.tokenizer_of(str(tiny))
    for request in requests:
        (span,) = request.spans
        assert len(tokenizer.encode(request.text[: span.start])) == 70
        assert len(tokenizer.encode(request.text[span.end :])) == 40
    assert len({request.text for request in requests}) == 3


def test_a_missing_model_is_one_sentence(capsys):
    assert main(["bench", "--model", "no-such-model"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_shape_that_is_too_large_for_the_text_is_refused(tiny):
    with pytest.raises(EngineError, match="too short"):
        bench.measure(ModelChoice(str(tiny), device="cpu", threads=1), bench.Shape(before=100_000), 1)
