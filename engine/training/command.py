"""`redraft train`: reads the wishes, shows a progress bar, stops cleanly on a signal. torch comes in late."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import EngineError, TrainingError
from engine.training.config import TrainConfig, preset, read_config, replaced

if TYPE_CHECKING:
    from engine.training.checkpoint import Progress
    from engine.training.run import Listener

_GOING_ON_RATE = 0.2
"""A trained model goes on with this share of the preset's learning rates."""
_GOING_ON = {"samples": 20_000, "minutes": 20.0}
"""What a trained model goes on with where neither a config nor a preset was named."""


def train(
    source: Annotated[
        Path | None, typer.Argument(help="A training config (.toml), or text to train on: a folder, file or .tar.xz.")
    ] = None,
    preset_name: Annotated[
        str | None, typer.Option("--preset", help="Start from tiny, cpu or mini instead of a config.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Text to train on: a folder, file or .tar.xz.")] = None,
    out: Annotated[Path, typer.Option(help="Where the model and its training state go.")] = Path("redraft-model"),
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Stop after so many minutes.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Stop after so many optimizer steps.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on exactly where the run in --out stopped.")] = False,
    origin: Annotated[
        str | None, typer.Option("--from", help="Continue training this model: a bundled one's name, or a folder.")
    ] = None,
    python: Annotated[
        bool | None, typer.Option("--python/--no-python", help="Whether to add the Python source installed here.")
    ] = None,
) -> None:
    """Train a model on your own text, or go on training one."""
    try:
        changes: dict[str, Any] = {"data": data, "minutes": minutes, "steps": steps, "python": python}
        config, folder = _wishes(source, preset_name, {k: v for k, v in changes.items() if v is not None}, origin)
        progress = _run(config, out, resume=resume, origin=folder)
    except EngineError as error:
        print(f"redraft train: {error}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(2) from error
    summary = f"{progress.step:,} steps, {progress.targets:,} predicted tokens, {progress.seconds / 60:.1f} minutes"
    print(f"The model is in {out} ({summary}).")  # noqa: T201


def _wishes(
    source: Path | None, preset_name: str | None, changes: dict[str, Any], origin: str | None
) -> tuple[TrainConfig, Path | None]:
    """The config of the run, and the folder of the model to go on from."""
    given = set(changes)
    if source is not None and source.suffix == ".toml":
        if preset_name is not None:
            raise TrainingError("Give a config or --preset, not both.")
        config = read_config(source)
    else:
        config = preset(preset_name or "cpu")
        if source is not None:
            changes = {"data": source, "python": False} | changes
        if origin is not None and preset_name is None:
            changes = _GOING_ON | changes
    if changes.get("steps") is not None and "minutes" not in given:
        changes["minutes"] = None
    config = replaced(config, changes)
    if origin is None:
        return config, None
    from engine.config import read_config as read_model_config
    from engine.models.registry import find

    folder = find(origin)
    model = read_model_config(folder)
    same = {
        key: getattr(model, key)
        for key in ("name", "vocab_size", "hidden_size", "layers", "heads", "mlp_ratio", "context_length")
    }
    rates = {"matrix_rate": config.matrix_rate * _GOING_ON_RATE, "rate": config.rate * _GOING_ON_RATE}
    return replaced(config, same | rates), folder


def _run(config: TrainConfig, out: Path, *, resume: bool, origin: Path | None) -> Progress:
    from engine.training.process import keep_memory
    from engine.training.run import train as run_training

    keep_memory()
    with _stop_signals() as stopped, _listener() as tell:
        return run_training(config, out, tell, resume=resume, source=origin, stopped=stopped)


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """SIGINT and SIGTERM set a flag that the loop looks at between steps; a second SIGINT interrupts at once."""
    seen: list[int] = []

    def note(number: int, _frame: object) -> None:
        seen.append(number)
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _listener() -> Iterator[Listener]:
    """A progress bar on a terminal, a line now and then elsewhere."""
    from engine.training.progress import show

    with show(sys.stderr) as tell:
        yield tell
