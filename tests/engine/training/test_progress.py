from __future__ import annotations

import io

from engine.training.account import Report
from engine.training.checkpoint import Progress
from engine.training.loop import StepReport
from engine.training.progress import describe, show


def report(share: float = 0.25, left: float | None = 3700.0) -> Report:
    step = StepReport(loss=4.5, context_loss=5.25, gradient_norm=1.0, rate=1.0, rows=10, targets=5)
    return Report(step, Progress(step=1200), share, 4321.0, 0.314, left)


def test_a_line_says_step_losses_speed_and_time_left() -> None:
    assert (
        describe(report()) == "step 1,200: loss 4.500 (context 5.250), 4,321 tokens/s, 31 % of the peak, 1:01:40 left"
    )
    assert describe(report(left=None)).endswith("of the peak")
    assert describe(report(left=59.6)).endswith("1:00 left")


def test_without_a_terminal_there_are_plain_lines_and_few_of_them() -> None:
    stream = io.StringIO()
    with show(stream) as tell:
        tell("Reading the corpus")
        tell(report())
        tell(report(0.5))
    assert stream.getvalue().splitlines() == ["Reading the corpus", " 25.0 % " + describe(report())]


class Broken(io.StringIO):
    def write(self, text: str, /) -> int:
        raise BrokenPipeError(32, "Broken pipe")


def test_a_reader_that_is_gone_does_not_end_a_run() -> None:
    with show(Broken()) as tell:
        tell("Reading the corpus")
        tell(report())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_there_is_a_bar() -> None:
    stream = Terminal()
    with show(stream) as tell:
        tell("Reading the corpus")
        tell(report(1.5))
    assert "Reading the corpus" in stream.getvalue()
    assert "100.0 %" in stream.getvalue()
