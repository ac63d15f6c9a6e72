from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import TrainingError
from engine.session import EngineSession
from engine.training.answering import score
from engine.training.outside import (
    LEAST_CAPACITY,
    Answered,
    Row,
    answer_rows,
    as_json,
    read_rows,
    summary_of,
    table_of,
)
from engine.types import ModelChoice, ScoreRequest
from tests.engine.tiny import load_tiny, write_checkpoint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("model"))


@pytest.fixture
def session(folder: Path) -> Iterator[EngineSession]:
    session = EngineSession(ModelChoice(name=str(folder), device="cpu", dtype="float32", threads=1))
    yield session
    session.close()


def write(path: Path, text: str) -> Path:
    (path / "set.jsonl").write_text(text, encoding="utf-8")
    return path / "set.jsonl"


def test_rows_are_read_with_their_names_and_blank_lines_are_skipped(tmp_path: Path) -> None:
    first = json.dumps({"prefix": "a", "middle": "b\n", "suffix": "", "task_id": "x/1", "more": 3})
    second = json.dumps({"prefix": "é", "middle": "\u2028", "suffix": "c"})
    rows = read_rows(write(tmp_path, f"{first}\n\n{second}\n"))
    assert rows == [Row(1, "x/1", "a", "b\n", ""), Row(3, "", "é", "\u2028", "c")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("{", "Line 1 .* is not JSON"),
        ('{"prefix": "a", "middle": "b", "suffix": "c"}\n[1]', "Line 2 .* is not a JSON object"),
        ('{"prefix": "a", "suffix": "c"}', "Line 1 .* no text in “middle”"),
        ('{"prefix": "a", "middle": 3, "suffix": "c"}', "no text in “middle”"),
        ('{"prefix": "a", "middle": "", "suffix": "c"}', "empty “middle”"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(TrainingError, match=sentence):
        read_rows(write(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be read"):
        read_rows(tmp_path / "none.jsonl")
    (tmp_path / "odd.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(TrainingError, match="not UTF-8"):
        read_rows(tmp_path / "odd.jsonl")


def test_a_row_is_filled_and_its_middle_scored_exactly(session: EngineSession, folder: Path) -> None:
    row = Row(1, "", "in the end", " the hand", " and an end\n")
    (found,) = answer_rows(session, load_tiny(folder).tokenizer, [row], alpha_0=0.0)
    again = next(answer_rows(session, load_tiny(folder).tokenizer, [row], alpha_0=0.0))
    assert found == again
    assert found.exact == (found.fill.strip() == "the hand")
    assert found.bytes == 9
    alone = score(session, ScoreRequest("in the end the hand", ends_document=False))
    start = score(session, ScoreRequest("in the end", ends_document=False))
    assert found.bits_per_byte_left_to_right == pytest.approx((19 * alone - 10 * start) / 9, abs=0.01)


def test_a_row_that_does_not_fit_counts_as_wrong_and_says_why(session: EngineSession, folder: Path) -> None:
    rows = [Row(1, "", "a", "the " * 600, "b"), Row(2, "", "in ", "the", " end")]
    found = list(answer_rows(session, load_tiny(folder).tokenizer, rows, alpha_0=1.0))
    assert "too large" in found[0].problem
    assert not found[0].exact
    assert found[1].problem == ""
    assert summary_of(found).not_carried_out == 1
    assert "too large" in table_of(found, "set").notes[-1]


def test_the_capacity_is_a_coarse_bound_on_the_length(session: EngineSession, folder: Path) -> None:
    tokenizer = load_tiny(folder).tokenizer
    from engine.training.outside import _capacity

    assert _capacity(tokenizer, "the") == LEAST_CAPACITY
    length = len(tokenizer.encode("q" * 100))
    assert _capacity(tokenizer, "q" * 100) == 2 ** math.ceil(math.log2(1.5 * length))


def test_the_summary_weighs_bits_by_bytes() -> None:
    answers = [
        Answered(1, "", "a", True, 1.0, 2.0, 30),
        Answered(2, "", "b", False, 3.0, 4.0, 10),
        Answered(3, "", "", False, None, None, 99, "It is too large."),
    ]
    total = summary_of(answers)
    assert (total.rows, total.exact, total.bits_per_byte, total.bits_per_byte_left_to_right) == (3, 0.3333, 1.5, 2.5)
    plain = json.loads(json.dumps(as_json(answers)))
    assert plain["summary"]["not_carried_out"] == 1
    assert [row["row"] for row in plain["rows"]] == [1, 2, 3]


def test_long_fills_are_shortened_in_the_table_and_line_ends_shown() -> None:
    table = table_of([Answered(1, "x", "a\nb" + "c" * 100, False, 1.0, 2.0, 3)], "set.jsonl")
    assert table.rows[0][-1].startswith("a⏎b")
    assert table.rows[0][-1].endswith("…")
    assert table.notes[0].startswith("set.jsonl: 0.0 % of 1 rows")
