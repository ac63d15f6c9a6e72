"""The indicators of the editor by name, and how each looks. Scintilla leaves the numbers 8 to 31 to us."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from PySide6.QtGui import QColor
from pyside6_scintilla import Scintilla

from app.editor.surface import Surface
from app.theme import Theme

Style = Scintilla.IndicatorStyle


class Indicator(IntEnum):
    """What an indicator marks. The states of a draft differ in shape, not in color alone."""

    MASKED = 8
    """A box: a position that is still masked."""
    REVEALED = 9
    """A filled highlight: written in the step that is shown."""
    ACCEPTED = 10
    """A thin line below: written in an earlier step."""
    DOUBTFUL = 11
    """A squiggle: written, but the model was not sure."""
    PROPOSAL = 12
    """A soft ground: text of a pending proposal, not part of the file."""
    REVEALED_TEXT = 13
    """Colors the letters of what was just revealed."""
    BRACE_MATCH = 14
    BRACE_BAD = 15
    HEAT_LOW = 16
    """A thin line below: a word of the file that the model doubts a little."""
    HEAT_MIDDLE = 17
    """A squiggle: more so."""
    HEAT_HIGH = 18
    """A thick line: most of all."""
    GENERATED = 20
    """Dots below: text of the file that came from the model and was not edited since."""
    LOCKED = 21
    """A frame: words of a proposal that another run leaves alone."""
    MASKED_AGAIN = 22
    """The box of a masked position: words of a proposal that another run writes anew."""
    REMOVED = 24
    """Struck through: words that a proposal leaves out."""
    ADDED = 25
    """An underlined box: words that a proposal brings in."""
    BEFORE = 26
    """A dotted frame: the text that a proposal would replace."""
    STALE = 27
    """Dashes below: text that was edited under a proposal."""
    REMOVED_TEXT = 28
    """Colors the letters of words that a proposal leaves out."""
    FOUND = 29
    """A frame with a soft ground: a place that was found."""
    SEARCHED = 30
    """A faint ground: what is searched, where that is not everything."""
    FOUND_HERE = 31
    """A stronger frame and ground: the found place that is selected."""


@dataclass(frozen=True, slots=True)
class _Look:
    style: int
    role: str
    fill: int = 0
    outline: int = 0
    stroke: int = 100


_LOOKS = {
    Indicator.MASKED: _Look(Style.RoundBox, "mask", fill=72, outline=150),
    Indicator.REVEALED: _Look(Style.StraightBox, "revealed", fill=56, outline=0),
    Indicator.REVEALED_TEXT: _Look(Style.TextFore, "revealed"),
    Indicator.ACCEPTED: _Look(Style.CompositionThin, "accepted"),
    Indicator.DOUBTFUL: _Look(Style.Squiggle, "doubtful", stroke=120),
    Indicator.PROPOSAL: _Look(Style.FullBox, "proposal", fill=26, outline=26),
    Indicator.LOCKED: _Look(Style.StraightBox, "accepted", fill=18, outline=220),
    Indicator.MASKED_AGAIN: _Look(Style.RoundBox, "mask", fill=110, outline=190),
    Indicator.REMOVED: _Look(Style.Strike, "removed", stroke=150),
    Indicator.REMOVED_TEXT: _Look(Style.TextFore, "removed"),
    Indicator.ADDED: _Look(Style.StraightBox, "accepted", fill=38, outline=130),
    Indicator.BEFORE: _Look(Style.DotBox, "margin_text", fill=90, outline=190),
    Indicator.STALE: _Look(Style.Dash, "doubtful", stroke=120),
    Indicator.BRACE_MATCH: _Look(Style.RoundBox, "brace_match", fill=36, outline=160),
    Indicator.BRACE_BAD: _Look(Style.Squiggle, "brace_bad"),
    Indicator.HEAT_LOW: _Look(Style.CompositionThin, "doubtful"),
    Indicator.HEAT_MIDDLE: _Look(Style.Squiggle, "doubtful", stroke=130),
    Indicator.HEAT_HIGH: _Look(Style.CompositionThick, "removed"),
    Indicator.GENERATED: _Look(Style.Dots, "generated"),
    Indicator.FOUND: _Look(Style.RoundBox, "found", fill=60, outline=190),
    Indicator.FOUND_HERE: _Look(Style.StraightBox, "found", fill=70, outline=255),
    Indicator.SEARCHED: _Look(Style.FullBox, "found", fill=20, outline=20),
}


def scintilla_color(color: QColor) -> int:
    """A color as Scintilla's messages take it: 0xBBGGRR."""
    return color.red() | color.green() << 8 | color.blue() << 16


def define_indicators(surface: Surface, theme: Theme) -> None:
    """Gives every indicator its look in the theme's colors."""
    for indicator, look in _LOOKS.items():
        surface.indicSetStyle(indicator, look.style)
        surface.indicSetFore(indicator, scintilla_color(getattr(theme, look.role)))
        surface.indicSetAlpha(indicator, look.fill)
        surface.indicSetOutlineAlpha(indicator, look.outline)
        surface.indicSetStrokeWidth(indicator, look.stroke)
        surface.indicSetUnder(indicator, look.fill > 0)
