"""Rules of the house that no other tool checks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for package in ("app", "engine") for path in (ROOT / package).rglob("*.py"))
MOST_LINES_OF_A_FILE = 500
MOST_LINES_OF_A_FUNCTION = 60


def test_importing_the_whole_editor_imports_no_torch():
    names = [name for name in map(module_name, SOURCES) if name.split(".")[0] == "app"]
    assert "app.main" in names
    assert imported_beside(names, "torch", "numpy", "tokenizers") == []


def test_every_engine_module_can_be_imported_without_qt():
    names = [name for name in map(module_name, SOURCES) if name.split(".")[0] == "engine"]
    assert imported_beside(names, "PySide6", "shiboken6", "app") == []


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_beside(names: list[str], *unwanted: str) -> list[str]:
    """Which of `unwanted` a fresh interpreter has after importing `names`."""
    code = f"import importlib, sys; [importlib.import_module(n) for n in {names!r}]; "
    code += f"print(*(u for u in {unwanted!r} if u in sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.split()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_and_functions_stay_short(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES_OF_A_FILE
    assert list(long_functions(ast.parse(text))) == []


def long_functions(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > MOST_LINES_OF_A_FUNCTION:
                yield f"{node.name}: {length} lines"


def test_long_functions_are_found():
    source = "def f():\n" + "    x = 1\n" * MOST_LINES_OF_A_FUNCTION
    assert list(long_functions(ast.parse(source))) == [f"f: {MOST_LINES_OF_A_FUNCTION + 1} lines"]


def test_the_architecture_page_names_every_module_and_nothing_else():
    page = ROOT.joinpath("docs", "architecture.md").read_text(encoding="utf-8")
    named = {
        name
        for line in page.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([^`]+)`", line.split("|")[1])
    }
    modules = {
        path.relative_to(ROOT).with_suffix("").as_posix().partition("/")[2]
        for path in SOURCES
        if path.stem != "__init__"
    }
    assert modules - named == set(), "modules that docs/architecture.md does not name"
    assert named - modules == set(), "names in docs/architecture.md that are no modules"
