"""When previews are on the screen, and what stands in for them."""

from __future__ import annotations

from app.editor import overlay as overlay_module
from app.editor.draft import SpanPreview
from engine.types import Cell, CellState, TextSpan
from tests.app.editor.drafts import LINES, draft, shown


def test_the_copy_follows_edits_elsewhere_while_it_is_hidden(make_view, qtbot):
    view = make_view(LINES)
    view.overlay.show([draft(LINES, "line 050", ["draft"])])
    view.replace_spans([(0, 0, "new first\n"), (len(LINES) - 4, len(LINES), "é")])
    assert not view.overlay.is_shown
    expected = view.text().replace("line 050", "draft")
    assert shown(view) == expected
    view.overlay.show([draft(view.text(), "line 050", ["draft"])])
    assert shown(view) == expected


def test_ending_the_preview_forgets_the_copy(make_view):
    view = make_view(LINES)
    view.overlay.show([draft(LINES, "line 050", ["draft"])])
    view.overlay.end()
    assert not view.preview.is_open
    assert shown(view) == ""
    view.overlay.show([draft(LINES, "line 051", ["other"])])
    assert shown(view) == LINES.replace("line 051", "other")


def test_very_large_documents_get_an_annotation_instead(make_view, monkeypatch):
    monkeypatch.setattr(overlay_module, "LARGEST_PREVIEW", 100)
    view = make_view(LINES)
    masked = SpanPreview(TextSpan(0, 4), (Cell("", CellState.MASKED), Cell(" x", CellState.REVEALED)))
    view.overlay.show([masked])
    assert view.overlay.is_shown
    assert view.preview.isHidden()
    assert view.surface.annotationText(0).data().decode() == "░ x"
    assert not view.is_modified
    assert not view.surface.canUndo()
    assert view.text() == LINES
    view.replace_spans([(20, 21, "x")])
    assert not view.overlay.is_shown
    assert view.surface.annotationLines(0) == 0
