"""`redraft fill`: parts of a file written anew, from a terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Annotated

import typer
from rich.console import Console

from engine.cli import output, textfile
from engine.cli.output import say
from engine.cli.terminal import Display, LiveDisplay, PlainDisplay
from engine.cli.textfile import TextFileError
from engine.errors import EngineError
from engine.session import EngineSession
from engine.types import (
    SAMPLER_NAMES,
    SCHEDULE_NAMES,
    Cancelled,
    ContextOrder,
    Event,
    Failed,
    Finished,
    Frame,
    InfillRequest,
    Mode,
    ModelChoice,
    ModelLoading,
    TextSpan,
)

WRONG = 2
INTERRUPTED = 130
WINDOW = 1 << 16
"""Code points of a long document that are sent along on each side of the spans: more than any model's context."""
POLL_S = 0.2
"""How often the wait for the engine lets Ctrl-C through where the platform does not interrupt a wait."""

_DEFAULT = InfillRequest(text="", spans=())
_CHOICE = ModelChoice()


class InterruptedByUserError(Exception):
    """Ctrl-C was pressed, and the engine has stopped."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where to write, as given on the command line; exactly one of the three."""

    spans: Sequence[str]
    lines: str | None
    at: str | None

    def resolve(self, text: str) -> tuple[TextSpan, ...]:
        """The spans in `text`, ascending.

        Raises:
            TextFileError: none or several kinds of places were given, or a place is not in the text.
        """
        if sum((bool(self.spans), self.lines is not None, self.at is not None)) != 1:
            raise TextFileError("Say where to write: give --span START:END, --lines A-B or --at LINE:COL.")
        if self.lines is not None:
            return (textfile.line_span(text, *_numbers(self.lines, "-", "--lines", "A-B")),)
        if self.at is not None:
            return (textfile.caret(text, *_numbers(self.at, ":", "--at", "LINE:COL")),)
        spans = sorted(_numbers(each, ":", "--span", "START:END") for each in self.spans)
        for start, end in spans:
            if not start < end <= len(text):
                raise TextFileError(
                    f"The span {start}:{end} is empty or outside the text of {len(text)} characters "
                    "(to insert text, give --at LINE:COL)."
                )
        return tuple(TextSpan(start, end) for start, end in spans)


Length = Annotated[float | None, typer.Option(help="New text's length, as a multiple of the old.  [default: free]")]
Corrections = Annotated[int, typer.Option(help="How often doubtful words of the result are written again.")]
Scheduled = Annotated[
    str, typer.Option(help=f"How many positions a step reveals, and which: {', '.join(SCHEDULE_NAMES)}.")
]
Penalty = Annotated[float, typer.Option(help="From 1 (off) up: how much repeating the text nearby is held down.")]

Picked = Annotated[
    int | None,
    typer.Option(metavar="SEED", help="Of several results --write takes that of this seed.  [default: the likeliest]"),
]


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
    length: Length = None,
    corrections: Corrections = _DEFAULT.correction_passes,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest token.")] = _DEFAULT.temperature,
    top_p: Annotated[float, typer.Option(help="Nucleus, above 0 to 1.")] = _DEFAULT.top_p,
    top_k: Annotated[int, typer.Option(help="Only the likeliest K tokens; 0 for all.")] = _DEFAULT.top_k,
    min_p: Annotated[float, typer.Option(help="Least share of the likeliest token's probability.")] = _DEFAULT.min_p,
    repetition_penalty: Penalty = _DEFAULT.repetition_penalty,
    ban: Annotated[list[str] | None, typer.Option(metavar="WORD", help="A word that is never written.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same result.")] = _DEFAULT.seed,
    sampler: Annotated[str, typer.Option(help=f"What a step accepts: {', '.join(SAMPLER_NAMES)}.")] = _DEFAULT.sampler,
    schedule: Scheduled = _DEFAULT.schedule,
    context: Annotated[int | None, typer.Option(help="Most tokens, read and written.  [default: all]")] = None,
    context_order: Annotated[ContextOrder, typer.Option(help="How the context is read.")] = _DEFAULT.context_order,
    variations: Annotated[int, typer.Option(help="How many results, with seeds counting up.")] = 1,
    model: Annotated[str, typer.Option(help="A model's name or folder.")] = _CHOICE.name,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.")] = _CHOICE.device,
    dtype: Annotated[str, typer.Option(help="auto, float32, bfloat16 or int8.")] = _CHOICE.dtype,
    threads: Annotated[int, typer.Option(help="CPU threads; 0 chooses.")] = _CHOICE.threads,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Compute every step from nothing.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Change the file.")] = False,
    pick: Picked = None,
    diff: Annotated[bool, typer.Option("--diff", help="Print a unified diff.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line.")] = False,
) -> None:
    """Write parts of a file anew and show the draft while it sharpens; change the file only with --write."""
    settings = replace(
        _DEFAULT,
        mode=mode or (Mode.FILL if at is None else Mode.CONTINUE),
        steps=steps,
        alpha_0=alpha0,
        strength=strength,
        temperature=temperature,
        top_p=top_p,
        top_k=top_k,
        min_p=min_p,
        repetition_penalty=repetition_penalty,
        banned=tuple(ban or ()),
        seed=seed,
        capacity=capacity,
        length_factor=length,
        correction_passes=corrections,
        variations=variations,
        sampler=sampler,
        schedule=schedule,
        context_tokens=context,
        context_order=context_order,
        use_cache=not no_cache,
    )
    wanted, choice = output.Wanted(write, diff, as_json, pick), ModelChoice(model, device, dtype, threads)
    raise typer.Exit(_fill(file, Places(span or [], lines, at), settings, choice, wanted))


def _fill(file: Path, places: Places, settings: InfillRequest, choice: ModelChoice, wanted: output.Wanted) -> int:
    try:
        output.check_pick(wanted.pick, settings)
        source = textfile.read(file)
        spans = places.resolve(source.text)
        finished = _infill(_window(source.text, spans, settings), choice)
        output.hand_over(source, spans, finished, wanted)
    except EngineError as error:
        say(str(error))
        return WRONG
    except InterruptedByUserError:
        say(f"Stopped; {file} was not changed.")
        return INTERRUPTED
    return 0


def _window(text: str, spans: Sequence[TextSpan], settings: InfillRequest) -> InfillRequest:
    start, end = max(0, spans[0].start - WINDOW), min(len(text), spans[-1].end + WINDOW)
    return replace(
        settings,
        text=text[start:end],
        spans=tuple(TextSpan(span.start - start, span.end - start) for span in spans),
        starts_document=start == 0,
        ends_document=end == len(text),
    )


def _infill(request: InfillRequest, choice: ModelChoice) -> Finished:
    """Runs one request in a session of its own and shows it.

    Raises:
        EngineError: the run failed. InterruptedByUserError: Ctrl-C was pressed.
    """
    session = EngineSession(choice)
    display: Display = LiveDisplay(Console(), request) if sys.stdout.isatty() else PlainDisplay(Console(stderr=True))
    try:
        with display:
            ending = _follow(session, request, display)
    finally:
        session.close()
    if isinstance(ending, Failed):
        raise EngineError(ending.message)
    if isinstance(ending, Cancelled):
        raise InterruptedByUserError
    return ending


def _follow(session: EngineSession, request: InfillRequest, display: Display) -> Finished | Cancelled | Failed:
    events: SimpleQueue[Event] = SimpleQueue()
    job = session.submit(request, events.put)
    while True:
        try:
            event = events.get(timeout=POLL_S)
            if isinstance(event, Finished | Cancelled | Failed):
                return event
            if isinstance(event, ModelLoading):
                display.loading(event.name, event.progress)
            elif isinstance(event, Frame) and not (display.may_skip and events.qsize()):
                display.frame(event)
        except Empty:
            continue
        except KeyboardInterrupt:
            if job.is_cancelled:
                raise InterruptedByUserError from None
            job.cancel()


def _numbers(given: str, separator: str, option: str, form: str) -> tuple[int, int]:
    match = re.fullmatch(rf"(\d+){separator}(\d+)", given.strip())
    if match is None:
        raise TextFileError(f"{option} takes {form}, two whole numbers, not “{given}”.")
    return int(match[1]), int(match[2])
