"""How a draft looks in a terminal: live where there is one, a line a step where there is none."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from engine.types import CellState, Frame, InfillRequest, RunStats, SpanDraft, TextSpan

MASK = "░"
CONTEXT_LINES = 2
CONTEXT_CHARACTERS = 240
STYLES = {
    CellState.MASKED: "dim",
    CellState.REVEALED: "bold",
    CellState.ACCEPTED: "",
    CellState.KEPT: "italic",
    CellState.DOUBTFUL: "underline",
}

_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"} | {0x7F: 0x2421, ord("\r"): None}
_PICTURES |= dict.fromkeys(range(0x80, 0xA0), 0xFFFD)


class Display(Protocol):
    """Shows a run while it goes on; used as a context manager around it.

    `may_skip` says whether a frame may be left out when the next one is already there.
    """

    may_skip: bool

    def __enter__(self) -> Display: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def loading(self, name: str, progress: float) -> None:
        """A model is being loaded."""

    def frame(self, frame: Frame) -> None:
        """One denoising step was done."""


class LiveDisplay:
    """Draws every frame in place, between the lines that stand around the spans, and wipes it at the end."""

    may_skip = True

    def __init__(self, console: Console, request: InfillRequest) -> None:
        self._console = console
        self._request = request
        self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="ellipsis")

    def __enter__(self) -> LiveDisplay:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def loading(self, name: str, progress: float) -> None:
        """A model is being loaded."""
        self._live.update(Text(f"loading {name} … {progress:.0%}", style="dim"), refresh=True)

    def frame(self, frame: Frame) -> None:
        """One denoising step was done."""
        drafts = [
            draft_in_context(self._request.text, span, draft)
            for span, draft in zip(self._request.spans, frame.spans, strict=True)
        ]
        self._live.update(Group(*drafts, Text(), Text(step_line(frame), style="dim")), refresh=True)


class PlainDisplay:
    """Writes one line a step, without colors or cursor movement."""

    may_skip = False

    def __init__(self, console: Console) -> None:
        self._console = console

    def __enter__(self) -> PlainDisplay:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def loading(self, name: str, progress: float) -> None:
        """A model is being loaded; said once, at the beginning."""
        if progress == 0:
            self._print(f"loading {name}")

    def frame(self, frame: Frame) -> None:
        """One denoising step was done."""
        drafts = " | ".join(_one_line(draft_text(draft).plain) for draft in frame.spans)
        which = f"variation {frame.variation + 1}, " if frame.variation else ""
        self._print(f"{which}step {frame.step}/{frame.steps}  {drafts}")

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def draft_text(draft: SpanDraft) -> Text:
    """A draft with its masks as blocks and a style for each state of a cell."""
    text = Text()
    for cell in draft.cells:
        text.append(MASK if cell.state is CellState.MASKED else visible(cell.text), style=STYLES[cell.state])
    return text


def visible(text: str) -> str:
    """The text with control characters shown as pictures, so that none of them commands the terminal."""
    return text.translate(_PICTURES)


def draft_in_context(text: str, span: TextSpan, draft: SpanDraft) -> Text:
    """A draft between the nearest lines of its document, which are dim."""
    before = text[max(0, span.start - CONTEXT_CHARACTERS) : span.start]
    after = text[span.end : span.end + CONTEXT_CHARACTERS]
    return Text.assemble(
        (visible("".join(before.splitlines(keepends=True)[-CONTEXT_LINES:])), "dim"),
        draft_text(draft),
        (visible("".join(after.splitlines(keepends=True)[:CONTEXT_LINES])), "dim"),
    )


def step_line(frame: Frame) -> str:
    """Where a run stands, in one line."""
    return f"step {frame.step}/{frame.steps} · {stats_line(frame.stats)}"


def stats_line(stats: RunStats) -> str:
    """The figures of a run, in one line."""
    return (
        f"{stats.nfe} forward passes · {stats.tokens_per_s:.0f} tokens/s · {stats.elapsed_ms:.0f} ms · context: "
        f"{stats.reused_tokens} tokens reused, {stats.computed_tokens} computed"
    )


def _one_line(text: str) -> str:
    return text.replace("\n", "⏎")
