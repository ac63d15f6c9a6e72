from __future__ import annotations

from dataclasses import replace

import pytest

from app.infill.progress import InfillProgress, duration

NOW = InfillProgress(5, 16, 123.4, 800.0, 1640, 12, 7)


@pytest.mark.parametrize(
    ("ms", "text"), [(40, "0.0 s"), (400, "0.4 s"), (9_900, "9.9 s"), (12_300, "12 s"), (180_000, "3 min")]
)
def test_a_time_is_as_fine_as_one_wants_to_know_it(ms, text):
    assert duration(ms) == text


def test_the_most_wanted_comes_first():
    assert NOW.in_brief == "Step 5/16 · 0.8 s left"
    assert NOW.in_full == "Step 5/16 · 0.8 s left · 123 tok/s · NFE 7 · context 1,640 reused, 12 new"


def test_the_last_step_claims_no_time():
    assert replace(NOW, step=16, remaining_ms=0.0).in_brief == "Step 16/16"


def test_the_share_is_of_the_whole_run_not_of_one_variations_steps():
    assert replace(NOW, step=16, remaining_ms=300.0, done_ms=100.0).share == 0.25
    assert replace(NOW, remaining_ms=0.0).share == 5 / 16


def test_a_later_variation_is_named():
    assert replace(NOW, variation=2).in_brief == "Variation 3 · Step 5/16 · 0.8 s left"
