"""`redraft fill` against a session that answers at once."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.cli import filling, main
from engine.types import Mode, TextSpan


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_bytes("One day.\nTwo naïve 😀 nights.\nThree weeks.\n".encode())
    return path


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def last_object(output: str) -> dict[str, Any]:
    report = json.loads(output.splitlines()[-1])
    assert isinstance(report, dict)
    return report


def test_without_write_the_new_text_is_printed_and_the_file_is_untouched(story, script, capsys):
    before = story.read_bytes()
    assert run("fill", story, "--span", "0:3") == 0
    assert capsys.readouterr().out == "new text\n"
    assert story.read_bytes() == before
    assert script.closed == 1


def test_a_span_counts_code_points_and_reaches_the_engine_as_such(story, script):
    assert run("fill", story, "--span", "13:18") == 0
    (request,) = script.requests
    assert request.text[13:18] == "naïve"
    assert request.spans == (TextSpan(13, 18),)
    assert (request.starts_document, request.ends_document) == (True, True)


def test_lines_leave_their_last_line_end_alone(story, script):
    assert run("fill", story, "--lines", "2-3", "--write") == 0
    assert story.read_bytes() == b"One day.\nnew text\n"


def test_at_continues_at_a_caret(story, script):
    assert run("fill", story, "--at", "1:4", "--write") == 0
    assert script.requests[0].mode is Mode.CONTINUE
    assert story.read_text(encoding="utf-8").startswith("Onenew text day.")


def test_several_spans_are_one_request_in_ascending_order(story, script, capsys):
    script.texts = ("A", "B")
    assert run("fill", story, "--span", "9:12", "--span", "0:3", "--json") == 0
    assert script.requests[0].spans == (TextSpan(0, 3), TextSpan(9, 12))
    report = last_object(capsys.readouterr().out)
    assert report["spans"] == [
        {"start": 0, "end": 3, "before": "One", "after": "A"},
        {"start": 9, "end": 12, "before": "Two", "after": "B"},
    ]


def test_json_stands_on_the_last_line_with_true_figures_and_all_settings(story, script, capsys):
    options = (
        "--alpha0",
        0.25,
        "--steps",
        5,
        "--temperature",
        0,
        "--top-p",
        0.5,
        "--seed",
        7,
        "--capacity",
        9,
        "--no-cache",
        "--sampler",
        "p2",
        "--schedule",
        "cosine",
        "--top-k",
        40,
        "--min-p",
        0.05,
        "--repetition-penalty",
        1.2,
        "--length",
        0.5,
        "--corrections",
        2,
        "--context",
        90,
        "--context-order",
        "prefix_first",
    )
    assert (
        run("fill", story, "--span", "0:3", *options, "--model", "m", "--device", "cpu", "--threads", 1, "--json") == 0
    )
    report = last_object(capsys.readouterr().out)
    assert {key: report[key] for key in ("nfe", "ms", "reused_tokens", "computed_tokens", "model")} == {
        "nfe": 3, "ms": 50.0, "reused_tokens": 40, "computed_tokens": 2, "model": "fake",
    }  # fmt: skip
    expected = {
        "alpha_0": 0.25, "steps": 5, "temperature": 0.0, "top_p": 0.5, "seed": 7, "capacity": 9, "cache": False,
        "mode": "fill", "device": "cpu", "threads": 1, "sampler": "p2", "schedule": "cosine", "top_k": 40,
        "min_p": 0.05, "repetition_penalty": 1.2, "context_tokens": 90, "context_order": "prefix_first",
    }  # fmt: skip
    assert {key: report["settings"][key] for key in expected} == expected
    assert script.requests[0].alpha_0 == 0.25
    assert (script.requests[0].length_factor, script.requests[0].correction_passes) == (0.5, 2)
    assert (script.requests[0].context_tokens, script.requests[0].context_order) == (90, "prefix_first")
    assert script.requests[0].use_cache is False
    assert (script.choices[0].name, script.choices[0].device, script.choices[0].threads) == ("m", "cpu", 1)


def test_each_step_is_a_plain_line_when_the_output_is_no_terminal(story, script, capsys):
    run("fill", story, "--span", "0:3")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:3] == ["loading fake", "step 1/2  ░word", "step 2/2  a⏎word"]
    assert "3 forward passes" in lines[-1]


def test_the_diff_can_be_applied_and_leaves_the_file_alone(story, script, capsys, tmp_path, monkeypatch):
    before = story.read_bytes()
    monkeypatch.chdir(tmp_path)
    assert run("fill", story.name, "--span", "0:3", "--diff") == 0
    diff = capsys.readouterr().out
    assert "-One day.\n+new text day.\n" in diff
    assert story.read_bytes() == before
    if shutil.which("git"):
        subprocess.run(["git", "apply", "-"], input=diff.encode(), check=True, cwd=tmp_path)
        assert story.read_text(encoding="utf-8").startswith("new text day.\nTwo naïve")


def test_the_diff_says_when_the_last_line_has_no_end(tmp_path, script, capsys):
    path = tmp_path / "a.txt"
    path.write_text("end", encoding="utf-8")
    run("fill", path, "--span", "0:3", "--diff")
    assert capsys.readouterr().out.count("\\ No newline at end of file") == 2


def test_new_lines_take_the_files_line_end_and_other_bytes_stay(tmp_path, script):
    path = tmp_path / "dos.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\nthree\r\n\tfour  ")
    script.texts = ("x\ny",)
    assert run("fill", path, "--span", "5:8", "--write") == 0
    assert path.read_bytes() == b"\xef\xbb\xbfone\r\nx\r\ny\nthree\r\n\tfour  "


def test_variations_are_printed_with_their_seeds(story, script, capsys):
    assert run("fill", story, "--span", "0:3", "--variations", 2, "--seed", 4) == 0
    assert capsys.readouterr().out == "[seed 4]\nnew text\n[seed 5]\nnew text\n"


def test_variations_that_were_judged_are_printed_the_likeliest_first(story, script, capsys):
    script.likelihoods = {4: (-3.0, 2), 5: (-0.5, 2), 6: (-1.0, 2)}
    assert run("fill", story, "--span", "0:3", "--variations", 3, "--seed", 4) == 0
    headings = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[")]
    assert headings == ["[seed 5, 78 % a token]", "[seed 6, 61 % a token]", "[seed 4, 22 % a token]"]


def test_a_result_without_text_is_not_written_while_there_is_another(story, script, capsys):
    script.likelihoods = {4: (-0.1, 1), 5: (-3.0, 2)}
    script.texts_of = {4: ("",)}
    assert run("fill", story, "--span", "0:3", "--variations", 2, "--seed", 4, "--write") == 0
    assert story.read_text(encoding="utf-8").startswith("new text day.")


def test_of_several_results_the_likeliest_is_written_and_named(story, script, capsys):
    script.likelihoods = {4: (-3.0, 2), 5: (-0.5, 2), 6: (-1.0, 2)}
    script.texts_of = {5: ("best text",)}
    options = ("--span", "0:3", "--variations", 3, "--seed", 4)
    assert run("fill", story, *options, "--diff", "--json", "--write") == 0
    assert story.read_text(encoding="utf-8").startswith("best text day.")
    out, err = capsys.readouterr()
    assert err.splitlines()[-1].endswith(f" · seed 5, 78 % a token, written to {story}")
    assert out.count("+new text") + out.count("+best text") == 1, "the diff is of what was written"
    report = last_object(out)
    assert report["spans"][0]["after"] == "best text"
    assert [one["seed"] for one in report["variations"]] == [5, 6, 4]


def test_another_result_is_written_when_its_seed_is_picked(story, script, capsys):
    script.likelihoods = {4: (-3.0, 2), 5: (-0.5, 2), 6: (-1.0, 2)}
    script.texts_of = {6: ("picked text",)}
    options = ("--span", "0:3", "--variations", 3, "--seed", 4)
    assert run("fill", story, *options, "--json", "--write", "--pick", 6) == 0
    assert story.read_text(encoding="utf-8").startswith("picked text day.")
    out, err = capsys.readouterr()
    assert " · seed 6, 61 % a token, written to" in err
    assert [one["seed"] for one in last_object(out)["variations"]] == [6, 5, 4]


def test_a_long_document_is_sent_as_a_window(tmp_path, script):
    path = tmp_path / "long.txt"
    path.write_text("a" * 200_000 + "HERE" + "b" * 200_000, encoding="utf-8")
    assert run("fill", path, "--span", "200000:200004", "--write") == 0
    (request,) = script.requests
    assert len(request.text) == 2 * filling.WINDOW + 4
    assert request.text[request.spans[0].start : request.spans[0].end] == "HERE"
    assert (request.starts_document, request.ends_document) == (False, False)
    assert path.read_text(encoding="utf-8") == "a" * 200_000 + "new text" + "b" * 200_000


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "Say where to write"),
        (("--span", "0:3", "--lines", "1-1"), "Say where to write"),
        (("--span", "3:3"), "The span 3:3 is empty or outside the text"),
        (
            ("--span", "0:3", "--variations", "2", "--seed", "4", "--pick", "6"),
            "--pick takes the seed of a result, from 4 to 5",
        ),
        (("--span", "0:999"), "outside the text of 42 characters"),
        (("--span", "a:b"), "--span takes START:END, two whole numbers, not “a:b”"),
        (("--lines", "0-1"), "There are no lines 0-1: the file has lines 1-4."),
        (("--lines", "3-2"), "There are no lines 3-2"),
        (("--at", "9:1"), "There is no line 9"),
        (("--at", "1:10"), "There is no column 10 in line 1: it has columns 1-9."),
    ],
)
def test_a_wrong_place_is_one_sentence_and_status_2(story, script, capsys, options, sentence):
    assert run("fill", story, *options) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert script.requests == []


def test_a_missing_file_is_one_sentence(tmp_path, script, capsys):
    assert run("fill", tmp_path / "none.txt", "--span", "0:3") == 2
    assert "cannot be read: No such file or directory." in capsys.readouterr().err


def test_a_binary_file_is_refused(tmp_path, script, capsys):
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\0\0\1")
    assert run("fill", path, "--span", "0:3", "--write") == 2
    assert "is a binary file" in capsys.readouterr().err


def test_an_unknown_option_is_status_2(story, script):
    assert run("fill", story, "--span", "0:3", "--colour", "red") == 2


def test_a_failure_of_the_engine_is_its_sentence(story, script, capsys):
    script.failure = "There is no model “x”."
    assert run("fill", story, "--span", "0:3", "--write") == 2
    assert capsys.readouterr().err.splitlines()[-1] == "There is no model “x”."
    assert script.closed == 1


def test_ctrl_c_stops_the_run_and_changes_nothing(story, script, capsys, monkeypatch):
    script.interrupts = True

    def press_ctrl_c(self: object, frame: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.cli.terminal.PlainDisplay.frame", press_ctrl_c)
    before = story.read_bytes()
    assert run("fill", story, "--span", "0:3", "--write") == 130
    assert capsys.readouterr().err.splitlines()[-1] == f"Stopped; {story} was not changed."
    assert story.read_bytes() == before
    assert script.closed == 1


def test_characters_that_the_output_lacks_are_printed_as_escapes(story, script, monkeypatch):
    script.texts = ("“naïve” 👍",)
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", out)
    assert run("fill", story, "--span", "0:3") == 0
    out.flush()
    assert out.buffer.getvalue().decode("ascii").strip() == r"\u201cna\xefve\u201d \U0001f44d"


def test_help_names_the_editor_and_the_commands(capsys):
    assert main(["--help"]) == 0
    answer = capsys.readouterr().out
    assert "redraft [FILE[:LINE[:COL]]...]" in answer
    assert all(command in answer for command in ("fill", "models", "train", "bench"))


def test_the_version_is_the_distributions(capsys):
    assert main(["--version"]) == 0
    assert re.fullmatch(r"redraft \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_importing_the_command_line_imports_neither_torch_nor_qt():
    code = "import sys, engine.cli; print([m for m in ('torch', 'PySide6') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
