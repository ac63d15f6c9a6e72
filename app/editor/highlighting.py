"""Syntax colors: which lexer colors a language, and which role of the theme each of its styles has."""

from __future__ import annotations

from dataclasses import dataclass, field

from lexilla import create_lexer
from lexilla.pyside6_scintilla import set_lexer
from PySide6.QtGui import QColor

from app.editor.indicators import scintilla_color
from app.editor.surface import Surface
from app.editor.words import C_TYPES, C_WORDS, JS_WORDS, PYTHON_NAMES, PYTHON_WORDS
from app.theme import Theme

_BOLD = frozenset({"heading", "strong"})
_ITALIC = frozenset({"emphasis"})


@dataclass(frozen=True, slots=True)
class Lexing:
    """How one language is colored. A role is a field of `Theme`; `styles` maps it to the lexer's style numbers."""

    lexer: str
    styles: dict[str, tuple[int, ...]]
    keywords: tuple[str, ...] = ()
    properties: dict[str, str] = field(default_factory=dict)


_C_STYLES = {
    "comment": (1, 2, 3, 15, 23, 24), "keyword": (5,), "type": (16, 19), "number": (4,), "constant": (8, 25, 27),
    "string": (6, 7, 13, 14, 20, 21, 22), "preprocessor": (9,), "operator": (10,), "error": (12,),
    "attribute": (17, 18, 26),
}  # fmt: skip
_FOLDING = {"fold": "1", "fold.compact": "0"}

_LEXINGS = {
    "python": Lexing(
        "python",
        {
            "comment": (1, 12), "number": (2,), "string": (3, 4, 6, 7, 16, 17, 18, 19), "keyword": (5,), "type": (8,),
            "function": (9,), "operator": (10,), "error": (13,), "constant": (14,), "preprocessor": (15,),
        },
        (PYTHON_WORDS, PYTHON_NAMES),
        {**_FOLDING, "lexer.python.keywords2.no.sub.identifiers": "1", "lexer.python.unicode.identifiers": "1"},
    ),
    "c": Lexing("cpp", _C_STYLES, (C_WORDS, C_TYPES), {**_FOLDING, "styling.within.preprocessor": "1"}),
    "javascript": Lexing("cpp", _C_STYLES, (JS_WORDS,), {**_FOLDING, "lexer.cpp.backquoted.strings": "1"}),
    "html": Lexing(
        "hypertext",
        {
            "tag": (1, 2, 11, 12, 13), "attribute": (3, 4), "number": (5, 45), "string": (6, 7, 19, 48, 49),
            "operator": (8, 50), "comment": (9, 20, 42, 43, 44), "constant": (10, 17, 52), "keyword": (47,),
            "preprocessor": (15, 16, 18, 22, 23), "text": (40, 41, 46),
        },
        ("", JS_WORDS),
        {**_FOLDING, "fold.html": "1"},
    ),
    "json": Lexing(
        "json",
        {
            "number": (1,), "string": (2, 10), "error": (3, 13), "key": (4,), "constant": (5,), "comment": (6, 7),
            "operator": (8,), "link": (9,), "keyword": (11, 12),
        },
        ("true false null",),
        {**_FOLDING, "lexer.json.allow.comments": "1", "lexer.json.escape.sequence": "1"},
    ),
    "markdown": Lexing(
        "markdown",
        {
            "strong": (2, 3), "emphasis": (4, 5), "heading": (6, 7, 8, 9, 10, 11), "operator": (12, 13, 14, 17),
            "comment": (15,), "removed": (16,), "link": (18,), "string": (19, 20, 21),
        },
    ),
    "yaml": Lexing(
        "yaml",
        {"comment": (1,), "key": (2,), "constant": (3,), "number": (4,), "link": (5,), "heading": (6,), "error": (8,),
         "operator": (9,)},
        ("true false yes no on off null",),
        _FOLDING,
    ),
}  # fmt: skip


def set_language(surface: Surface, language: str | None) -> None:
    """Lets the surface's text be styled as `language` (a name of app.document.languages)."""
    lexing = _LEXINGS.get(language or "")
    lexer = create_lexer(lexing.lexer) if lexing is not None else None
    if lexing is None or lexer is None:
        surface.setILexer(0)
        surface.clearDocumentStyle()
        return
    set_lexer(surface, lexer)
    for name, value in lexing.properties.items():
        surface.setProperty(name, value)
    for number, words in enumerate(lexing.keywords):
        surface.setKeyWords(number, words)


def color_syntax(surface: Surface, language: str | None, theme: Theme) -> None:
    """Gives the styles of `language` their colors; all others must have the default's before."""
    lexing = _LEXINGS.get(language or "")
    for role, numbers in lexing.styles.items() if lexing is not None else ():
        color: QColor = theme.text if role == "strong" else getattr(theme, role)
        for number in numbers:
            surface.styleSetFore(number, scintilla_color(color))
            surface.styleSetBold(number, role in _BOLD)
            surface.styleSetItalic(number, role in _ITALIC)
