"""Before and after at places of held-out text, unselected: `python -m engine.training.examples --data PROSE`.

The places are drawn with a fixed seed, ten in prose and ten in Python, and filled with a request's default settings.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from engine.errors import EngineError
from engine.models.registry import find
from engine.session import EngineSession
from engine.training.answering import fill
from engine.training.corpus import read_held_out
from engine.training.documents import Document
from engine.training.holes import one_hole
from engine.types import InfillRequest, ModelChoice, TextSpan

SEED = 20_261
_AROUND = 2500
"""Characters of context on each side of a hole."""
_SHOWN = 110
"""Characters of context on each side that are printed."""
_LONGEST = 240
"""Characters of a hole."""


@dataclass(frozen=True, slots=True)
class Place:
    """A hole text[start:end] in a piece of a document."""

    source: str
    text: str
    start: int
    end: int

    @property
    def original(self) -> str:
        """What stood there."""
        return self.text[self.start : self.end]


def places(documents: Sequence[Document], count: int, *, code: bool, seed: int = SEED) -> list[Place]:
    """`count` holes in documents drawn evenly, never twice in one while there are others."""
    generator = np.random.default_rng((seed, code))
    pool = [document for document in documents if document.is_code == code and len(document.text.strip()) >= 400]
    if not pool:
        return []
    rounds = [generator.permutation(len(pool)) for _ in range(-(-count // len(pool)))]
    found = []
    for index in np.concatenate(rounds)[:count]:
        document = pool[int(index)]
        window = int(generator.integers(0, max(1, len(document.text) - 2 * _AROUND)))
        text = document.text[window : window + 2 * _AROUND]
        start, end = one_hole(text, code, generator, longest=_LONGEST)
        found.append(Place(document.source, text, start, end))
    return found


def fill_place(session: EngineSession, place: Place) -> str:
    """What the model writes there, with a request's default settings.

    Raises:
        EngineError: the run failed.
    """
    return fill(
        session, InfillRequest(place.text, (TextSpan(place.start, place.end),), seed=SEED, ends_document=False)
    )  # fmt: skip


def markdown(answer: Callable[[Place], str], chosen: Sequence[Place]) -> Iterator[str]:
    """The pairs as Markdown: context as it stands, the hole between the two brackets, before and after."""
    for number, place in enumerate(chosen, 1):
        left = place.text[max(0, place.start - _SHOWN) : place.start]
        right = place.text[place.end : place.end + _SHOWN]
        yield f"{number}. {place.source}\n"
        for title, middle in (("before", place.original), ("after", answer(place))):
            yield f"   {title}:\n"
            block = f"…{left}⟦{middle}⟧{right}…"
            yield "\n".join(f"       {line}".rstrip() for line in block.split("\n")) + "\n"


def main(
    data: Annotated[Path, typer.Option(help="The prose the model was trained on: its held-out documents are used.")],
    model: Annotated[str, typer.Option(help="A model's name or folder.")] = "redraft-mini",
    count: Annotated[int, typer.Option(min=1, help="Places in prose, and as many in Python.")] = 10,
) -> None:
    """Print before/after pairs of held-out text as Markdown."""
    try:
        documents = read_held_out(data)
        session = EngineSession(ModelChoice(name=str(find(model)), device="cpu"))
        try:
            for title, code in (("Prose", False), ("Python", True)):
                sys.stdout.write(f"### {title}\n\n")
                for line in markdown(lambda place: fill_place(session, place), places(documents, count, code=code)):
                    sys.stdout.write(line + "\n")
        finally:
            session.close()
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(2) from error


if __name__ == "__main__":
    typer.run(main)
