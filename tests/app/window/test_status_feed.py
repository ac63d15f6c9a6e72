"""The status bar tells the truth about the front document."""

from __future__ import annotations

from app.window import status_feed
from engine.types import TextSpan


def counts(desk):
    return desk.window.status.counts.text()


def test_words_are_counted_and_a_selection_is_counted_in_characters(desk):
    desk.open("x.txt", "one two  three\n")
    assert counts(desk) == "3 words"
    desk.tab.view.select([TextSpan(0, 3)])
    desk.qtbot.waitUntil(lambda: counts(desk) == "3 selected")
    desk.tab.view.select([TextSpan(0, 3), TextSpan(4, 7)])
    desk.qtbot.waitUntil(lambda: counts(desk) == "6 selected in 2 places")


def test_typing_is_counted_after_a_moment(desk):
    desk.open("x.txt", "one")
    assert counts(desk) == "1 word"
    desk.type("more ")
    desk.qtbot.waitUntil(lambda: counts(desk) == "2 words")


def test_a_large_document_is_counted_in_characters_only(desk, monkeypatch):
    monkeypatch.setattr(status_feed, "_MOST_COUNTED", 10)
    desk.open("x.txt", "é" * 1200)
    assert counts(desk) == "1,200 characters"


def test_without_a_document_nothing_is_claimed(desk):
    desk.open("x.txt", "one")
    desk.do("file.close")
    bar = desk.window.status
    assert (bar.position.text(), bar.counts.text()) == ("", "")
    assert not bar.language.isVisible()


def test_a_language_chosen_in_the_menu_colors_the_text(desk):
    desk.open("x.txt", "x = 1")
    menu = desk.window.status.language.menu()
    menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions() if action.isChecked()] == ["Plain Text"]
    next(action for action in menu.actions() if action.text() == "Python").trigger()
    assert desk.window.status.language.text() == "Python"
    assert desk.tab.document.language == "python"


def entry(menu, submenu, label):
    part = next(action.menu() for action in menu.actions() if action.text() == submenu)
    return next(action for action in part.actions() if action.text() == label)


def test_a_file_is_read_again_in_an_encoding_of_the_menu(desk):
    desk.open("x.txt", "кот".encode("koi8-r"))
    entry(desk.window.status.encoding.menu(), "Reopen with", "KOI8-R").trigger()
    assert desk.tab.view.text() == "кот"
    assert desk.window.status.encoding.text() == "KOI8-R"


def test_a_file_is_saved_in_an_encoding_of_the_menu(desk):
    desk.open("x.txt", "grüße")
    entry(desk.window.status.encoding.menu(), "Save with", "UTF-16 LE").trigger()
    assert desk.tab.document.is_modified
    desk.do("file.save")
    assert (desk.folder / "x.txt").read_bytes() == "grüße".encode("utf-16")
    assert desk.window.status.encoding.text() == "UTF-16 LE with BOM"


def test_an_unnamed_document_cannot_be_read_again(desk):
    desk.do("file.new")
    menu = desk.window.status.encoding.menu()
    menu.aboutToShow.emit()
    assert not menu.actions()[0].isEnabled()
