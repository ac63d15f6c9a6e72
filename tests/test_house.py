"""Rules of the house that no other tool checks."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for package in ("app", "engine") for path in (ROOT / package).rglob("*.py"))
MOST_LINES_OF_A_FILE = 500
MOST_LINES_OF_A_FUNCTION = 60


def test_importing_the_editor_imports_no_torch():
    code = "import sys, app.main; print([m for m in ('torch', 'numpy', 'tokenizers') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert answer.stdout.strip() == "[]", answer.stderr


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


def test_every_engine_module_may_be_imported_without_qt():
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in SOURCES
        if path.is_relative_to(ROOT / "engine")
    ]
    names = [name.removesuffix(".__init__") for name in names]
    code = f"import importlib, sys; [importlib.import_module(n) for n in {names!r}]; print('PySide6' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert answer.stdout.strip() == "False", answer.stderr
