"""What a setting is: its type and limits, its words for people, and when it has no effect."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = bool | int | float | str


class SettingError(ValueError):
    """A value that a setting does not take; str() is the sentence for the user."""


@dataclass(frozen=True, slots=True)
class Unless:
    """A setting has no effect while another one has one of these values, and those in `also` have one of theirs."""

    key: str
    values: tuple[Value, ...]
    reason: str
    also: tuple[tuple[str, tuple[Value, ...]], ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The settings that it depends on."""
        return (self.key, *(key for key, _ in self.also))

    def holds(self, now: Mapping[str, Value]) -> bool:
        """Whether it is so with these values."""
        return all(now[key] in values for key, values in ((self.key, self.values), *self.also))


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        minimum, maximum: inclusive. choices: all that a text may be; prefixes: further beginnings that are allowed.
        zero_means: what the least value (or no text) is shown as.
        unless: when it has no effect.
        heading: of the group that begins with this setting where settings are listed.
        shown_with: the setting in whose place this one is shown too.
    """

    key: str
    type: type
    default: Value
    label: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    zero_means: str = ""
    unless: Unless | None = None
    heading: str = ""
    shown_with: str = ""

    @property
    def section(self) -> str:
        """The part of the key before the dot: a table of the file, a group of the panel."""
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """The part of the key after the dot."""
        return self.key.partition(".")[2]

    def validated(self, value: object) -> Value:
        """The value in the setting's type. Raises SettingError, whose text says what is allowed."""
        if self.type is bool:
            if isinstance(value, bool):
                return value
        elif self.type is str:
            if isinstance(value, str) and self._allows(value):
                return value
        elif isinstance(value, int | float) and not isinstance(value, bool) and self._in_range(value):
            return float(value) if self.type is float else int(value)
        raise SettingError(f"{self.key} must be {self._expected()}, not {value!r}.")

    def _allows(self, value: str) -> bool:
        return not self.choices or value in self.choices or (bool(self.prefixes) and value.startswith(self.prefixes))

    def _in_range(self, value: float) -> bool:
        low, high = self.minimum, self.maximum
        if not ((low is None or value >= low) and (high is None or value <= high)):
            return False
        return math.isfinite(value) and (self.type is float or value == int(value))

    def _expected(self) -> str:
        if self.type is bool:
            return "true or false"
        if self.type is str:
            return "one of " + ", ".join(self.choices) if self.choices else "a text"
        kind = "a whole number" if self.type is int else "a number"
        return f"{kind} from {self.minimum:g} to {self.maximum:g}"
