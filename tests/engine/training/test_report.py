from __future__ import annotations

import json
from pathlib import Path

from engine.training.own_text import read_own
from engine.training.report import REPORT_FILE, Measure, describe_report, describe_split, write_report
from tests.engine.training.small import prose

MEASURES = [Measure("text", 0.0, 2.0, 1.5, 200, 9000), Measure("Python", 1.0, 1.0, 1.25, 200, 8000)]


def test_the_table_has_before_after_and_the_gain() -> None:
    head, text, python = describe_report(MEASURES)
    assert head.split()[-2:] == ["before", "after"]
    assert text.split()[-4:] == ["2.000", "1.500", "−25.0", "%"]
    assert python.split()[-4:] == ["1.000", "1.250", "+25.0", "%"]
    assert len(head) == text.index("1.500") + 5


def test_without_a_held_out_part_that_is_said() -> None:
    assert "nothing to compare" in describe_report([])[0]


def test_the_report_is_json_with_what_was_done(tmp_path: Path) -> None:
    write_report(tmp_path, MEASURES, {"from": "redraft-mini"})
    report = json.loads((tmp_path / REPORT_FILE).read_text(encoding="utf-8"))
    assert report["from"] == "redraft-mini"
    assert report["measures"][0] == {
        "kind": "text", "alpha_0": 0.0, "before": 2.0, "after": 1.5, "samples": 200, "hole_bytes": 9000
    }  # fmt: skip


def test_what_is_held_out_and_left_out_is_said(tmp_path: Path) -> None:
    text = "\n".join(prose(number) for number in range(30))
    (tmp_path / "novel.txt").write_text(text, encoding="utf-8")
    (tmp_path / "draft.txt").write_text(text.replace("river", "stream"), encoding="utf-8")
    (tmp_path / "scan.txt").write_bytes(b"\0\0\0")
    lines = describe_split(read_own([tmp_path]))
    assert "are held out" in lines[0]
    assert "not learned from" in lines[1]
    assert "scan.txt" in lines[2]
