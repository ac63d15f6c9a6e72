"""The command as a person runs it: a process of its own, the real engine, a tiny model."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.tiny import write_checkpoint

TEXT = "\ufeffThe cat sat.\r\nThe naïve 😀 dog ran.\nEnd"
SPAN = (TEXT.index("naïve") - 1, TEXT.index(" ran") - 1)
"""Code points, the byte order mark not counted."""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_bytes(TEXT.encode())
    return path


def command(tiny: Path, story: Path, *options: str) -> list[str]:
    place = ("--span", f"{SPAN[0]}:{SPAN[1]}", "--capacity", "12", "--model", str(tiny), "--device", "cpu")
    return [sys.executable, "-m", "app.main", "fill", str(story), *place, *options]


def run(tiny: Path, story: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(tiny, story, *options), capture_output=True, timeout=120)


def report(answer: subprocess.CompletedProcess[bytes]) -> dict[str, Any]:
    assert answer.returncode == 0, answer.stderr.decode()
    last = json.loads(answer.stdout.splitlines()[-1])
    assert isinstance(last, dict)
    return last


def test_a_written_file_keeps_every_byte_outside_the_span(tiny, story):
    before = story.read_bytes()
    written = report(run(tiny, story, "--write", "--json"))["spans"][0]
    assert written["before"] == "naïve 😀 dog"
    low, high = before.index("naïve".encode()), before.index(b" ran")
    assert story.read_bytes() == before[:low] + written["after"].encode() + before[high:]


def test_the_same_seed_gives_the_same_text_in_another_process(tiny, story):
    first, second = (report(run(tiny, story, "--seed", "5", "--variations", "2", "--json")) for _ in range(2))
    assert first["variations"] == second["variations"]
    assert first["nfe"] == second["nfe"] > 0


@pytest.fixture
def heard_interrupts() -> Iterator[None]:
    """A suite in the background ignores Ctrl-C, and so would the processes it starts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.usefixtures("heard_interrupts")
def test_ctrl_c_stops_the_run_cleanly(tiny, story):
    before = story.read_bytes()
    slow = ("--capacity", "120", "--alpha0", "0", "--no-cache", "--variations", "16")
    with subprocess.Popen(command(tiny, story, *slow), stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stderr is not None
        while b"step" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert rest.decode().splitlines()[-1] == f"Stopped; {story} was not changed."
    assert b"Traceback" not in rest
    assert story.read_bytes() == before


def test_a_missing_model_is_one_sentence_and_status_2(tiny, story):
    answer = run(tiny / "nowhere", story)
    assert answer.returncode == 2
    assert b"There is no model" in answer.stderr.splitlines()[-1]
    assert b"Traceback" not in answer.stderr
