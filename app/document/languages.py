"""Which language a file is in, by its name or its first line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Language:
    """One language the editor colors: `name` is the internal name, `label` what the user reads."""

    name: str
    label: str
    suffixes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    interpreters: tuple[str, ...] = ()


LANGUAGES = (
    Language("text", "Plain Text", (".txt", ".text", ".log")),
    Language(
        "c",
        "C Family",
        (".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx", ".ino", ".m", ".mm", ".java", ".cs", ".go", ".rs"),
    ),
    Language("javascript", "JavaScript", (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx"), (), ("node", "deno")),
    Language("html", "HTML", (".html", ".htm", ".xhtml", ".xml", ".svg", ".vue")),
    Language("json", "JSON", (".json", ".jsonc", ".jsonl", ".ipynb", ".webmanifest"), (".prettierrc", ".eslintrc")),
    Language("markdown", "Markdown", (".md", ".markdown", ".mdown", ".mkd", ".qmd")),
    Language("python", "Python", (".py", ".pyw", ".pyi"), ("SConstruct", "SConscript"), ("python", "pypy")),
    Language("yaml", "YAML", (".yaml", ".yml", ".cff"), (".clang-format", ".clang-tidy")),
)

_BY_NAME = {language.name: language for language in LANGUAGES}


def language_label(name: str | None) -> str:
    """What the user reads for a language's name."""
    return _BY_NAME.get(name or "text", _BY_NAME["text"]).label


def language_of(path: Path | None, first_line: str = "") -> str:
    """The language of a file by its name, else by its `#!` line, else plain text."""
    if path is not None:
        for language in LANGUAGES:
            if path.suffix.lower() in language.suffixes or path.name in language.names:
                return language.name
    return _by_first_line(first_line)


def _by_first_line(line: str) -> str:
    if line.startswith("#!"):
        for language in LANGUAGES:
            if any(interpreter in line for interpreter in language.interpreters):
                return language.name
    if line.lower().startswith(("<!doctype html", "<html", "<?xml")):
        return "html"
    return "text"
