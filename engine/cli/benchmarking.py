"""`redraft bench`: how fast a model is here."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from engine import bench as benchmark
from engine.cli.output import say
from engine.errors import EngineError
from engine.types import ModelChoice

_CHOICE = ModelChoice()
_SHAPE = benchmark.Shape()


def bench(
    model: Annotated[str, typer.Option(help="A model's name or folder.")] = _CHOICE.name,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = _CHOICE.device,
    dtype: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = _CHOICE.dtype,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 chooses.")] = _CHOICE.threads,
    before: Annotated[int, typer.Option(min=1, help="Tokens before the hole.")] = _SHAPE.before,
    after: Annotated[int, typer.Option(min=1, help="Tokens after the hole.")] = _SHAPE.after,
    capacity: Annotated[int, typer.Option(min=1, help="Positions of the hole.")] = _SHAPE.capacity,
    steps: Annotated[int, typer.Option(min=1, help="Denoising steps.")] = _SHAPE.steps,
    alpha0: Annotated[float, typer.Option(help="Share written by diffusion.")] = _SHAPE.alpha_0,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each kind; medians are shown.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """Measure latency and speed with a cold cache, a warm one and none, side by side."""
    shape = benchmark.Shape(before, after, capacity, steps, alpha0)
    try:
        figures = benchmark.measure(ModelChoice(model, device, dtype, threads), shape, repeats)
    except EngineError as error:
        say(str(error))
        raise typer.Exit(2) from error
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:20} {value}")
