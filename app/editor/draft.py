"""What a draft looks like as text: cells become characters, masked ones become boxes as wide as a word. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from app.editor.indicators import Indicator
from app.editor.worddiff import WordPiece, diff_words
from engine.types import Cell, CellState, TextSpan

_MASK = "\N{NO-BREAK SPACE}"
_WIDTHS = (4, 2, 6, 3, 5, 3, 7, 2, 4, 5)
_BOX_COLUMNS = 5.1
"""A box and the gap behind it, on average."""
_SCALES = (1.0, 0.75, 0.5, 0.3)
_LEAST_ROW = 24
_FREE_ROW = 72

_INDICATORS = {
    CellState.REVEALED: (Indicator.REVEALED, Indicator.REVEALED_TEXT),
    CellState.ACCEPTED: (Indicator.ACCEPTED,),
    CellState.DOUBTFUL: (Indicator.DOUBTFUL,),
    CellState.KEPT: (),
}
_PROPOSED = {**_INDICATORS, CellState.REVEALED: (), CellState.ACCEPTED: ()}
"""A proposal has a ground of its own; only doubt is still told apart."""


class Look(StrEnum):
    """As what a span is shown."""

    DRAFT = "draft"
    """A run is writing it."""
    REDRAFT = "redraft"
    """A run is writing parts of a proposal; what it leaves alone is still only proposed."""
    PROPOSAL = "proposal"
    """It waits for the user."""
    BEFORE = "before"
    """The text that is proposed to be replaced, marked as such."""
    DIFF = "diff"
    """The old text struck through and the proposed one marked, word by word."""


_GROUNDS = {Look.REDRAFT: Indicator.PROPOSAL, Look.PROPOSAL: Indicator.PROPOSAL, Look.BEFORE: Indicator.BEFORE}
_REMOVED = (Indicator.REMOVED, Indicator.REMOVED_TEXT)


@dataclass(frozen=True, slots=True)
class SpanPreview:
    """What is shown in the place of one span of the real text. `original` is that text; only some looks need it."""

    span: TextSpan
    cells: tuple[Cell, ...]
    look: Look = Look.DRAFT
    original: str = ""
    locked: tuple[TextSpan, ...] = ()
    masked: tuple[TextSpan, ...] = ()
    """Ranges of a proposal's text that another run leaves alone, and such as it writes anew."""

    @property
    def text(self) -> str:
        """What is written so far."""
        return "".join(cell.text for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Run:
    """Bytes [start, start + length) of a rendered draft have an indicator."""

    start: int
    length: int
    indicator: Indicator


@dataclass(frozen=True, slots=True)
class Rendered:
    """A draft as bytes, with the indicators on them."""

    data: bytes
    runs: tuple[Run, ...]


class MaskLayout:
    """Lays masked positions out in the shape of the text that was there, so that the text below hardly moves."""

    def __init__(self, text: str, before: str, after: str) -> None:
        """Args: text: the span's text; before: its first line up to it; after: the character that follows it."""
        indentation, column = before[: len(before) - len(before.lstrip())], len(before)
        lines = text.splitlines()
        self._rows: list[tuple[str, int]] = []
        for number, line in enumerate(lines):
            indent = line[: len(line) - len(line.lstrip())] if number else indentation
            width = len(line) + (column if number == 0 else 0)
            self._rows.append((indent, max(width, len(indent) + _LEAST_ROW)))
        last_indent = self._rows[-1][0] if self._rows else indentation
        self.lead = text[: len(text) - len(text.lstrip(" \t"))]
        if not self.lead and before.strip() and not before[-1].isspace():
            self.lead = " "
        self.trail = " " if after and not after.isspace() else ""
        self._rest = (last_indent, max(_FREE_ROW, len(last_indent) + _LEAST_ROW))
        self.column = column
        self._area = sum(width - len(indent) for indent, width in self._rows) if self._rows else _FREE_ROW
        self._scale = _SCALES[0]

    def expect(self, positions: int) -> None:
        """Tells how many positions a draft has now. A hole has more room than its text needs: boxes are narrower then,
        and wider when it has ended early. In a few sizes only, so that they keep still from frame to frame."""
        wanted = self._area / (_BOX_COLUMNS * max(1, positions))
        self._scale = next((scale for scale in _SCALES if scale <= wanted), _SCALES[-1])

    def box_width(self, position: int) -> int:
        """Columns of the box of a masked position."""
        return max(1, round(self._scale * _WIDTHS[position % len(_WIDTHS)]))

    def row(self, number: int) -> tuple[str, int]:
        """Indentation and width of the draft's line `number`."""
        return self._rows[number] if number < len(self._rows) else self._rest


def render(preview: SpanPreview, layout: MaskLayout) -> Rendered:
    """The bytes and indicators that show a draft."""
    writer = _Writer(layout)
    if preview.look is Look.BEFORE:
        writer.text(preview.original, ())
    elif preview.look is Look.DIFF:
        for piece in diff_words(preview.original, preview.text):
            _write_piece(writer, piece)
    else:
        layout.expect(len(preview.cells))
        indicators = _PROPOSED if preview.look is Look.PROPOSAL else _INDICATORS
        for index, cell in enumerate(preview.cells):
            if cell.state is CellState.MASKED:
                writer.mask(layout.box_width(index))
            else:
                writer.text(cell.text, indicators[cell.state])
    rendered = writer.finish(_GROUNDS.get(preview.look))
    if preview.look is not Look.PROPOSAL:
        return rendered
    marks = [(span, Indicator.LOCKED) for span in preview.locked]
    marks += [(span, Indicator.MASKED_AGAIN) for span in preview.masked]
    return replace(rendered, runs=(*rendered.runs, *(_mark(preview.text, span, look) for span, look in marks)))


def _mark(text: str, span: TextSpan, indicator: Indicator) -> Run:
    start, end = (_shown_length(text[:offset]) for offset in (span.start, span.end))
    return Run(start, end - start, indicator)


def _shown_length(text: str) -> int:
    return len(text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "surrogateescape"))


def plain_text(preview: SpanPreview) -> str:
    """A draft where only plain text can be shown: masked positions are signs, changed words are in brackets."""
    if preview.look is Look.BEFORE:
        return preview.original
    if preview.look is Look.DIFF:
        return "".join(
            piece.new if piece.is_equal else _bracketed(piece) for piece in diff_words(preview.original, preview.text)
        )
    return "".join("░" if cell.state is CellState.MASKED else cell.text for cell in preview.cells)


def _bracketed(piece: WordPiece) -> str:
    return (f"[-{piece.old}-]" if piece.old else "") + (f"{{+{piece.new}+}}" if piece.new else "")


def _write_piece(writer: _Writer, piece: WordPiece) -> None:
    if piece.is_equal:
        writer.text(piece.new, ())
        return
    if piece.old:
        writer.text(piece.old if piece.old.strip() else _visible(piece.old), _REMOVED)
    if piece.new:
        writer.text(piece.new, (Indicator.ADDED,), marks_spaces=True)


def _visible(space: str) -> str:
    """White space that was removed, as signs: struck through, it would not be seen."""
    return space.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "↵").replace(" ", "·").replace("\t", "→")


class _Writer:
    def __init__(self, layout: MaskLayout) -> None:
        self._layout = layout
        self._parts: list[bytes] = []
        self._length = 0
        self._row = 0
        self._column = layout.column
        self._after_mask = False
        self._runs: list[Run] = []

    def mask(self, width: int) -> None:
        indent, limit = self._layout.row(self._row)
        if self._after_mask and self._column + 1 + width > limit and self._column > len(indent):
            self._put("\n")
            self._put(self._layout.row(self._row)[0])
        elif not self._parts:
            self._put(self._layout.lead)
        elif self._after_mask or not self._at_gap():
            self._put(" ")
        self._mark(Indicator.MASKED, self._put(_MASK * width))
        self._after_mask = True

    def text(self, text: str, indicators: tuple[Indicator, ...], *, marks_spaces: bool = False) -> None:
        """Args: marks_spaces: whether white space around the lines is marked too."""
        if not text:
            return
        if self._after_mask and not text[0].isspace():
            self._put(" ")
        self._after_mask = False
        for line in text.replace("\r\n", "\n").replace("\r", "\n").splitlines(keepends=True):
            start, body = self._length, line.rstrip("\n") if marks_spaces else line.strip()
            self._put(line)
            lead = 0 if marks_spaces else len(line[: len(line) - len(line.lstrip())].encode("utf-8"))
            for indicator in indicators if body else ():
                self._mark(indicator, (start + lead, len(body.encode("utf-8", "surrogateescape"))))

    def finish(self, ground: Indicator | None) -> Rendered:
        if self._after_mask:
            self._put(self._layout.trail)
        data = b"".join(self._parts)
        runs = (Run(0, len(data), ground),) if ground is not None and data else ()
        return Rendered(data, (*runs, *self._runs))

    def _at_gap(self) -> bool:
        return self._parts[-1][-1:] in b" \t\n"

    def _put(self, text: str) -> tuple[int, int]:
        data, start = text.encode("utf-8", "surrogateescape"), self._length
        self._parts.append(data)
        self._length += len(data)
        self._row += text.count("\n")
        self._column = len(text) - text.rfind("\n") - 1 + (0 if "\n" in text else self._column)
        return start, len(data)

    def _mark(self, indicator: Indicator, stretch: tuple[int, int]) -> None:
        self._runs.append(Run(*stretch, indicator))
