"""Opening, saving and closing lose nothing and say in a sentence what went wrong."""

from __future__ import annotations

import errno
import os
import sys

import pytest

from app.window.asks import Answer


def test_an_opened_file_is_shown_with_its_name_encoding_and_line_ends(desk):
    tab = desk.open("notes.md", "# Täst\r\n".encode("utf-8-sig"))
    assert tab.view.text() == "# Täst\r\n"
    assert desk.window.windowTitle() == "notes.md[*] — Redraft"
    assert desk.window.status.encoding.text() == "UTF-8 with BOM"
    assert desk.window.status.eol.text() == "CRLF"
    assert desk.window.status.language.text() == "Markdown"
    assert not tab.document.is_modified


@pytest.mark.parametrize(
    "data",
    [
        b"a\r\nb\nc\rd",
        "\ufeffä\r\n".encode(),
        "grüße\n".encode("cp1252"),
        "ä\n".encode("utf-16"),
        b"",
        b"no end of line",
    ],
)
def test_a_saved_file_has_the_same_bytes_but_for_the_edit(desk, data):
    tab = desk.open("x.txt", data)
    before = tab.view.text()
    desk.type("Z")
    assert desk.window.isWindowModified()
    desk.do("file.save")
    saved = (desk.folder / "x.txt").read_bytes()
    assert saved.decode(tab.document.encoding).lstrip("\ufeff") == "Z" + before
    tab.view.undo()
    desk.do("file.save")
    assert (desk.folder / "x.txt").read_bytes() == data
    assert not desk.window.isWindowModified()


def test_undo_back_to_the_saved_text_is_not_modified_any_more(desk):
    desk.open("x.txt", "text")
    desk.type("more ")
    assert desk.tab.document.is_modified
    desk.do("edit.undo")
    assert not desk.tab.document.is_modified
    desk.do("edit.redo")
    assert desk.tab.document.is_modified


def test_a_binary_file_is_refused_in_a_notice_and_opens_no_tab(desk):
    desk.window.open_paths([(desk.file("x.png", b"\x89PNG\0\0"), None, 1)])
    assert "is not a text file" in desk.window.notices.text
    assert [tab.document.title for tab in desk.window.tabs.all] == ["Untitled"]
    desk.window.notices.closer.click()
    assert desk.window.notices.text == ""


def test_a_path_that_cannot_be_looked_at_is_told(desk):
    (desk.folder / "a").symlink_to("b")
    (desk.folder / "b").symlink_to("a")
    plain = desk.file("plain.txt", "x")
    for path in (desk.folder / "a", desk.folder / ("n" * 300), plain / "below"):
        desk.window.open_paths([(path, None, 1)])
        assert f"“{path}” could not be read" in desk.window.notices.text
        assert [tab.document.title for tab in desk.window.tabs.all] == ["Untitled"]


def test_a_path_that_is_not_there_begins_a_file_that_saving_makes(desk):
    desk.window.open_paths([(desk.folder / "new.py", None, 1)])
    assert desk.tab.document.language == "python"
    assert not (desk.folder / "new.py").exists()
    desk.type("x = 1\n")
    desk.do("file.save")
    assert (desk.folder / "new.py").read_text() == "x = 1\n"


def test_a_file_opens_at_its_line_and_column(desk):
    desk.window.open_paths([(desk.file("x.txt", "one\ntwo\nthree"), 2, 3)])
    assert desk.tab.view.caret_offset() == 6
    desk.qtbot.waitUntil(lambda: desk.window.status.position.text() == "Ln 2, Col 3")


def test_a_file_that_is_open_is_brought_to_the_front_not_opened_twice(desk):
    first = desk.open("a.txt")
    desk.open("b.txt")
    assert desk.window.filing.open(desk.folder / "a.txt") is first
    assert desk.window.tabs.current is first
    assert desk.window.tabs.count() == 2


def test_an_untouched_untitled_document_makes_room_for_a_file(desk):
    desk.window.open_paths([])
    desk.open("a.txt")
    assert [tab.document.title for tab in desk.window.tabs.all] == ["a.txt"]


def test_files_chosen_in_the_dialog_are_opened(desk):
    desk.open("a.txt")
    desk.asks.answers = [[desk.file("b.txt"), desk.file("c.txt")]]
    desk.do("file.open")
    assert [tab.document.title for tab in desk.window.tabs.all] == ["a.txt", "b.txt", "c.txt"]
    assert desk.asks.asked == [f"open in {desk.folder}"]


def test_saving_an_unnamed_document_asks_where(desk):
    desk.do("file.new")
    desk.type("text")
    desk.asks.answers = [None, desk.folder / "named.txt"]
    desk.do("file.save")
    assert desk.tab.document.is_modified
    desk.do("file.save")
    assert (desk.folder / "named.txt").read_text() == "text"
    assert desk.window.tabs.tabText(0) == "named.txt"


def test_save_as_takes_the_new_name_and_language(desk):
    desk.open("x.txt", "x = 1")
    desk.asks.answers = [desk.folder / "y.py"]
    desk.do("file.save_as")
    assert desk.window.status.language.text() == "Python"
    assert (desk.folder / "x.txt").read_text() == (desk.folder / "y.py").read_text() == "x = 1"


def test_save_all_saves_what_is_modified(desk):
    for name in ("a.txt", "b.txt"):
        desk.open(name)
        desk.type(name)
    desk.do("file.save_all")
    assert [(desk.folder / name).read_text() for name in ("a.txt", "b.txt")] == ["a.txt", "b.txt"]


def test_a_write_protected_file_is_kept_and_another_place_is_offered(desk):
    desk.open("x.txt", "old")
    (desk.folder / "x.txt").chmod(0o444)
    desk.type("new ")
    desk.do("file.save")
    assert "write-protected" in desk.window.notices.text
    assert desk.tab.document.is_modified
    desk.asks.answers = [desk.folder / "y.txt"]
    desk.window.notices.button.click()
    assert (desk.folder / "y.txt").read_text() == "new old"
    assert (desk.folder / "x.txt").read_text() == "old"


def test_a_full_disk_is_told_and_the_old_file_is_whole(desk, monkeypatch):
    desk.open("x.txt", "old")
    desk.type("new ")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        desk.do("file.save")
    assert "disk is full" in desk.window.notices.text
    assert (desk.folder / "x.txt").read_text() == "old"
    assert desk.tab.document.is_modified
    assert desk.tab.view.text() == "new old"
    desk.do("file.save")
    assert (desk.folder / "x.txt").read_text() == "new old"


def test_a_folder_that_is_gone_is_told(desk):
    (desk.folder / "sub").mkdir()
    path = desk.file("sub/x.txt", "old")
    desk.window.open_paths([(path, None, 1)])
    path.unlink()
    path.parent.rmdir()
    desk.type("new ")
    desk.do("file.save")
    assert "does not exist any more" in desk.window.notices.text
    assert desk.tab.view.text() == "new old"


def test_a_character_the_encoding_lacks_is_saved_only_as_utf8(desk):
    data = "grüße".encode("cp1252")
    desk.open("x.txt", data)
    desk.type("日")
    desk.asks.answers = [Answer.CANCEL, Answer.UTF8]
    desk.do("file.save")
    assert (desk.folder / "x.txt").read_bytes() == data
    assert desk.tab.document.encoding == "cp1252"
    assert desk.tab.document.is_modified
    desk.do("file.save")
    assert (desk.folder / "x.txt").read_text(encoding="utf-8") == "日grüße"
    assert desk.window.status.encoding.text() == "UTF-8"
    assert "“日” in line 1 does not exist in Windows-1252" in desk.asks.asked[0]


def test_when_even_utf8_cannot_be_saved_the_encoding_stays(desk):
    desk.open("x.txt", "grüße".encode("cp1252"))
    (desk.folder / "x.txt").chmod(0o444)
    desk.type("日")
    desk.asks.answers = [Answer.UTF8]
    desk.do("file.save")
    assert "write-protected" in desk.window.notices.text
    assert desk.tab.document.encoding == "cp1252"


def test_a_file_can_be_read_again_in_another_encoding_and_saved_in_one(desk):
    tab = desk.open("x.txt", "кот".encode("koi8-r"))
    assert tab.document.encoding == "cp1252"
    assert desk.window.filing.reload(tab, "koi8-r")
    assert tab.view.text() == "кот"
    assert not desk.window.filing.reload(tab, "utf-8")
    assert "is not valid UTF-8" in desk.window.notices.text
    assert (tab.view.text(), tab.document.encoding) == ("кот", "koi8-r")


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no Unicode are of Linux")
def test_a_file_whose_name_is_no_text_is_opened_and_saved(desk):
    path = desk.folder / os.fsdecode(b"caf\xe9.txt")
    path.write_bytes(b"old")
    desk.window.open_paths([(path, None, 1)])
    desk.type("new ")
    desk.do("file.save")
    assert path.read_bytes() == b"new old"
    path.chmod(0o444)
    desk.do("file.save")
    assert "write-protected" in desk.window.notices.text


def test_nothing_provisional_is_ever_saved(desk):
    desk.open("x.txt", "some old words")
    desk.fill("old")
    for _ in range(3):
        desk.allow(1)
        desk.do("file.save")
        assert (desk.folder / "x.txt").read_text() == "some old words"
    desk.allow(1)
    desk.asks.answers = [Answer.SAVE, Answer.CANCEL]
    desk.do("file.save")
    assert desk.asks.asked == ["save beside 1 proposed in x.txt"]
    assert desk.tab.controller.proposals.has_pending
    assert "only proposed is not part of it" in desk.window.status.message.text()
    desk.do("file.save")
    assert desk.tab.controller.proposals.has_pending
    assert (desk.folder / "x.txt").read_text() == "some old words"


def test_saving_can_accept_all_proposals_first(desk):
    desk.open("x.txt", "some old words")
    for text in ("old", "words"):
        desk.fill(text)
        desk.allow(4)
    desk.asks.answers = [Answer.ACCEPT]
    desk.do("file.save")
    assert desk.asks.asked == ["save beside 2 proposed in x.txt"]
    assert (desk.folder / "x.txt").read_text() == "some OLD WORDS"
    desk.do("edit.undo")
    assert desk.tab.view.text() == "some old words"
