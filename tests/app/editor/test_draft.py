from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.editor.draft import Look, MaskLayout, SpanPreview, plain_text, render
from app.editor.indicators import Indicator
from engine.types import Cell, CellState, TextSpan

MASK = Cell("", CellState.MASKED)
BLANK = "\N{NO-BREAK SPACE}"
SPAN = TextSpan(0, 1)


def show(*cells, text="", before="", after="", look=Look.DRAFT, original=""):
    rendered = render(SpanPreview(SPAN, cells, look, original), MaskLayout(text, before, after))
    return rendered.data.decode(), rendered.runs


def accepted(text):
    return Cell(text, CellState.ACCEPTED, 0.9)


cells = st.builds(
    lambda text, state: MASK if state is CellState.MASKED else Cell(text, state, 0.5),
    st.text(st.sampled_from("ab \n\r\té日😀"), min_size=1, max_size=6),
    st.sampled_from(list(CellState)),
)


@given(
    st.lists(cells, max_size=12),
    st.text(max_size=30),
    st.text(max_size=20),
    st.sampled_from([Look.DRAFT, Look.PROPOSAL]),
)
def test_the_letters_of_a_draft_are_all_there_and_every_mask_is_one_box(drawn, text, before, look):
    rendered = render(SpanPreview(SPAN, tuple(drawn), look), MaskLayout(text, before, "x"))
    visible = "".join(cell.text for cell in drawn).split()
    assert "".join(rendered.data.decode().replace(BLANK, "").split()) == "".join(visible)
    boxes = [run for run in rendered.runs if run.indicator is Indicator.MASKED]
    assert len(boxes) == sum(1 for cell in drawn if cell.state is CellState.MASKED)
    for run in rendered.runs:
        assert 0 <= run.start < run.start + run.length <= len(rendered.data)
        rendered.data[run.start : run.start + run.length].decode()  # no character is cut


@given(st.lists(cells.filter(lambda cell: cell.state is not CellState.MASKED), max_size=8))
def test_a_draft_without_masks_is_exactly_its_text(drawn):
    shown, _ = show(*drawn)
    assert shown == "".join(cell.text.replace("\r\n", "\n").replace("\r", "\n") for cell in drawn)


def test_masks_take_the_shape_of_the_text_that_was_there():
    text = "    if not readings:\n        raise ValueError('nothing to average here')\n    return 1"
    shown, _ = show(*[MASK] * 14, text=text)
    rows = shown.replace(BLANK, "▁").split("\n")
    assert [len(row) - len(row.lstrip()) for row in rows] == [4, 8, 4]
    assert all(len(row) <= 60 for row in rows)


def test_masks_beyond_the_old_text_go_on_in_rows():
    shown, _ = show(*[MASK] * 100, text="x", before="        ")
    rows = shown.split("\n")
    assert len(rows) > 3
    assert all(len(row) <= 80 for row in rows)
    assert all(row.startswith("        ") for row in rows[1:])


def test_a_box_stands_apart_from_the_words_beside_it():
    shown, _ = show(accepted("one"), MASK, accepted("two"), MASK, accepted(" three"))
    assert shown.replace(BLANK, "▁") == "one ▁▁ two ▁▁▁ three"


def test_marks_leave_out_white_space_and_line_ends():
    _, runs = show(accepted("  one\n    two \n"))
    assert [(run.start, run.length) for run in runs] == [(2, 3), (10, 3)]


def test_states_differ_in_shape_not_only_in_color():
    states = (CellState.MASKED, CellState.REVEALED, CellState.ACCEPTED, CellState.DOUBTFUL, CellState.KEPT)
    marks = []
    for state in states:
        _, runs = show(MASK if state is CellState.MASKED else Cell("word", state, 0.5))
        marks.append(frozenset(run.indicator for run in runs))
    assert len(set(marks)) == len(states)


def test_a_proposal_marks_its_ground_and_its_doubts_only():
    _, runs = show(accepted("sure "), Cell("perhaps", CellState.DOUBTFUL, 0.1), look=Look.PROPOSAL)
    assert [run.indicator for run in runs] == [Indicator.PROPOSAL, Indicator.DOUBTFUL]


def test_where_only_plain_text_can_be_shown_a_mask_is_a_sign():
    assert plain_text(SpanPreview(SPAN, (accepted("a"), MASK, accepted("b")))) == "a░b"


def test_boxes_stand_apart_from_the_text_around_the_span():
    shown, _ = show(MASK, before="return", after="x")
    assert shown.replace(BLANK, "▁") == " ▁▁▁▁ "
    shown, _ = show(MASK, before="return ", after="\n")
    assert shown.replace(BLANK, "▁") == "▁▁▁▁"
    shown, _ = show(accepted("one"), before="return", after="x")
    assert shown == "one"


def test_boxes_are_narrower_while_a_hole_has_more_room_than_its_text_had():
    text = "    return the_average_of(readings)\n" * 3
    layout = MaskLayout(text, "", "")

    def widths(*cells):
        runs = render(SpanPreview(SPAN, cells), layout).runs
        return [run.length for run in runs if run.indicator is Indicator.MASKED]

    many = widths(*[MASK] * 60)
    assert widths(accepted("x"), *[MASK] * 58) == many[1:59]
    assert sum(widths(*[MASK] * 15)) > sum(many[:15])


def test_the_old_text_is_shown_with_a_mark_of_its_own():
    shown, runs = show(accepted("new"), look=Look.BEFORE, original="old\r\ntext")
    assert shown == "old\ntext"
    assert [run.indicator for run in runs] == [Indicator.BEFORE]


def marked(shown, runs, indicator):
    data = shown.encode()
    return [data[run.start : run.start + run.length].decode() for run in runs if run.indicator is indicator]


def test_a_word_diff_strikes_what_goes_and_marks_what_comes():
    shown, runs = show(accepted("the slow fox"), look=Look.DIFF, original="the quick fox")
    assert shown == "the quickslow fox"
    assert marked(shown, runs, Indicator.REMOVED) == ["quick"]
    assert marked(shown, runs, Indicator.ADDED) == ["slow"]


def test_in_a_word_diff_white_space_is_seen_too():
    shown, runs = show(accepted("a  b"), look=Look.DIFF, original="a\n b")
    assert marked(shown, runs, Indicator.REMOVED) == ["↵·"]
    assert marked(shown, runs, Indicator.ADDED) == ["  "]


def test_a_diff_in_plain_text_has_brackets():
    preview = SpanPreview(SPAN, (accepted("the slow fox"),), Look.DIFF, "the quick fox")
    assert plain_text(preview) == "the [-quick-]{+slow+} fox"
