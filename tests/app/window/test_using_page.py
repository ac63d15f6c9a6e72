"""The user's page names every command with its key. With REDRAFT_WRITE_PAGE=1 the test writes its table anew."""

from __future__ import annotations

import os
from pathlib import Path

from app.commands import Command
from tests.app.window.conftest import Desk

PAGE = Path(__file__).parents[3] / "docs" / "using-redraft.md"
BEGIN, END = "<!-- commands -->\n", "<!-- end of commands -->"
MENUS = {"file": "File", "edit": "Edit", "view": "View", "infill": "Infill", "proposal": "Proposal", "help": "Help"}


def table(commands: list[Command]) -> str:
    """All commands by menu, as Markdown."""
    lines = ["| menu | command | keys |", "| --- | --- | --- |"]
    for command in commands:
        keys = [f"`{key}`" for key in command.keys] + ([f"(`{command.text_key}`)"] if command.text_key else [])
        lines.append(f"| {MENUS[command.group]} | {command.title} | {' '.join(keys)} |")
    return "\n".join(lines) + "\n"


def test_the_page_names_every_command_and_key(desk: Desk) -> None:
    text = PAGE.read_text(encoding="utf-8")
    if os.environ.get("REDRAFT_WRITE_PAGE"):
        head, _, rest = text.partition(BEGIN)
        text = head + BEGIN + table(list(desk.window.actions_.commands)) + rest[rest.index(END) :]
        PAGE.write_text(text, encoding="utf-8")
    listed = text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
    assert listed == table(list(desk.window.actions_.commands)), "see the head of this test"


def test_the_pages_pictures_are_there() -> None:
    pictures = [part.partition(")")[0] for part in PAGE.read_text(encoding="utf-8").split("](images/")[1:]]
    assert pictures
    assert all((PAGE.parent / "images" / name).is_file() for name in pictures)
