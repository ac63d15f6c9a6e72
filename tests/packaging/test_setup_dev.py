"""What `make` calls, without installing anything."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "packaging" / "setup_dev.py"
LDD = """\
\tlinux-vdso.so.1 (0x00007ffd)
\tlibxcb-icccm.so.4 => not found
\tlibxcb.so.1 => /lib/x86_64-linux-gnu/libxcb.so.1 (0x00007f02)
\tlibxcb-keysyms.so.1 => not found
\tlibxcb-icccm.so.4 => not found
"""


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(SCRIPT.parent)  # as it is when the script is run
    spec = importlib.util.spec_from_file_location("setup_dev", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def calls(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands that would have been run; all succeed."""
    made: list[list[str]] = []

    def note(command: list[object], *, check: bool = True, quiet: bool = False) -> int:
        made.append([str(part) for part in command])
        return 0

    monkeypatch.setattr(setup, "call", note)
    return made


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a path short enough for a Unix socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def test_missing_libraries_become_debian_packages_each_once(setup, monkeypatch, tmp_path):
    """What lies beside PySide6 is not looked for in the system."""
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    for name in (*setup.X11_FILES, "PySide6/Qt/lib/libQt6Core.so.6"):
        site.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        site.joinpath(name).touch()
    answer = subprocess.CompletedProcess([], 0, stdout=LDD, stderr="")
    monkeypatch.setattr(setup.subprocess, "run", lambda *arguments, **options: answer)
    monkeypatch.setattr(setup, "VENV", tmp_path)
    monkeypatch.setattr(setup, "has_fonts", lambda folders: True)
    assert setup.missing_packages(setup.X11_FILES) == ["libxcb-icccm4", "libxcb-keysyms1"]


def test_a_machine_without_fonts_gets_some(setup, tmp_path):
    assert not setup.has_fonts([tmp_path, tmp_path / "none"])
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.ttf").touch()
    assert setup.has_fonts([tmp_path])


def test_root_installs_packages_without_asking(setup, calls, monkeypatch):
    monkeypatch.setattr(setup.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(setup.os, "geteuid", lambda: 0)
    setup.apt_install(["libegl1"])
    assert calls[-1][-5:] == ["apt-get", "install", "-y", "--no-install-recommends", "libegl1"]
    assert "sudo" not in calls[-1]


def test_without_the_right_to_install_the_one_command_is_said(setup, monkeypatch):
    monkeypatch.setattr(setup.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(setup, "call", lambda command, **options: 1)
    with pytest.raises(setup.SetupError, match="sudo apt-get install -y --no-install-recommends libegl1 libgl1\n"):
        setup.apt_install(["libegl1", "libgl1"])


def test_where_there_is_no_apt_the_packages_are_named(setup, monkeypatch):
    monkeypatch.setattr(setup.shutil, "which", lambda name: None)
    with pytest.raises(setup.SetupError, match="libegl1"):
        setup.apt_install(["libegl1"])


@pytest.mark.parametrize(
    ("version", "is_in_range"),
    [("2.13.0+cpu", True), ("2.10.1", True), ("2.9.1", False), ("2.14.0", False), ("3.0", False), (None, False)],
)
def test_an_installed_torch_is_kept_when_the_project_admits_it(setup, version, is_in_range):
    assert setup.is_torch_in_range(version) is is_in_range


def test_torch_comes_from_another_index_when_one_is_named(setup, calls, monkeypatch):
    monkeypatch.setenv("TORCH_INDEX", "file:///wheels")
    setup.install_torch()
    assert calls[0][-3:] == [setup.TORCH, "--index-url", "file:///wheels"]


def test_the_pinned_torch_is_the_one_the_project_admits(setup):
    assert setup.is_torch_in_range(setup.TORCH.removeprefix("torch=="))
    low, high = (".".join(map(str, version)) for version in setup.TORCH_RANGE)
    assert f'"torch>={low},<{high}"' in SCRIPT.parents[1].joinpath("pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="screens of Linux")
def test_a_display_that_nobody_serves_is_no_screen(setup, short_folder, monkeypatch):
    screens = sys.modules["screens"]
    monkeypatch.setattr(screens, "X11_SOCKETS", short_folder)
    assert setup.screen({}) is None
    assert setup.screen({"DISPLAY": ":7"}) is None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(short_folder / "X7"))
        server.listen()
        assert setup.screen({"DISPLAY": ":7.0"}) == setup.X11_FILES
        assert setup.screen({"DISPLAY": "elsewhere:7"}) == setup.X11_FILES
        wayland = {"WAYLAND_DISPLAY": "X7", "XDG_RUNTIME_DIR": str(short_folder)}
        assert setup.screen(wayland) == screens.WAYLAND_FILES


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="screens of Linux")
def test_without_a_screen_the_same_infill_runs_in_the_terminal(setup, calls, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "copy_of_sample", lambda: tmp_path / "welcome.md")
    assert setup.run({}) == 0
    assert "No screen was found" in capsys.readouterr().out
    assert calls == [
        [str(setup.VENV / "bin" / "redraft"), "fill", str(tmp_path / "welcome.md"), "--lines", setup.SAMPLE_LINES]
    ]


def test_with_a_screen_the_editor_opens_the_sample(setup, calls, tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "copy_of_sample", lambda: tmp_path / "welcome.md")
    monkeypatch.setattr(setup, "screen", lambda environment: ())
    monkeypatch.setattr(setup, "missing_packages", lambda files: [])
    assert setup.run({}) == 0
    assert calls == [[str(setup.VENV / "bin" / "redraft"), str(tmp_path / "welcome.md")]]


def test_the_sample_is_copied_once_and_then_left_to_the_user(setup, tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    copy = setup.copy_of_sample()
    assert copy.read_bytes() == setup.SAMPLE.read_bytes()
    copy.write_text("mine", encoding="utf-8")
    assert setup.copy_of_sample().read_text(encoding="utf-8") == "mine"


def test_the_samples_line_is_the_sentence_to_write_anew(setup):
    first = int(setup.SAMPLE_LINES.partition("-")[0])
    lines = setup.SAMPLE.read_text(encoding="utf-8").splitlines()
    assert lines[first - 1].startswith("He had kept the light")
