from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from engine.errors import TrainingError
from engine.training.samples import Piece, Sample, SampleStore, read_about, write_samples
from tests.engine.training.test_reveal import samples

SAMPLE = Sample((Piece((1, 2, 65_535)), Piece((), 4, is_hole=True), Piece((7,))), starts=True, ends=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(sample=samples())
def test_samples_come_back_unchanged(tmp_path: Path, sample: Sample) -> None:
    write_samples(tmp_path, [[SAMPLE, sample]], {})
    store = SampleStore(tmp_path)
    assert [store[0], store[1]] == [SAMPLE, sample]
    assert store.rows(1) == (sample.clean_rows, sample.hole_rows)
    assert store.total_rows()[0] == SAMPLE.clean_rows + sample.clean_rows


def test_lengths_count_capacities_and_both_ends() -> None:
    assert (SAMPLE.length, SAMPLE.clean_rows, SAMPLE.hole_rows) == (9, 5, 0)


def test_the_notes_come_back(tmp_path: Path) -> None:
    assert read_about(tmp_path) == {}
    write_samples(tmp_path, [[SAMPLE]], {"seed": 3})
    assert read_about(tmp_path) == {"seed": 3}


def test_no_samples_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no document long enough"):
        write_samples(tmp_path, [], {})


def test_a_cut_off_file_is_an_error(tmp_path: Path) -> None:
    write_samples(tmp_path, [[SAMPLE] * 3], {})
    data = (tmp_path / "samples.bin").read_bytes()
    (tmp_path / "samples.bin").write_bytes(data[:-2])
    with pytest.raises(TrainingError, match="damaged"):
        SampleStore(tmp_path)


def test_missing_samples_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        SampleStore(tmp_path)
