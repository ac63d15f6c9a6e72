"""The command line: `redraft fill | models | train | bench`. Knows no Qt; torch comes in with the engine's thread only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine import textfile
from engine.errors import EngineError
from engine.textfile import TextFileError
from engine.types import (
    ContextOrder,
    InfillRequest,
    Mode,
    ModelChoice,
    TextSpan,
)

COMMANDS = ("fill", "models", "train", "bench")
"""Words that, given first, call this module and not the editor."""

WRONG = 2
INTERRUPTED = 130
WINDOW = 1 << 16
"""Code points of a long document that are sent along on each side of the spans: more than any model's context."""

_app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, help="Redraft without a window.")
_DEFAULT = InfillRequest(text="", spans=())
_CHOICE = ModelChoice()


def main(argv: list[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0, 2 when something is wrong, 130 when interrupted."""
    try:
        typer.main.get_command(_app).main(args=argv, prog_name="redraft")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@_app.command()
def fill(
    file: Annotated[Path, typer.Argument(help="The text file.", show_default=False)],
    span: Annotated[list[str] | None, typer.Option(metavar="START:END", help="Code points to write anew.")] = None,
    lines: Annotated[str | None, typer.Option(metavar="A-B", help="Lines to write anew, from 1.")] = None,
    at: Annotated[str | None, typer.Option(metavar="LINE:COL", help="Where to insert text, from 1.")] = None,
    mode: Annotated[Mode | None, typer.Option(help="Default: fill; continue with --at.")] = None,
    alpha0: Annotated[float, typer.Option(help="Share written by diffusion, 0 to 1.")] = _DEFAULT.alpha_0,
    steps: Annotated[int, typer.Option(help="Most denoising steps of the diffusion phase.")] = _DEFAULT.steps,
    strength: Annotated[float, typer.Option(help="Share of the words that refine masks.")] = _DEFAULT.strength,
    capacity: Annotated[int | None, typer.Option(help="Positions a hole has.  [default: automatic]")] = None,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest token.")] = _DEFAULT.temperature,
    top_p: Annotated[float, typer.Option(help="Nucleus, above 0 to 1.")] = _DEFAULT.top_p,
    seed: Annotated[int, typer.Option(help="Same seed, same result.")] = _DEFAULT.seed,
    sampler: Annotated[str, typer.Option(help="Which positions are accepted.")] = _DEFAULT.sampler,
    variations: Annotated[int, typer.Option(help="How many results, with seeds counting up.")] = 1,
    context_order: Annotated[ContextOrder, typer.Option(help="Order of the context.")] = _DEFAULT.context_order,
    model: Annotated[str, typer.Option(help="A model's name or folder.")] = _CHOICE.name,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = _CHOICE.device,
    dtype: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = _CHOICE.dtype,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 chooses.")] = _CHOICE.threads,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Compute every step from nothing.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Change the file.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print a unified diff.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """Writes parts of a file anew and shows the draft while it sharpens; changes the file only with --write."""
    try:
        if write and variations != 1:
            raise TextFileError("--write takes one variation; choose one by its --seed.")
        source = textfile.read(file)
        spans = _spans(source.text, span or [], lines, at)
        start, end = max(0, spans[0].start - WINDOW), min(len(source.text), spans[-1].end + WINDOW)
        request = InfillRequest(
            text=source.text[start:end],
            spans=tuple(TextSpan(each.start - start, each.end - start) for each in spans),
            mode=mode or (Mode.CONTINUE if at is not None else Mode.FILL),
            steps=steps,
            alpha_0=alpha0,
            strength=strength,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            capacity=capacity,
            variations=variations,
            sampler=sampler,
            context_order=context_order,
            use_cache=not no_cache,
            starts_document=start == 0,
            ends_document=end == len(source.text),
        )
        finished = _infill(request, ModelChoice(model, device, dtype, threads))
        _hand_over(source, spans, finished, {Output.WRITE: write, Output.DIFF: diff, Output.JSON: as_json})
    except EngineError as error:
        _say(str(error))
        raise typer.Exit(WRONG) from error
