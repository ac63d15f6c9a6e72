"""Commands are declared once and never share an id or a key."""

from __future__ import annotations

import pytest

from app.commands import Command, Commands


def nothing() -> None:
    """Does nothing."""


def test_commands_are_found_by_id_and_by_group_in_their_order(qapp):
    commands = Commands()
    commands.add(Command("file.b", "B", nothing), Command("edit.x", "X", nothing), Command("file.a", "A", nothing))
    assert [command.id for command in commands.group("file")] == ["file.b", "file.a"]
    assert commands["edit.x"].title == "X"


def test_two_commands_cannot_have_one_id_or_one_key(qapp):
    commands = Commands()
    commands.add(Command("file.save", "Save", nothing, ("Ctrl+S",)))
    with pytest.raises(ValueError, match="two commands"):
        commands.add(Command("file.save", "Again", nothing))
    with pytest.raises(ValueError, match="a key in common"):
        commands.add(Command("file.other", "Other", nothing, ("Alt+X", "ctrl+s")))


def test_a_command_that_cannot_act_does_nothing(qapp):
    done: list[str] = []
    able = [False]
    commands = Commands()
    commands.add(Command("infill.fill", "Fill", lambda: done.append("fill"), ("Ctrl+Return",), lambda: able[0]))
    commands.run("infill.fill")
    assert done == []
    able[0] = True
    commands.run("infill.fill")
    assert done == ["fill"]


def test_the_shown_key_is_the_first_one(qapp):
    assert Command("a.b", "B", nothing, ("Ctrl+Shift+Z", "Ctrl+Y")).key_text == "Ctrl+Shift+Z"
    assert Command("a.b", "B", nothing).key_text == ""
