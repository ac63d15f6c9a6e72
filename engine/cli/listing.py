"""`redraft models`: which models there are; `redraft models convert` makes one of a published checkpoint."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from engine.cli.output import say
from engine.errors import EngineError

VARIANTS = {"causal": "B", "mixed2": "A"}
"""The paper's letters for what a model's clean tokens see (`engine.config.Attention`)."""


def models(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """List the models that come with Redraft and your own, or convert a published one."""
    if context.invoked_subcommand is None:
        _list(as_json=as_json)


def _list(*, as_json: bool) -> None:
    from engine.config import read_config
    from engine.models.registry import find, known_models

    rows = []
    for name in known_models():
        try:
            config = read_config(find(name))
        except EngineError as error:
            say(str(error))
            continue
        rows.append(
            {
                "name": name,
                "family": config.family,
                "attention": config.attention.value,
                "context_length": config.context_length,
                "trained_alpha_0": list(config.trained_alpha_0),
                "folder": str(config.folder),
            }
        )
    if as_json:
        print(json.dumps({"models": rows}))
        return
    for row in rows:
        kind = f"{row['family']} ({VARIANTS[str(row['attention'])]})"
        print(f"{row['name']}\t{kind}, {row['context_length']} tokens of context\t{row['folder']}")
    if not rows:
        say("No model is installed; give the folder of one with --model.")
