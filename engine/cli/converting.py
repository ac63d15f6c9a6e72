"""`redraft models convert`: a published Eso-LM checkpoint in Redraft's form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.filling import WRONG
from engine.cli.output import say
from engine.errors import EngineError


def convert_command(
    file: Annotated[
        Path, typer.Argument(help="A .ckpt, a .safetensors with its config.json, or their folder.", show_default=False)
    ],
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="GPT-2's tokenizer.json, or the folder of its files, if the checkpoint has none."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder to make; beside FILE if not given.")] = None,
    alpha0: Annotated[
        float | None, typer.Option(help="What the model was trained with, if the checkpoint does not say.")
    ] = None,
) -> None:
    """Convert a published Eso-LM checkpoint. Nothing in it is run: one with code in it is refused."""
    from engine.models.convert import convert

    try:
        folder = convert(file, out, tokenizer=tokenizer, alpha_0=alpha0)
    except EngineError as error:
        say(str(error))
        raise typer.Exit(WRONG) from None
    print(folder)
    say(f"Converted. Use it with --model {folder}, or choose its folder in the settings.")
