"""How a run looks while it goes on: a rich bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from engine.training.account import Listener, Report

_LINE_EVERY_S = 30.0


@contextmanager
def show(stream: TextIO) -> Iterator[Listener]:
    """Yields what a run tells its news to."""
    if stream.isatty():
        with _bar(stream) as tell:
            yield tell
    else:
        yield _lines(stream)


def describe(report: Report) -> str:
    """One line: step, losses, speed, time left."""
    step = report.step
    left = "" if report.seconds_left is None else f", {_clock(report.seconds_left)} left"
    return (
        f"step {report.progress.step:,}: loss {step.loss:.3f} (context {step.context_loss:.3f}), "
        f"{report.tokens_per_second:,.0f} tokens/s, {100 * report.peak_share:.0f} % of the peak{left}"
    )


def _lines(stream: TextIO) -> Listener:
    last = -_LINE_EVERY_S

    def tell(news: Report | str) -> None:
        nonlocal last
        with suppress(OSError, ValueError):  # whoever read the lines is gone: no reason to stop training
            if isinstance(news, str):
                stream.write(news + "\n")
            elif time.monotonic() - last >= _LINE_EVERY_S:
                last = time.monotonic()
                stream.write(f"{100 * min(1.0, news.share):5.1f} % {describe(news)}\n")
            stream.flush()

    return tell


@contextmanager
def _bar(stream: TextIO) -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    share = TextColumn("{task.percentage:5.1f} %", table_column=Column(min_width=7, no_wrap=True))
    columns = (BarColumn(16), share, TextColumn("{task.description}"))
    with Progress(*columns, console=Console(file=stream)) as progress:
        task = progress.add_task("", total=1.0)

        def tell(news: Report | str) -> None:
            if isinstance(news, str):
                progress.console.print(news)
            else:
                progress.update(task, completed=min(1.0, news.share), description=describe(news))

        yield tell


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
