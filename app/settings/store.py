"""The values of the settings, and the file they are kept in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from app.paths import replace_file, settings_file
from app.settings.declared import SETTINGS
from app.settings.setting import Setting, SettingError, Value

if TYPE_CHECKING:
    import tomlkit


class Settings(QObject):
    """The user's settings: `settings["infill.steps"]` reads one, assigning validates it and emits `changed`.

    Only what differs from the defaults is in the file; comments and unknown keys in it are kept. `problems` holds a
    sentence for each thing in the file that could not be used.
    """

    changed = Signal(str, object)

    def __init__(self, path: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path or settings_file()
        self._declared = {setting.key: setting for setting in SETTINGS}
        self._values: dict[str, Value] = {setting.key: setting.default for setting in SETTINGS}
        self._unsaved: set[str] = set()
        self.problems: list[str] = []

    @property
    def path(self) -> Path:
        """The file behind these settings."""
        return self._path

    def declaration(self, key: str) -> Setting:
        """The setting's declaration. Raises KeyError for a key that is none."""
        return self._declared[key]

    def __getitem__(self, key: str) -> Any:  # Any: callers know the declared type
        return self._values[key]

    def __setitem__(self, key: str, value: object) -> None:
        valid = self._declared[key].validated(value)
        if valid != self._values[key]:
            self._values[key] = valid
            self._unsaved.add(key)
            self.changed.emit(key, valid)

    def is_default(self, key: str) -> bool:
        """Whether the setting has its default value."""
        return self._values[key] == self._declared[key].default

    def reset(self, key: str) -> None:
        """Gives one setting its default again."""
        self[key] = self._declared[key].default
        self._unsaved.add(key)  # an odd value in the file goes too

    def reset_all(self, *sections: str) -> None:
        """Gives all settings of these sections their defaults again."""
        for key, setting in self._declared.items():
            if setting.section in sections:
                self.reset(key)

    def why_inert(self, key: str) -> str | None:
        """Why the setting has no effect at present, or None when it has."""
        unless = self._declared[key].unless
        return unless.reason if unless is not None and unless.holds(self._values) else None

    def load(self) -> None:
        """Takes over what the file says; what cannot be used is left at its default and told in `problems`."""
        self.problems = []
        try:
            tables = tomllib.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self.problems.append(f"The settings in {self._path} could not be read ({error}); the defaults are used.")
            return
        for key, value in _flat(tables):
            self._take(key, value)

    def save(self) -> None:
        """Writes what was changed since the last save into the file, and leaves the rest of the file alone.

        A file that is no TOML is first put aside as `settings.toml.broken`. Raises OSError.
        """
        if not self._unsaved:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        document = self._document()
        for key in sorted(self._unsaved):
            self._write(document, self._declared[key])
        replace_file(self._path, document.as_string().encode("utf-8"))
        self._unsaved.clear()

    def _take(self, key: str, value: object) -> None:
        setting = self._declared.get(key)
        if setting is None:
            return  # another version's setting
        try:
            valid = setting.validated(value)
        except SettingError as error:
            self.problems.append(f"In {self._path.name}: {error} The default is used.")
            return
        if valid != self._values[key]:
            self._values[key] = valid
            self.changed.emit(key, valid)

    def _document(self) -> tomlkit.TOMLDocument:
        import tomlkit
        from tomlkit.exceptions import ParseError

        try:
            return tomlkit.parse(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return tomlkit.document()
        except (UnicodeDecodeError, ParseError):
            self._path.replace(self._path.with_name(self._path.name + ".broken"))
            return tomlkit.document()

    def _write(self, document: tomlkit.TOMLDocument, setting: Setting) -> None:
        import tomlkit

        table = document.get(setting.section)
        if not isinstance(table, Mapping):
            document[setting.section] = table = tomlkit.table()
        if self.is_default(setting.key):
            table.pop(setting.name, None)  # type: ignore[attr-defined]
        else:
            table[setting.name] = self._values[setting.key]  # type: ignore[index]


def _flat(tables: Mapping[str, object]) -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = []
    for section, table in tables.items():
        if isinstance(table, Mapping):
            pairs += [(f"{section}.{name}", value) for name, value in table.items()]
    return pairs
