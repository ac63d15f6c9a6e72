"""Several processes as one run: torchrun's own start once, and two processes that find each other directly."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.training.account import Report
from engine.training.checkpoint import read_model
from engine.training.peers import Alone, add_up_gradients
from engine.training.run import Call, train
from tests.engine.training.small import tiny_config, write_corpus

ROOT = Path(__file__).parents[3]
STEPS = 6
MEMBER = """
import os, sys
from pathlib import Path
from engine.errors import TrainingError
from engine.training.command import _stop_signals
from engine.training.peers import joined
from engine.training.run import Call, train
from tests.engine.training.small import tiny_config

data, out, act = sys.argv[1:]
seen = []
try:
    with joined() as peers, _stop_signals(once=False) as wanted:
        def stopped():
            seen.append(None)
            if peers.rank == 1 and len(seen) == 3:
                exec(act)
            return wanted()
        train(tiny_config(Path(data), steps=400), Path(out), lambda news: None, Call(stopped=stopped, peers=peers))
except TrainingError as error:
    sys.exit(str(error))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


def surroundings(**more: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | more


def two_processes(data: Path, out: Path, act: str) -> list[tuple[int, str]]:
    """Starts two processes, the second of which does `act` in its third step; their statuses and errors."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    started = [
        subprocess.Popen(
            [sys.executable, "-c", MEMBER, str(data), str(out), act],
            cwd=ROOT,
            env=surroundings(RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=port),
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    errors = [process.communicate(timeout=600)[1] for process in started]
    return [(process.returncode, error) for process, error in zip(started, errors, strict=True)]


def losses(out: Path) -> list[float]:
    lines = (out / "train.jsonl").read_text(encoding="utf-8").splitlines()
    return [entry["loss"] for entry in map(json.loads, lines) if "loss" in entry]


def test_two_processes_under_torchrun_learn_as_one_does(data: Path, tmp_path: Path) -> None:
    config = tmp_path / "run.toml"
    config.write_text(
        f'preset = "tiny"\ndata = "{data.as_posix()}"\nsteps = {STEPS}\nlog_steps = 1\naccumulate = 2\n',
        encoding="utf-8",
    )
    code = "import sys; from engine.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "--no-python",
        sys.executable,
        "-c",
    ]
    done = subprocess.run(
        [sys.executable, *command, code, "train", str(config), "--out", str(tmp_path / "two")],
        cwd=ROOT,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("The model is in") == 1
    one = tmp_path / "one"
    heard: list[Report | str] = []
    train(tiny_config(data, steps=STEPS, log_steps=1, accumulate=4), one, heard.append, Call())
    assert len(losses(one)) == STEPS
    assert losses(tmp_path / "two") == pytest.approx(losses(one), rel=2e-3)
    assert read_model(tmp_path / "two")[1].training["processes"] == 2


def test_a_stop_signal_to_one_process_ends_all_with_a_checkpoint(data: Path, tmp_path: Path) -> None:
    ended = two_processes(data, tmp_path, "import signal; os.kill(os.getpid(), signal.SIGTERM)")
    assert [status for status, _ in ended] == [0, 0], ended
    state = json.loads((tmp_path / "state" / "state.json").read_text(encoding="utf-8"))
    assert state["progress"]["step"] == 3


def test_when_one_process_dies_the_other_ends_with_a_sentence(data: Path, tmp_path: Path) -> None:
    (status, error), (other, _) = two_processes(data, tmp_path, "os._exit(7)")
    assert other == 7
    assert status == 1
    assert any(line.startswith("Another process of this run has ended") for line in error.splitlines())
    assert "Traceback" not in error


def test_one_process_needs_nobody() -> None:
    alone, parameter = Alone(), torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.tensor([1.0, 2.0])
    add_up_gradients(alone, [parameter])
    alone.wait()
    assert (alone.first(0.5), alone.any(True), parameter.grad.tolist()) == (0.5, True, [1.0, 2.0])
