"""Text that came from the model is marked as such, and the marks survive the file."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent

from app.paths import history_file
from engine.types import TextSpan
from tests.app.window.conftest import deliver
from tests.app.window.keeping import generated, run, settle


def test_generated_text_is_marked_until_edited_and_its_share_shown(desk):
    desk.open("x.txt", "some old words")
    bar = desk.window.status
    run(desk, "old", accept=True)
    assert not bar.generated.isVisible()
    desk.do("infill.show_generated")
    assert bar.generated.text() == "21 % generated"
    assert desk.tab.view.surface.indicatorValueAt(20, 6) == 1
    desk.tab.view.replace_spans([(6, 7, "x")])
    desk.window.feed.refresh()
    assert generated(desk.tab) == ["O", "D"]
    assert bar.generated.text() == "14 % generated"
    desk.tab.view.undo()
    desk.tab.view.undo()
    desk.window.feed.refresh()
    assert bar.generated.text() == "0 % generated"
    desk.do("infill.show_generated")
    assert not bar.generated.isVisible()


def test_marks_survive_saving_closing_and_opening(desk):
    tab = desk.open("x.txt", "some old words")
    run(desk, "old", accept=True)
    desk.do("file.save")
    desk.do("file.close")
    desk.window.open_paths([(desk.folder / "x.txt", None, 1)])
    settle(desk)
    assert desk.tab is not tab
    assert generated(desk.tab) == ["OLD"]
    assert (desk.folder / "x.txt").read_text() == "some OLD words"
    desk.do("file.close")
    (desk.folder / "x.txt").write_text("some OLD words, and others")
    desk.window.open_paths([(desk.folder / "x.txt", None, 1)])
    settle(desk)
    assert generated(desk.tab) == []


def test_marks_are_read_again_with_the_file(desk):
    desk.open("x.txt", "some old words")
    run(desk, "old", accept=True)
    desk.do("file.save")
    desk.do("file.reload")
    settle(desk)
    assert generated(desk.tab) == ["OLD"]


def test_text_typed_while_the_marks_are_on_their_way_moves_them(desk):
    desk.open("x.txt", "some old words")
    run(desk, "old", accept=True)
    desk.do("file.save")
    desk.do("file.close")
    desk.window.open_paths([(desk.folder / "x.txt", None, 1)])
    desk.type("now ")
    settle(desk)
    assert generated(desk.tab) == ["OLD"]


def test_without_the_setting_marks_are_not_kept(desk):
    desk.window.settings["history.keep_marks"] = False
    desk.window.settings["history.enabled"] = False
    desk.open("x.txt", "some old words")
    run(desk, "old", accept=True)
    desk.do("file.save")
    settle(desk)
    assert generated(desk.tab) == ["OLD"]
    assert not history_file().exists()


def test_marks_are_shown_under_a_preview_too(desk):
    desk.open("x.txt", "one two three four five six")
    run(desk, "two", accept=True)
    desk.do("infill.show_generated")
    desk.fill("five")
    desk.allow(1)
    deliver()
    preview = desk.tab.view.preview
    assert not preview.isHidden()
    marked = [at for at in range(preview.length()) if preview.indicatorValueAt(20, at)]
    assert marked == [4, 5, 6]
    desk.tab.controller.give_up()


def test_a_draft_in_generated_text_is_not_marked_as_text_of_the_file(desk):
    desk.open("x.txt", "one two three four five six")
    run(desk, "two three four", accept=True)
    desk.do("infill.show_generated")
    desk.tab.view.select([TextSpan(8, 13)])
    desk.do("infill.fill")
    for _ in range(3):
        preview = desk.tab.view.preview
        marked = [at for at in range(preview.length()) if preview.indicatorValueAt(20, at)]
        shown = preview.text_bytes(0, preview.length())
        assert bytes(shown[at] for at in marked) == b"TWO  FOUR"
        desk.allow(1)
    desk.tab.controller.give_up()


def test_marks_that_are_found_after_the_tab_was_closed_go_nowhere(desk):
    tab = desk.open("a.txt", "one two")
    assert desk.window.filing.close(tab)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    settle(desk)
    assert not desk.window.tabs.count()
