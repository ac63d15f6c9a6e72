"""`redraft score`: how likely a text is to the model, and which of its words are not."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from engine.cli import textfile
from engine.cli.filling import WRONG, Places
from engine.cli.output import say
from engine.errors import EngineError
from engine.session import EngineSession, answer_of
from engine.types import ModelChoice, Scored, ScoreRequest, TokenScore

_CHOICE = ModelChoice()
_WORD = re.compile(r"\w+|[^\w\s]+")


def score(
    file: Annotated[Path, typer.Argument(help="The text file.", show_default=False)],
    span: Annotated[str | None, typer.Option(metavar="START:END", help="Code points to score, given the rest.")] = None,
    orders: Annotated[int, typer.Option(min=0, help="Bound the span's likelihood over so many random orders too.")] = 0,
    words: Annotated[int, typer.Option(min=0, help="How many of the least likely words to print.")] = 10,
    model: Annotated[str, typer.Option(help="A model's name or folder.")] = _CHOICE.name,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = _CHOICE.device,
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or int8.")] = _CHOICE.dtype,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 chooses.")] = _CHOICE.threads,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """Print the exact bits per byte of a file, or of a span given what stands around it, and the least likely words."""
    try:
        source = textfile.read(file)
        chosen = None if span is None else Places([span], None, None).resolve(source.text)[0]
        scored = _score(ScoreRequest(source.text, chosen, orders=orders), ModelChoice(model, device, dtype, threads))
    except EngineError as error:
        say(str(error))
        raise typer.Exit(WRONG) from None
    if as_json:
        print(json.dumps(_as_json(scored)))
        return
    print(f"{scored.bits_per_byte:.3f} bits per byte ({len(scored.tokens)} tokens, {scored.model.name})")
    if scored.bounds is not None:
        weighted, nelbo = scored.bounds.importance_weighted, f"{scored.bounds.nelbo:.3f} by the NELBO"
        print(nelbo if weighted is None else f"{weighted:.3f} over {orders} random orders at most, {nelbo}")
    for start, value in least_likely_words(source.text, scored.tokens)[:words]:
        line = source.text.count("\n", 0, start) + 1
        column = start - source.text.rfind("\n", 0, start)
        word = _WORD.match(source.text, start)
        print(f"{line}:{column}\t{value / math.log(2):6.1f} bits\t{word[0] if word else ''}")


def least_likely_words(text: str, tokens: Sequence[TokenScore]) -> list[tuple[int, float]]:
    """(start, surprise in nats) of each word: the sum over the tokens that touch it, greatest first."""
    found = []
    index = 0
    first, last = (tokens[0].start, tokens[-1].end) if tokens else (0, 0)
    for match in _WORD.finditer(text, first, last):
        while index < len(tokens) and tokens[index].end <= match.start():
            index += 1
        touching = [token for token in tokens[index : index + len(match[0]) + 1] if token.start < match.end()]
        found.append((match.start(), -sum(token.log_likelihood for token in touching)))
    return sorted(found, key=lambda entry: (-entry[1], entry[0]))


def _score(request: ScoreRequest, choice: ModelChoice) -> Scored:
    session = EngineSession(choice)
    try:
        return answer_of(Scored, partial(session.score, request))
    finally:
        session.close()


def _as_json(scored: Scored) -> dict[str, object]:
    bounds = {} if scored.bounds is None else dataclasses.asdict(scored.bounds)
    return {
        "bits_per_byte": scored.bits_per_byte,
        "tokens": [{"start": t.start, "end": t.end, "logprob": t.log_likelihood} for t in scored.tokens],
        "model": scored.model.name,
        **bounds,
    }
