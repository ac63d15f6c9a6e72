"""That the benchmark of the attention variants still runs, in miniature; no times are asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.bench_attention import CAPACITY, STEPS, measure
from tests.engine.tiny import write_checkpoint


@pytest.mark.bench
def test_both_variants_run_the_same_requests(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "tiny", context_length=256, suffix_grid=1)
    rows = measure(str(folder), [128, 256], 1)
    assert [(row["context"], row["alpha_0"]) for row in rows] == [(c, a) for c in (128, 256) for a in (1.0, 0.5, 0.0)]
    assert [row["passes"] for row in rows] == 2 * [STEPS, STEPS + CAPACITY // 2, CAPACITY]
