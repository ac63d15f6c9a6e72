"""`redraft eval`: what a model reaches on text it was not trained on, or on an infilling set from outside."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.console import Console
from rich.status import Status
from rich.table import Table

from engine.cli.output import say
from engine.cli.terminal import visible
from engine.errors import EngineError, TrainingError
from engine.types import ModelChoice

if TYPE_CHECKING:
    from engine.training.evaluation import Evaluation
    from engine.training.figures import Figures
    from engine.training.outside import Answered

WRONG = 2
_CHOICE = ModelChoice()
_WIDTH = 160
"""Columns of a table that is not shown on a terminal."""
_TOO_MANY_FORMS = "Give --json or --markdown, not both."
_NO_TEXT = (
    "There is no text to measure on: give the corpus the model was trained on with --corpus, "
    "or an infilling set with --data."
)


class Goals(StrEnum):
    """Whose goals stand beside the figures."""

    GPU = "gpu"
    CPU = "cpu"


class _Form(NamedTuple):
    as_json: bool
    as_markdown: bool


def evaluate(
    model: Annotated[str, typer.Argument(help="A model's name or folder.")] = _CHOICE.name,
    corpus: Annotated[
        Path | None,
        typer.Option(
            help="The text the model was trained on: only its held-out documents are measured on.", show_default=False
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Instead: lines of JSON with prefix, middle, suffix, to fill and to score.", show_default=False
        ),
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Samples for the likelihoods, of prose and of Python.")] = 300,
    questions: Annotated[int, typer.Option(min=1, help="Missing lines, and sentences with a wrong word.")] = 150,
    kneser_ney: Annotated[
        bool,
        typer.Option(
            "--kneser-ney/--no-kneser-ney",
            help="Count the 5-gram model of the corpus (minutes, and gigabytes of memory).",
        ),
    ] = True,
    goals: Annotated[Goals | None, typer.Option(help="Add a column of goals.", show_default=False)] = None,
    alpha0: Annotated[float, typer.Option(min=0, max=1, help="For --data: share written by diffusion.")] = 0.0,
    capacity: Annotated[
        int | None,
        typer.Option(min=1, help="For --data: positions of a hole; else by the middle's length.", show_default=False),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = "cpu",
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or int8.")] = _CHOICE.dtype,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 chooses.")] = _CHOICE.threads,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the table for a model card.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """Measure a model on held-out text, beside two baselines, or on an infilling set of your own."""
    choice = ModelChoice(model, device, dtype, threads)
    form = _Form(as_json, as_markdown)
    try:
        if as_json and as_markdown:
            raise TrainingError(_TOO_MANY_FORMS)
        if data is not None:
            _show_answers(_answers(choice, data, alpha0, capacity), form, data)
            return
        found = _evaluation(choice, corpus, samples, questions, kneser_ney=kneser_ney)
        _show_figures(found, form, goals)
    except EngineError as error:
        say(f"redraft eval: {error}")
        raise typer.Exit(WRONG) from error


def _evaluation(
    choice: ModelChoice, corpus: Path | None, samples: int, questions: int, *, kneser_ney: bool
) -> Evaluation:
    from engine.config import read_config
    from engine.models.registry import find
    from engine.tokenization import Tokenizer
    from engine.training.corpus import HELD_OUT_PACKAGES, read_corpus, read_held_out
    from engine.training.evaluation import count_ngrams, training_data
    from engine.training.evaluation import evaluate as measure

    folder = find(choice.name)
    config = read_config(folder)
    told = training_data(folder)
    corpus = corpus or told.data
    if corpus is None:
        raise TrainingError(_NO_TEXT)
    with _news() as news:
        news.stage("Reading the held-out documents")
        documents = read_held_out(corpus, python=told.python)
        if not any(document.source not in HELD_OUT_PACKAGES for document in documents):
            news.lasting(f"Nothing of {corpus} was held out (one document in fifty is): only Python is measured.")
        ngrams = None
        if kneser_ney and documents:
            news.stage("Counting 5-grams of the training documents")
            training = read_corpus(corpus, python=told.python, cap_bytes=told.python_cap_bytes).training
            ngrams = count_ngrams(training, Tokenizer.load(folder, config.tokenizer_entry()))
        return measure(
            choice, folder, documents, samples=samples, questions=questions, yardstick=ngrams, tell=news.stage
        )


def _answers(choice: ModelChoice, data: Path, alpha_0: float, capacity: int | None) -> list[Answered]:
    from engine.config import read_config
    from engine.models.registry import find
    from engine.session import EngineSession
    from engine.tokenization import Tokenizer
    from engine.training.outside import answer_rows, read_rows

    rows = read_rows(data)
    folder = find(choice.name)
    tokenizer = Tokenizer.load(folder, read_config(folder).tokenizer_entry())
    session = EngineSession(choice)
    found = []
    try:
        with _news() as news:
            news.stage(f"Filling {len(rows)} rows")
            for answer in answer_rows(session, tokenizer, rows, alpha_0=alpha_0, capacity=capacity):
                found.append(answer)
                news.tick(f"{len(found)} of {len(rows)} rows")
    finally:
        session.close()
    return found


def _show_figures(found: Evaluation, form: _Form, goals: Goals | None) -> None:
    from engine.training.figures import table_of

    if form.as_json:
        print(json.dumps(found.as_json()))
        return
    if not form.as_markdown:
        print(f"{found.model} on held-out text")
    _show_table(table_of(found, goals and goals.value), form)


def _show_answers(answers: list[Answered], form: _Form, data: Path) -> None:
    from engine.training.outside import as_json, table_of

    if form.as_json:
        print(json.dumps(as_json(answers)))
        return
    _show_table(table_of(answers, data.name), form)


def _show_table(figures: Figures, form: _Form) -> None:
    from engine.training.figures import markdown

    if form.as_markdown:
        print(markdown(figures), end="")
        return
    table = Table(show_lines=True)
    for column, is_number in zip(figures.columns, figures.numbers, strict=True):
        table.add_column(column, justify="right" if is_number else "left")
    for row in figures.rows:
        table.add_row(*map(visible, row))
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _WIDTH)
    console.print(table)
    for note in figures.notes:
        console.print(visible(note), soft_wrap=not sys.stdout.isatty())


class _News:
    """What is being done, beside the output: a spinner on a terminal, elsewhere a line a stage."""

    def __init__(self, status: Status | None) -> None:
        self._status = status

    def stage(self, sentence: str) -> None:
        """A new stage has begun."""
        if self._status is None:
            say(sentence)
        else:
            self._status.update(sentence)

    def lasting(self, sentence: str) -> None:
        """A line that stays, whatever follows."""
        if self._status is None:
            say(sentence)
        else:
            self._status.console.print(sentence, highlight=False, markup=False)

    def tick(self, sentence: str) -> None:
        """The same stage goes on."""
        if self._status is not None:
            self._status.update(sentence)


@contextmanager
def _news() -> Iterator[_News]:
    if not sys.stderr.isatty():
        yield _News(None)
        return
    with Console(stderr=True).status("") as status:
        yield _News(status)
