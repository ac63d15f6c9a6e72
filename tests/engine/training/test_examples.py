"""Before and after."""

from __future__ import annotations

from engine.training.documents import PYTHON, Document
from engine.training.examples import Place, markdown, places


def documents() -> list[Document]:
    prose = [Document("fiction", f"book {n}", f"It was a day like any other, and {n} o'clock. " * 40) for n in range(3)]
    code = [Document(PYTHON, f"package {n}", f"def f{n}(a):\n    return a + {n}\n\n\n" * 40) for n in range(3)]
    return prose + code


def test_the_places_are_the_same_each_time_and_spread_over_the_documents() -> None:
    chosen = places(documents(), 5, code=True)
    assert chosen == places(documents(), 5, code=True)
    assert {place.source for place in chosen[:3]} == {"package 0", "package 1", "package 2"}
    assert all(place.original for place in chosen)
    assert all(place.source.startswith("book") for place in places(documents(), 2, code=False))


def test_no_text_no_places() -> None:
    assert places([], 3, code=True) == []


def test_a_pair_shows_the_hole_in_its_context_before_and_after() -> None:
    place = Place("a book", "One two three.\nFour.", 4, 7)
    page = "\n".join(markdown(lambda _: "2", [place]))
    assert page == (
        "1. a book\n\n   before:\n\n       …One ⟦two⟧ three.\n       Four.…\n\n"
        "   after:\n\n       …One ⟦2⟧ three.\n       Four.…\n"
    )
