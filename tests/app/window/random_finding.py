"""What a random user finds and replaces, and what Python's own `re` says of it."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from app.editor import selection
from app.editor.replacing import Change
from app.editor.search import Haystack, Search, SearchJob
from app.editor.view import EditorView
from app.window import MainWindow
from engine.types import TextSpan

TERMS = ("e", "naïve", "日", "😀'", "station", "nothing", "")
PATTERNS = (r"\w+$", "^", "(?P<first>a)(.)?", r"x*", r"\s+", "(", "e|$")
REPLACEMENTS = ("", "x", "é\n日", "to be")
TEMPLATES = ("", r"[\g<0>]", "\\\\", r"\2", r"\q", "\\n")
COMMANDS = (
    *("find", "replace", "find_next", "find_next", "find_previous", "select_found", "replace_one", "replace_one"),
    *("replace_all", "replace_all", "match_case", "whole_words", "regex", "in_selection"),
)


def search_at_once(window: MainWindow) -> None:
    """Lets regular expressions be found without a process, whose answer would come at any time."""
    searcher = window.finding.search.searcher

    def ask(job: SearchJob, text: str) -> None:
        searcher._search = Search(job, Haystack(text))
        searcher._steps = searcher._search.steps()
        searcher._slices.start()

    searcher._ask = ask  # type: ignore[method-assign]


def find(window: MainWindow, chance: random.Random) -> str:
    """One action of a user who finds. Returns what it was."""
    what = chance.choice(["term", "term", "answer", "close", "replacing", "replacing", "replacing", *COMMANDS])
    if what == "term":
        _write(window, chance)
    elif what == "close":
        window.finding.close()
    elif what == "replacing":
        _do(window, "replace")
        _write(window, chance)
        window.finding.search.searcher.finish()
        _do(window, chance.choice(["replace_one", "replace_all"]))
    elif what != "answer":
        _do(window, what)
    if what == "answer" or chance.random() < 0.8:
        window.finding.search.searcher.finish()
    return what


def _write(window: MainWindow, chance: random.Random) -> None:
    bar = window.finding.bar
    is_regex = bar.regex.isChecked()
    bar.term.setText(chance.choice(PATTERNS if is_regex else TERMS))
    bar.replacement.setText(chance.choice(TEMPLATES if is_regex else REPLACEMENTS))


def _do(window: MainWindow, name: str) -> None:
    command = window.actions_.commands[f"edit.{name}"]
    if command.can_run and command.is_on is not None:
        command.handler(not command.is_on())
    elif command.can_run:
        command.handler()


def replacing(
    window: MainWindow, real: EditorView, twin: EditorView, note: Callable[[str], None]
) -> Callable[..., None]:
    """Replaces in the real view and in its twin, if it is what `re` would replace in the twin's text."""
    bar, replace = window.finding.bar, real.replace_found

    def replace_both(changes: Sequence[Change], kept: Sequence[TextSpan] = ()) -> None:
        query, text = bar.query, twin.text()
        source = query.term if query.is_regex else re.escape(query.term)
        pattern = re.compile(source, re.MULTILINE | (0 if query.match_case else re.IGNORECASE))
        template = bar.replacement.text() if query.is_regex else bar.replacement.text().replace("\\", r"\\")
        expected = [(match.start(), match.end(), match.expand(template)) for match in pattern.finditer(text)]
        if not query.whole_word and not bar.scope.isChecked():
            assert list(changes) == expected or (len(changes) == 1 and changes[0] in expected)
            note("replaced all" if len(changes) > 1 else "replaced one")
        selection.put_carets(twin.surface, selection.carets(real.surface))  # the place was gone to before
        replace(changes, kept)
        twin.replace_found(changes)

    return replace_both
