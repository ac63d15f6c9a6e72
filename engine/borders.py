"""Where new text meets the text after it: a space that stands there already is not written a second time.

A small model often ends a hole with a space of its own before text that begins with one, most of all where it would
have ended there but was to write a token more. The hole then ends where its text does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.canvas import Written

if TYPE_CHECKING:
    from engine.canvas import Canvas, MaskedSpan
    from engine.tokenization import Tokenizer

_BLANKS = (b" ", b"\t", b"\n")


def drop_doubled_spaces(canvas: Canvas, tokenizer: Tokenizer, step: int, *, keep_least: bool = False) -> None:
    """Ends holes before a single space that it was given last, where white space follows it.

    Longer runs of spaces are left alone: they may be meant, as indentation or as a line break of Markdown.
    `keep_least`: not where a hole would then hold fewer tokens than it must.
    """
    for hole in canvas.holes:
        is_long_enough = not keep_least or hole.last_written >= hole.start + hole.least
        if is_long_enough and hole.end == hole.last_written + 1 and _doubles_a_space(canvas, hole, tokenizer):
            _end_before_last(canvas, hole, step)


def _doubles_a_space(canvas: Canvas, hole: MaskedSpan, tokenizer: Tokenizer) -> bool:
    last, following = hole.last_written, canvas.token_at(hole.start + hole.capacity)
    if following is None or not hole.can_shrink or last - 1 not in canvas.written:
        return False
    before, end, after = tokenizer.decode_pieces(
        [canvas.written[last - 1].token, canvas.written[last].token, following]
    )
    return end == b" " and after.startswith(_BLANKS) and not before.endswith(_BLANKS)


def _end_before_last(canvas: Canvas, hole: MaskedSpan, step: int) -> None:
    assert canvas.empty is not None
    position = hole.last_written
    canvas.remask([position])
    hole.least = min(hole.least, position - hole.start)
    canvas.accept(position, Written(canvas.empty, 1.0, step))
