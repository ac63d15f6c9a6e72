"""`redraft doubt`: which words of a text are unlikely where they stand, and what is likelier there."""

from __future__ import annotations

import dataclasses
import json
import math
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from engine.cli import textfile
from engine.cli.filling import WRONG, Places
from engine.cli.output import say
from engine.errors import EngineError
from engine.session import EngineSession, answer_of
from engine.types import Doubted, DoubtRequest, ModelChoice, WordDoubt

_CHOICE = ModelChoice()
_REQUEST = DoubtRequest("")


def doubt(
    file: Annotated[Path, typer.Argument(help="The text file.", show_default=False)],
    span: Annotated[str | None, typer.Option(metavar="START:END", help="Code points to judge, given the rest.")] = None,
    words: Annotated[int, typer.Option(min=1, help="How many words to print, the most doubtful first.")] = 10,
    candidates: Annotated[int, typer.Option(min=0, help="Likelier words to print for each.")] = 5,
    model: Annotated[str, typer.Option(help="A model's name or folder.")] = _CHOICE.name,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = _CHOICE.device,
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or int8.")] = _CHOICE.dtype,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 chooses.")] = _CHOICE.threads,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """Print the words of a file that are least expected, each given everything around it, and what is likelier."""
    try:
        text = textfile.read(file).text
        chosen = None if span is None else Places([span], None, None).resolve(text)[0]
        request = DoubtRequest(text, chosen, most_candidates=candidates)
        answer = _ask(request, ModelChoice(model, device, dtype, threads))
    except EngineError as error:
        say(str(error))
        raise typer.Exit(WRONG) from None
    if as_json:
        found = [dataclasses.asdict(word) for word in answer.words]
        print(json.dumps({"words": found, "model": answer.model.name}))
        return
    limit = math.log(request.threshold)
    doubtful = [word for word in answer.words if word.doubt >= request.least_doubt and word.log_likelihood < limit]
    for word in sorted(doubtful, key=lambda word: -word.doubt)[:words]:
        print(_line(text, word))


def _line(text: str, word: WordDoubt) -> str:
    line = text.count("\n", 0, word.start) + 1
    column = word.start - text.rfind("\n", 0, word.start)
    likelier = ", ".join(f"{one.text} {_percent(one.log_likelihood)}" for one in word.candidates)
    return f"{line}:{column}\t{text[word.start : word.end]} {_percent(word.log_likelihood)}\t{likelier}".rstrip()


def _percent(log_likelihood: float) -> str:
    return f"{100 * math.exp(log_likelihood):.2g} %"


def _ask(request: DoubtRequest, choice: ModelChoice) -> Doubted:
    session = EngineSession(choice)
    try:
        return answer_of(Doubted, partial(session.doubt, request))
    finally:
        session.close()
