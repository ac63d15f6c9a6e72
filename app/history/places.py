"""Where a run of the past would write now: its spans found again in a text that has changed since. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.history.entries import Around, Kept
from app.infill.context import TextSource
from engine.types import TextSpan

REACH = 48
"""Characters around a span that are kept with a run."""


def around(source: TextSource, spans: Sequence[TextSpan], texts: Sequence[str]) -> tuple[Around, ...]:
    """The text around the spans, as far as they still hold these texts; none when one does not."""
    found = []
    for span, text in zip(spans, texts, strict=True):
        if source.text_range(span.start, span.end) != text:
            return ()
        before = source.text_range(max(0, span.start - REACH), span.start)
        found.append(Around(before, source.text_range(span.end, min(source.length, span.end + REACH))))
    return tuple(found)


def find_places(text: str, kept: Kept) -> tuple[TextSpan, ...] | None:
    """Where the run's spans are in the text, with what stood there before the run or what it proposed. None when one
    of them is nowhere, or when they are no longer in this order."""
    run = kept.run
    surroundings = kept.around or (None,) * len(run.spans)
    places: list[TextSpan] = []
    shift, least = 0, 0
    for span, before, after, sides in zip(run.spans, run.before, run.after, surroundings, strict=False):
        place = _place(text, span.start + shift, least, (before, after), sides)
        if place is None:
            return None
        shift, least = place.start - span.start + (place.end - place.start) - (span.end - span.start), place.end
        places.append(place)
    return tuple(places) if len(places) == len(run.spans) else None


def _place(text: str, near: int, least: int, held: Sequence[str], sides: Around | None) -> TextSpan | None:
    """The nearest place, by the surest sign that there is: text and both sides, one side, the text alone."""
    for before, after in _signs(sides):
        for middle in held:
            if not before and not after and not middle.strip():
                continue
            sign = before + middle + after
            at = _nearest(text, sign, near - len(before), max(0, least - len(before)))
            if at is not None and at + len(before) >= least:
                return TextSpan(at + len(before), at + len(before) + len(middle))
    return None


def _signs(sides: Around | None) -> Iterator[tuple[str, str]]:
    if sides is not None:
        yield sides.before, sides.after
        yield sides.before, ""
        yield "", sides.after
    yield "", ""


def _nearest(text: str, sign: str, near: int, least: int) -> int | None:
    """Where `sign` begins, nearest to `near` and not before `least`."""
    later = text.find(sign, max(near, least))
    earlier = text.rfind(sign, least, max(near, least) + len(sign))
    found = [at for at in (earlier, later) if at >= 0]
    return min(found, key=lambda at: abs(at - near)) if found else None
