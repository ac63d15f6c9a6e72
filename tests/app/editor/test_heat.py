from __future__ import annotations

from app.document.document import Document
from app.editor.heat import HEAT, HeatMarks
from app.editor.view import EditorView
from app.settings import Settings
from app.theme import LIGHT
from engine.types import TextSpan


def test_each_level_has_a_line_of_its_own_and_a_new_set_of_marks_replaces_the_old(qtbot):
    view = EditorView(Document(), Settings(), LIGHT)
    qtbot.addWidget(view)
    view.set_text("naïve 😀 words here")
    surface = view.surface
    heat = HeatMarks(surface)
    heat.show([(TextSpan(0, 5), 1), (TextSpan(6, 7), 2), (TextSpan(8, 13), 3)])

    def marked(level: int) -> str:
        return "".join(
            character
            for offset, character in enumerate(view.text())
            if surface.indicatorValueAt(HEAT[level - 1], surface.pos_at(offset))
        )

    assert [marked(1), marked(2), marked(3)] == ["naïve", "😀", "words"]
    assert len({surface.indicStyle(indicator) for indicator in HEAT}) == 3
    heat.show([(TextSpan(14, 18), 3)])
    assert [marked(1), marked(2), marked(3)] == ["", "", "here"]
    assert not view.is_modified
