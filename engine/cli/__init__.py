"""The commands of `redraft` that work in the terminal. No Qt; torch comes in only when needed."""

from __future__ import annotations

import io
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from engine.cli.benchmarking import bench
from engine.cli.converting import convert_command
from engine.cli.doubting import doubt
from engine.cli.evaluating import evaluate
from engine.cli.filling import fill
from engine.cli.listing import models
from engine.cli.scoring import score
from engine.training.command import train

COMMANDS = ("fill", "score", "doubt", "models", "train", "eval", "bench")
"""Words that, given first, call this package and not the editor."""

_HELP = """An editor in which selected text is written anew by masked diffusion.

`redraft [FILE[:LINE[:COL]]...]` opens the editor; the commands below work in the terminal, without a window.
"""

_app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, help=_HELP)
_app.command()(fill)
_app.command()(score)
_app.command()(doubt)
_models = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
_models.callback()(models)
_models.command("convert")(convert_command)
_app.add_typer(_models, name="models")
_app.command()(train)
_app.command("eval")(evaluate)
_app.command()(bench)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"redraft {version('redraft')}")
        raise typer.Exit


@_app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version.")
    ] = False,
) -> None: ...


def main(argv: list[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0, 2 when something is wrong, 130 when interrupted.

    Characters that the output's encoding lacks are printed as escapes.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        typer.main.get_command(_app).main(args=argv, prog_name="redraft")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
