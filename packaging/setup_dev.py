"""What `make` calls: makes the virtual environment, finds missing system libraries, starts the editor or the terminal.

Runs before anything is installed, so it uses the standard library only.

    setup_dev.py install [--dev]    .venv with Redraft in it (with --dev also the tools of `make test`)
    setup_dev.py libraries          the system libraries Qt needs without a screen
    setup_dev.py screenshot         the pages' pictures, taken of the real window on a virtual screen
    setup_dev.py run                the editor on a sample, or the same infill in the terminal where there is no screen
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from screens import OFFSCREEN_FILES, X11_FILES, screen

OLDEST_PYTHON = (3, 11)
TORCH = "torch==2.13.0"
TORCH_RANGE = ((2, 10), (2, 14))

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
SAMPLE = ROOT / "resources" / "samples" / "welcome.md"
SAMPLE_LINES = "7-7"
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")

DEBIAN_PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLX.so.0": "libglx0",
    "libGLdispatch.so.0": "libglvnd0",
    "libICE.so.6": "libice6",
    "libSM.so.6": "libsm6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libX11.so.6": "libx11-6",
    "libXext.so.6": "libxext6",
    "libatomic.so.1": "libatomic1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libstdc++.so.6": "libstdc++6",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxcb.so.1": "libxcb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libz.so.1": "zlib1g",
}
FONT_PACKAGE = "fonts-dejavu-core"


class SetupError(Exception):
    """Something the person at the keyboard has to do; `str(error)` says what."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one of the commands of the module's docstring and returns an exit status."""
    parser = argparse.ArgumentParser(prog="setup_dev.py")
    parser.add_argument("command", choices=["install", "libraries", "screenshot", "run"])
    parser.add_argument("--dev", action="store_true", help="install the tools of `make test` too")
    options = parser.parse_args(arguments)
    try:
        if options.command == "install":
            install(dev=options.dev)
        elif options.command == "libraries":
            require_libraries(OFFSCREEN_FILES)
        elif options.command == "screenshot":
            return screenshot()
        else:
            return run(os.environ)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"\nThis command failed: {' '.join(map(str, error.cmd))}", file=sys.stderr)
        return 1
    return 0


# The virtual environment


def install(*, dev: bool) -> None:
    """Makes .venv if it is not there or broken and installs the project in it, PyTorch first."""
    if not VENV.joinpath("bin", "pip").exists() or call([venv_python(), "-c", "import pip"], check=False) != 0:
        make_venv()
    if not is_torch_in_range(installed_version("torch")):
        install_torch()
    call([venv_python(), "-m", "pip", "install", "--editable", f"{ROOT}[dev]" if dev else str(ROOT)])
    stamps = ["run", "dev"] if dev else ["run"]
    for stamp in stamps:
        VENV.joinpath(f".ready-{stamp}").touch()


def make_venv() -> None:
    """Makes an empty .venv with a suitable interpreter; installs Debian's venv package where that is missing."""
    python = suitable_python()
    if call([python, "-c", "import ensurepip, venv"], check=False, quiet=True) != 0:
        apt_install(["python3-venv" if python == sys.executable else f"{Path(python).name}-venv"])
    call([python, "-m", "venv", "--clear", VENV])


def suitable_python() -> str:
    """This interpreter if it is new enough, else the newest on the path that is."""
    if sys.version_info >= OLDEST_PYTHON:
        return sys.executable
    for minor in range(14, OLDEST_PYTHON[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
    raise SetupError("Redraft needs Python 3.11 or newer, and none was found on the path; install one and try again.")


def install_torch() -> None:
    """Installs the pinned PyTorch, from the package index in `TORCH_INDEX` if that is set."""
    index = os.environ.get("TORCH_INDEX")
    if not index and sys.platform.startswith("linux") and not shutil.which("nvidia-smi"):
        print(
            "Installing PyTorch. The usual Linux build brings several GB of CUDA libraries; to take the small one for "
            "CPU,\nstop this and give the package index that PyTorch's installation page names for CPU:  "
            "make run TORCH_INDEX=…",
            flush=True,
        )
    call([venv_python(), "-m", "pip", "install", TORCH, *(["--index-url", index] if index else [])])


def is_torch_in_range(version: str | None) -> bool:
    """Whether an installed PyTorch is one that pyproject.toml admits."""
    match = re.match(r"(\d+)\.(\d+)", version or "")
    return match is not None and TORCH_RANGE[0] <= (int(match[1]), int(match[2])) < TORCH_RANGE[1]


def installed_version(distribution: str) -> str | None:
    """The version of a distribution in .venv, None if it is not there."""
    code = f"from importlib import metadata; print(metadata.version({distribution!r}))"
    answer = subprocess.run([venv_python(), "-c", code], capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else None


def venv_python() -> Path:
    """The interpreter of .venv."""
    return VENV / "bin" / "python"


# System libraries


def require_libraries(files: Iterable[str]) -> None:
    """Makes sure that Qt's `files` (paths in site-packages) find their libraries, and that there is a font."""
    if not sys.platform.startswith("linux"):
        return
    packages = missing_packages(files)
    if packages:
        apt_install(packages)
        still = missing_packages(files)
        if still:
            raise SetupError(f"These system packages are still missing after installing them: {' '.join(still)}.")


def missing_packages(files: Iterable[str]) -> list[str]:
    """Debian packages of the libraries that `files` miss, sorted; an unknown library stands under its own name."""
    bundled = {library.name for library in VENV.glob("lib/python3.*/site-packages/PySide6/Qt/lib/*")}
    names = {name for path in files for name in missing_libraries(path)} - bundled  # Python loads those by itself
    missing = {DEBIAN_PACKAGES.get(name, name) for name in names}
    if not has_fonts(FONT_FOLDERS):
        missing.add(FONT_PACKAGE)
    return sorted(missing)


def missing_libraries(path: str) -> list[str]:
    """Names of the shared libraries that the loader does not find for one file of site-packages."""
    found = next(VENV.glob(f"lib/python3.*/site-packages/{path}"), None)
    if found is None:
        raise SetupError(f"{path} is missing in .venv; remove .venv and try again.")
    answer = subprocess.run(["ldd", found], capture_output=True, text=True, check=False)
    return parse_ldd(answer.stdout)


def parse_ldd(output: str) -> list[str]:
    """Names of the libraries that `ldd` reports as not found."""
    return sorted(set(re.findall(r"^\s*(\S+) => not found", output, flags=re.MULTILINE)))


def has_fonts(folders: Iterable[Path]) -> bool:
    """Whether any font file lies in `folders`."""
    return any(file.suffix in {".ttf", ".otf", ".ttc"} for folder in folders for file in folder.rglob("*.*"))


def apt_install(packages: Sequence[str]) -> None:
    """Installs Debian packages when that needs no password, else raises an error that names the one command to type."""
    if not shutil.which("apt-get"):
        raise SetupError(f"Please install what belongs to these (Debian's names) and try again: {' '.join(packages)}")
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    install_line = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if prefix and (not shutil.which("sudo") or call([*prefix, "true"], check=False, quiet=True) != 0):
        raise SetupError(
            f"Some system packages are missing. Please type this and try again:\n\n  sudo {' '.join(install_line)}\n"
        )
    print(f"Installing system packages: {' '.join(packages)}", flush=True)
    prefix += ["env", "DEBIAN_FRONTEND=noninteractive"]
    call([*prefix, "apt-get", "update", "-q"], check=False, quiet=True)
    call([*prefix, *install_line])


# Starting


def run(environment: Mapping[str, str]) -> int:
    """Opens the editor on a copy of the sample; where there is no screen, does the same infill in the terminal."""
    sample = copy_of_sample()
    redraft = VENV / "bin" / "redraft"
    platform_files = screen(environment)
    if platform_files is None:
        print(
            "No screen was found (neither DISPLAY nor WAYLAND_DISPLAY answers), so the same infill is done here in the "
            f"terminal: line {SAMPLE_LINES.partition('-')[0]} of {SAMPLE.name} is written anew.",
            flush=True,
        )
        return call([redraft, "fill", sample, "--lines", SAMPLE_LINES], check=False)
    require_libraries((*OFFSCREEN_FILES, *platform_files))
    return call([redraft, sample], check=False)


def screenshot() -> int:
    """Takes the pictures of the README and of the user's page under Xvfb, which is installed where it is missing."""
    require_libraries((*OFFSCREEN_FILES, *X11_FILES))
    if not shutil.which("Xvfb"):
        apt_install(["xvfb"])
    scripts = (ROOT / "packaging" / name for name in ("screenshot.py", "tour.py"))
    return max(call([venv_python(), script], check=False) for script in scripts)


def copy_of_sample() -> Path:
    """A copy of the sample that may be written to; an earlier copy is kept as it is."""
    copy = ROOT / "build" / "sample" / SAMPLE.name
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(SAMPLE, copy)
    return copy


def call(command: Sequence[str | Path], *, check: bool = True, quiet: bool = False) -> int:
    """Runs a command and returns its status; raises CalledProcessError on failure when `check`."""
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, check=check, stdout=output, stderr=output, cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
