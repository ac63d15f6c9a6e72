from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication, QInputMethodEvent
from PySide6.QtWidgets import QApplication
from pyside6_scintilla import Scintilla

from app.document.document import Document
from app.editor.edits import Edit
from app.editor.indicators import scintilla_color
from app.editor.view import EditorView
from app.settings import Settings
from app.theme import DARK, LIGHT
from engine.types import TextSpan

ODD = "naïve café 日本 😀 e\u0301\r\n\0\ttab\rcr\n\ufffe\ufeff end"


@st.composite
def texts_with_spans(draw):
    """A text of odd characters, disjoint ascending spans of it, and a new text for each."""
    alphabet = st.sampled_from("ab \t\n\r\0é日😀\u0301\u2028\ufffe\U0001f468\u200d")
    text = draw(st.text(alphabet, max_size=40))
    borders = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    pairs = list(zip(borders[::2], borders[1::2], strict=False))
    return text, [(start, end, draw(st.text(alphabet, max_size=8))) for start, end in pairs]


@pytest.fixture(scope="module")
def odd_view(qapp):
    view = EditorView(Document(), Settings(), LIGHT)
    yield view
    view.deleteLater()


def test_a_text_comes_out_as_it_went_in(make_view):
    view = make_view(ODD)
    assert view.text() == ODD
    assert view.length == len(ODD)
    assert not view.is_modified


@pytest.mark.parametrize("text", [ODD, ODD.replace("\ufffe", ""), "", "\n", "plain\nascii"])
def test_offsets_count_code_points_of_odd_texts_too(make_view, text):
    view = make_view(text)
    for offset in range(len(text) + 1):
        pos = view.surface.pos_at(offset)
        assert pos == len(text[:offset].encode())
        assert view.surface.offset_at(pos) == offset
        assert view.text_range(offset, len(text)) == text[offset:]


@given(texts_with_spans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_replacing_spans_changes_no_byte_outside_and_is_one_undo_step(odd_view, case):
    text, changes = case
    odd_view.set_text(text)
    expected, last = [], 0
    for start, end, new in changes:
        expected += [text[last:start], new.replace("\r\n", "\n").replace("\r", "\n")]
        last = end
    odd_view.replace_spans(changes)
    assert odd_view.text() == "".join([*expected, text[last:]])
    if odd_view.surface.canUndo():
        odd_view.undo()
    assert odd_view.text() == text
    assert not odd_view.surface.canUndo()
    assert not odd_view.is_modified


def test_undo_of_a_replacement_brings_back_the_selections(make_view):
    view = make_view("one two three four\n")
    view.select([TextSpan(0, 3), TextSpan(8, 13)])
    view.replace_spans([(0, 3, "1"), (8, 13, "THIRD")])
    assert view.text() == "1 two THIRD four\n"
    assert view.caret_offset() == len("1 two THIRD")
    view.undo()
    assert view.text() == "one two three four\n"
    assert view.selections() == [TextSpan(0, 3), TextSpan(8, 13)]
    view.redo()
    assert view.text() == "1 two THIRD four\n"


def test_new_line_ends_are_those_of_the_document(make_view):
    view = make_view("a\r\nb\r\n", eol="\r\n")
    view.replace_spans([(0, 1, "x\ny\rz\r\n")])
    assert view.text() == "x\r\ny\r\nz\r\n\r\nb\r\n"


def test_edits_are_told_in_code_points_and_bump_the_revision(make_view):
    view = make_view("日本 end")
    seen: list[Edit] = []
    view.text_changed.connect(seen.append)
    revision = view.document.revision
    view.replace_spans([(1, 2, "😀é")])
    assert seen == [Edit(1, 1, 0), Edit(1, 0, 2)]
    assert view.document.revision > revision


def test_the_document_is_modified_until_undo_reaches_the_save_point(make_view):
    view = make_view("abc")
    view.replace_spans([(0, 1, "x")])
    assert view.document.is_modified
    view.undo()
    assert not view.document.is_modified
    view.redo()
    view.set_savepoint()
    assert not view.document.is_modified


def test_selections_are_ascending_merged_and_without_bare_carets(make_view):
    view = make_view("0123456789")
    view.select([TextSpan(7, 9), TextSpan(1, 3), TextSpan(5, 5)])
    assert view.selections() == [TextSpan(1, 3), TextSpan(7, 9)]


def test_a_selection_inside_a_character_takes_the_whole_character(make_view):
    view = make_view("a日b")
    view.surface.setSelection(3, 2)  # bytes of 日 are 1 to 4
    assert view.selections() == [TextSpan(1, 2)]


def test_go_to_counts_from_one_and_stays_in_the_text(make_view):
    view = make_view("ab\n日本x\n")
    view.go_to(2, 3)
    assert view.caret_offset() == 5
    view.go_to(99, 99)
    assert view.caret_offset() == len(view.text())
    view.go_to(0, 0)
    assert view.caret_offset() == 0


def test_the_caret_is_told_in_lines_and_characters(make_view, qtbot):
    view = make_view("ab\n日本x\n")
    with qtbot.waitSignal(view.caret_moved, check_params_cb=lambda *at: at == (2, 3)):
        view.go_to(2, 3)


def test_tab_indents_the_selected_lines(make_view, qtbot):
    view = make_view("a\nb\nc\n")
    view.select([TextSpan(0, 3)])
    qtbot.keyClick(view.surface, Qt.Key.Key_Tab)
    assert view.text() == "    a\n    b\nc\n"


def test_return_keeps_the_indentation_in_one_undo_step(make_view, qtbot):
    view = make_view("if x:\n    a\n")
    view.go_to(2, 6)
    qtbot.keyClick(view.surface, Qt.Key.Key_Return)
    assert view.text() == "if x:\n    a\n    \n"
    view.undo()
    assert view.text() == "if x:\n    a\n"


def test_return_after_a_colon_of_python_indents_further(make_view, qtbot):
    view = make_view("if x:")
    view.go_to(1, 99)
    qtbot.keyClick(view.surface, Qt.Key.Key_Return)
    assert view.text() == "if x:\n    "
    assert view.caret_offset() == len(view.text())


def test_typing_goes_to_all_carets(make_view, qtbot):
    view = make_view("a\nb\n")
    view.select([TextSpan(0, 0), TextSpan(2, 2)])
    qtbot.keyClicks(view.surface, "x")
    assert view.text() == "xa\nxb\n"


def test_pasting_converts_line_ends_to_the_documents(make_view):
    view = make_view("", eol="\r\n")
    QGuiApplication.clipboard().setText("a\nb")
    view.paste()
    assert view.text() == "a\r\nb"


def test_a_key_filter_is_asked_before_the_text(make_view, qtbot):
    view = make_view("a")
    view.add_key_filter(lambda event: event.key() == Qt.Key.Key_B)
    qtbot.keyClicks(view.surface, "bc")
    assert view.text() == "ca"


def test_a_composition_is_committed_before_spans_are_replaced(make_view):
    view = make_view("ab")
    QApplication.sendEvent(view.surface, QInputMethodEvent("に", []))
    assert view.surface.is_composing
    view.replace_spans([(2, 3, "X")])
    assert not view.surface.is_composing
    assert view.text() == "にaX"


def test_themes_settings_and_languages_change_while_a_text_is_open(make_view):
    view = make_view("x = 1\n")
    view.apply_theme(DARK)
    for language in ("markdown", "c", "javascript", "html", "json", "yaml", "text", None, "python"):
        view.set_language(language)
        view.grab()
    view.apply_settings()
    assert view.text() == "x = 1\n"
    assert not view.is_modified


def test_the_margin_grows_with_the_number_of_lines(make_view):
    view = make_view("a\n")
    narrow = view.surface.marginWidthN(0)
    view.replace_spans([(0, 0, "\n" * 20000)])
    assert view.surface.marginWidthN(0) > narrow


def test_a_short_text_that_is_opened_at_a_line_shows_its_beginning(qtbot):
    view = EditorView(Document(), Settings(), LIGHT)
    qtbot.addWidget(view)
    view.set_text("\n".join(f"line {number}" for number in range(9)))
    view.go_to(5)
    view.resize(300, 600)
    view.show()
    qtbot.waitUntil(lambda: view.surface.firstVisibleLine() == 0)
    assert view.surface.lineFromPosition(view.surface.currentPos()) == 4


def test_a_caret_in_sight_stays_so_when_the_view_becomes_narrower(make_view, qtbot):
    view = make_view("some words that are wrapped in a narrow view but not in a wide one\n" * 40, wrap=True)
    view.go_to(1, 1)
    surface = view.surface
    line = surface.linesOnScreen() - 1
    view.go_to(line, 4)
    assert surface.firstVisibleLine() == 0
    view.resize(220, 400)
    qtbot.waitUntil(lambda: surface.firstVisibleLine() > 0)
    assert 0 <= surface.pointYFromPosition(surface.currentPos()) < 400


def test_a_view_that_was_scrolled_away_from_the_caret_stays_where_it_is(make_view):
    view = make_view("some words that are wrapped in a narrow view but not in a wide one\n" * 200, wrap=True)
    view.surface.setFirstVisibleLine(100)
    line = view.surface.docLineFromVisible(100)
    view.resize(220, 400)
    QCoreApplication.sendPostedEvents()
    view.surface.viewport().grab()
    assert view.surface.docLineFromVisible(view.surface.firstVisibleLine()) >= line - 2


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_selection_has_the_themes_color_however_it_came_about(make_view, theme):
    view = make_view("words")
    view.apply_theme(theme)
    elements = Scintilla.Element
    wanted = scintilla_color(theme.selection)
    for element in (elements.SelectionBack, elements.SelectionAdditionalBack, elements.SelectionSecondaryBack):
        assert view.surface.elementColour(element) & 0xFFFFFF == wanted
