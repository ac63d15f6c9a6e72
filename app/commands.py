"""Every action of the user, once: id, title, keys, handler. Menus and shortcuts (and a palette) are made from these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtGui import QKeySequence


@dataclass(frozen=True, slots=True)
class Command:
    """One action.

    Attributes:
        id: `group.name`, stable; what a key map would refer to.
        title: what the user reads, in the imperative; an ellipsis when it asks for more before it acts.
        handler: called without arguments (with the new state, a bool, when `is_on` is given).
        keys: shortcuts in Qt's portable form, the one that is shown first.
        enabled: whether it can act now; None when it always can.
        is_on: the state of a command that switches something.
        starts_section: a separator comes before it in menus.
        text_key: a key that means the command only at some places in the text, which answers it itself; it is shown
            where there is no other one.
    """

    id: str
    title: str
    handler: Callable[..., object]
    keys: tuple[str, ...] = ()
    enabled: Callable[[], bool] | None = None
    is_on: Callable[[], bool] | None = None
    starts_section: bool = False
    text_key: str = ""

    @property
    def group(self) -> str:
        """The part of the id before the dot: the menu it is in."""
        return self.id.partition(".")[0]

    @property
    def can_run(self) -> bool:
        """Whether the command can act now."""
        return self.enabled is None or self.enabled()

    @property
    def key_text(self) -> str:
        """The shown shortcut as this system writes it, or nothing."""
        key = self.keys[0] if self.keys else self.text_key
        return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


class Commands:
    """All commands by id, in the order in which they were added."""

    def __init__(self) -> None:
        self._by_id: dict[str, Command] = {}

    def add(self, *commands: Command) -> None:
        """Adds commands. Raises ValueError for an id or a key that another one has."""
        for command in commands:
            if command.id in self._by_id:
                raise ValueError(f"two commands are called {command.id}")
            taken = self._owner_of(command.keys)
            if taken is not None:
                raise ValueError(f"{command.id} and {taken.id} have a key in common")
            self._by_id[command.id] = command

    def __getitem__(self, command_id: str) -> Command:
        return self._by_id[command_id]

    def __iter__(self) -> Iterator[Command]:
        return iter(self._by_id.values())

    def group(self, name: str) -> list[Command]:
        """The commands of one menu."""
        return [command for command in self if command.group == name]

    def run(self, command_id: str) -> None:
        """Does what the command does, if it can act now."""
        command = self._by_id[command_id]
        if command.can_run:
            command.handler()

    def _owner_of(self, keys: tuple[str, ...]) -> Command | None:
        wanted = {QKeySequence(key).toString() for key in keys}
        for command in self:
            if wanted & {QKeySequence(key).toString() for key in command.keys}:
                return command
        return None
