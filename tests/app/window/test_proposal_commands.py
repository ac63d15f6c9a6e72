"""The Proposal menu, in a window."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QGuiApplication

from app.window.diff_dialog import DiffDialog
from engine.types import TextSpan

TEXT = "one two three.\nfour five six.\n"


@pytest.fixture
def proposing(desk):
    """A window in which two proposals wait."""
    desk.open("a.txt", TEXT)
    for text in ("two three", "five"):
        desk.fill(text)
        desk.allow(4)
    return desk


def is_enabled(desk, command):
    return desk.window.actions_.of(command).isEnabled()


def test_commands_are_grey_until_something_is_proposed(desk):
    desk.open("a.txt", TEXT)
    commands = [command.id for command in desk.window.actions_.commands.group("proposal")]
    shown = {"proposal.before", "proposal.words", "proposal.panel"}
    assert not any(is_enabled(desk, command) for command in commands if command not in shown)
    desk.fill("five")
    desk.allow(4)
    assert all(is_enabled(desk, command) for command in commands)
    desk.do("proposal.reject_all")
    assert not is_enabled(desk, "proposal.next")


def test_one_can_go_through_the_proposals_and_take_one_by_the_word(proposing):
    view = proposing.tab.view
    proposing.do("proposal.next")
    assert view.caret_offset() == TEXT.index("two")
    proposing.do("proposal.accept_word")
    assert view.text() == TEXT.replace("two", "TWO")
    proposing.do("proposal.previous")
    assert view.caret_offset() == TEXT.index("five")
    proposing.do("proposal.accept_span")
    assert view.text() == TEXT.replace("two", "TWO").replace("five", "FIVE")
    proposing.do("edit.undo")
    proposing.do("edit.undo")
    assert view.text() == TEXT


def test_all_can_be_accepted_or_discarded(proposing):
    proposing.do("proposal.accept_all")
    assert proposing.tab.view.text() == TEXT.replace("two three", "TWO THREE").replace("five", "FIVE")
    proposing.do("edit.undo")
    proposing.tab.view.select([TextSpan(0, 3)])
    proposing.do("infill.fill")
    proposing.allow(4)
    proposing.do("proposal.reject_all")
    assert proposing.tab.view.text() == TEXT
    assert not proposing.tab.view.overlay.is_shown


def test_what_is_shown_is_ticked_and_one_of_three(proposing):
    before, words = (proposing.window.actions_.of(f"proposal.{name}") for name in ("before", "words"))
    before.trigger()
    assert (before.isChecked(), words.isChecked()) == (True, False)
    words.trigger()
    assert (before.isChecked(), words.isChecked()) == (False, True)
    words.trigger()
    assert (before.isChecked(), words.isChecked()) == (False, False)


def test_the_unified_diff_can_be_copied_and_changes_nothing(proposing):
    proposing.do("proposal.unified")
    (dialog,) = proposing.window.findChildren(DiffDialog)
    diff = dialog.text.toPlainText()
    assert diff.startswith("--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n")
    assert "-one two three.\n" in diff
    assert "+four FIVE six.\n" in diff
    assert dialog.text.isReadOnly()
    dialog.copy_button.click()
    assert QGuiApplication.clipboard().text() == diff
    dialog.close()
    assert proposing.tab.view.text() == TEXT


def test_a_key_that_only_the_text_answers_is_shown_but_is_no_shortcut(proposing):
    action = proposing.window.actions_.of("proposal.accept_word")
    assert action.text() == "Accept Next Word\tCtrl+Right"
    assert action.shortcuts() == []
