from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.editor.spanmap import SpanMap


@st.composite
def maps(draw):
    """A text, ascending spans in it, and what is shown in their place."""
    borders = sorted(draw(st.sets(st.integers(0, 40), min_size=1, max_size=6)))
    borders += borders[-1:] * (len(borders) % 2)  # an empty span at the end
    spans = list(zip(borders[::2], borders[1::2], strict=True))
    drafts = [draw(st.binary(max_size=12)) for _ in spans]
    return bytes(range(41)), spans, drafts


def shown_text(text, spans, drafts):
    parts, last = [], 0
    for (start, end), draft in zip(spans, drafts, strict=True):
        parts += [text[last:start], draft]
        last = end
    return b"".join([*parts, text[last:]])


def resized(spans, drafts):
    mapping = SpanMap(spans)
    for index, draft in enumerate(drafts):
        mapping.resize(index, len(draft))
    return mapping


@given(maps())
def test_a_span_is_shown_where_its_draft_stands(case):
    text, spans, drafts = case
    mapping, shown = resized(spans, drafts), shown_text(text, spans, drafts)
    for index, draft in enumerate(drafts):
        start, end = mapping.shown(index)
        assert shown[start:end] == draft


@given(maps())
def test_positions_outside_the_spans_are_the_same_byte_on_both_sides(case):
    text, spans, drafts = case
    mapping, shown = resized(spans, drafts), shown_text(text, spans, drafts)
    for pos in range(len(text)):
        if not any(start <= pos < end for start, end in spans):
            assert shown[mapping.to_shown(pos)] == text[pos]
            if not any(pos == end and not draft for (_, end), draft in zip(spans, drafts, strict=True)):
                assert mapping.to_real(mapping.to_shown(pos)) == pos


@given(maps(), st.integers(0, 60))
def test_every_shown_position_maps_outside_or_to_a_border_of_a_span(case, pos):
    text, spans, drafts = case
    mapping = resized(spans, drafts)
    real = mapping.to_real(min(pos, len(shown_text(text, spans, drafts))))
    assert 0 <= real <= len(text)
    assert not any(start < real < end for start, end in spans)


@given(maps(), st.integers(0, 41), st.integers(0, 5), st.binary(max_size=4))
def test_an_edit_that_is_followed_keeps_the_copy_true(case, pos, removed, inserted):
    text, spans, drafts = case
    removed = min(removed, len(text) - pos)
    mapping, shown = resized(spans, drafts), shown_text(text, spans, drafts)
    start, end = mapping.to_shown(pos), mapping.to_shown(pos + removed)
    if not mapping.touched(pos, removed):
        mapping.follow(pos, removed, len(inserted))
        copy = shown[:start] + inserted + shown[end:]
        edited = text[:pos] + inserted + text[pos + removed :]
        assert copy == shown_text(edited, [mapping.real(index) for index in range(len(mapping))], drafts)
