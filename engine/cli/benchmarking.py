"""`redraft bench`: how fast a model is here."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from engine import bench as benchmark
from engine.cli.output import say
from engine.device import prepare_process
from engine.errors import EngineError
from engine.types import ModelChoice

_CHOICE = ModelChoice()
_SHAPE = benchmark.Shape()


def bench(
    model: Annotated[str, typer.Option(help="A model's name or folder.")] = _CHOICE.name,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = _CHOICE.device,
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or int8.")] = _CHOICE.dtype,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 chooses.")] = _CHOICE.threads,
    before: Annotated[int, typer.Option(min=1, help="Tokens before the hole.")] = _SHAPE.before,
    after: Annotated[int, typer.Option(min=1, help="Tokens after the hole.")] = _SHAPE.after,
    capacity: Annotated[int, typer.Option(min=1, help="Positions of the hole.")] = _SHAPE.capacity,
    steps: Annotated[int, typer.Option(min=1, help="Denoising steps.")] = _SHAPE.steps,
    alpha0: Annotated[float, typer.Option(help="Share written by diffusion.")] = _SHAPE.alpha_0,
    repeats: Annotated[int, typer.Option(min=1, help="Runs of each kind; medians are shown.")] = 5,
    grid: Annotated[bool, typer.Option("--grid", help="Random weights, many shapes, against the floor.")] = False,
    published: Annotated[
        bool, typer.Option("--published", help="Random weights of the published 170 M model, a text from nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """Measure latency and speed with a cold cache, a warm one and none, side by side."""
    shape = benchmark.Shape(before, after, capacity, steps, alpha0)
    try:
        choice = ModelChoice(model, device, dtype, threads)
        if grid:
            _grid(choice, repeats, as_json=as_json)
            return
        figures = _published(choice) if published else benchmark.measure(choice, shape, repeats)
    except EngineError as error:
        say(str(error))
        raise typer.Exit(2) from error
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:20} {value}")


def _published(choice: ModelChoice) -> dict[str, object]:
    prepare_process()
    from engine.bench_published import measure_published

    return measure_published(choice, benchmark.tokenizer_of(choice.name))


def _grid(choice: ModelChoice, repeats: int, *, as_json: bool) -> None:
    prepare_process()
    from engine import bench_grid

    tables = bench_grid.measure_grid(
        bench_grid.NetworkSize(), choice, benchmark.tokenizer_of(choice.name), bench_grid.Plan(repeats=repeats)
    )
    if as_json:
        print(json.dumps(tables))
        return
    for name, value in tables.items():
        rows = value if isinstance(value, list) else [value] if isinstance(value, dict) else None
        print(f"\n{name}\n\n{bench_grid.table(rows)}" if rows else f"{name}: {value}")
