"""Where Redraft keeps its own files, and the one way in which a file is replaced."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

import platformdirs

_APP = "redraft"


def resource(name: str) -> Path:
    """A file that Redraft brings along, such as `icons/redraft.svg`."""
    return Path(__file__).parents[1] / "resources" / name


def config_dir() -> Path:
    """The user's folder for settings; `REDRAFT_CONFIG_DIR` overrides it."""
    return _chosen("REDRAFT_CONFIG_DIR") or Path(platformdirs.user_config_dir(_APP, appauthor=False, roaming=True))


def settings_file() -> Path:
    """The file that holds the user's settings."""
    return config_dir() / "settings.toml"


def state_file() -> Path:
    """The file that remembers the window's shape between starts; `REDRAFT_DATA_DIR` overrides its folder."""
    folder = _chosen("REDRAFT_DATA_DIR") or Path(platformdirs.user_state_dir(_APP, appauthor=False))
    return folder / "window.toml"


def history_file() -> Path:
    """The database that remembers the runs; `REDRAFT_DATA_DIR` overrides its folder."""
    folder = _chosen("REDRAFT_DATA_DIR") or Path(platformdirs.user_data_dir(_APP, appauthor=False))
    return folder / "history.sqlite3"


def speeds_file() -> Path:
    """The file that remembers how fast models were; beside the window's shape."""
    return state_file().with_name("speeds.json")


def log_file() -> Path:
    """The log that errors are written to; `REDRAFT_LOG_DIR` overrides its folder."""
    return (_chosen("REDRAFT_LOG_DIR") or Path(platformdirs.user_log_dir(_APP, appauthor=False))) / "redraft.log"


def _chosen(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None


def replace_file(path: Path, data: bytes) -> None:
    """Puts `data` in the place of the file at `path`, wholly or not at all.

    Writes a temporary file in the same folder, syncs it, and renames it over the old one. A symbolic link is followed;
    mode and, where allowed, owner of the old file are kept. Raises OSError; the old file is then as it was.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name[:80]}.{secrets.token_hex(4)}.tmp")
    try:
        _write_synced(temporary, data, target)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _write_synced(temporary: Path, data: bytes, target: Path) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(temporary, flags, 0o600 if target.exists() else 0o666), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileNotFoundError):
        old = target.stat()
        if hasattr(os, "chown"):
            with contextlib.suppress(OSError):
                os.chown(temporary, old.st_uid, old.st_gid)
        temporary.chmod(old.st_mode & 0o7777)


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself survive a power loss, where the system can."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
