"""How a surface looks: font, margins, caret, selection and wrapping, from the theme and the settings."""

from __future__ import annotations

from PySide6.QtGui import QColor, QFontDatabase
from pyside6_scintilla import Scintilla

from app.editor.highlighting import color_syntax
from app.editor.indicators import define_indicators, scintilla_color
from app.editor.surface import Surface
from app.settings import Settings
from app.theme import Theme

LINE_NUMBERS, DRAFT_MARKS, FOLDS = 0, 1, 2
"""The margins, from the left."""

DRAFT_STYLE = 200
"""Style of a draft that is shown as an annotation; the lexers use the numbers below 128."""

DRAFT_MARK = 0
"""Marker: a bar beside the lines of a draft or a pending proposal."""

STALE_MARK = 1
"""Marker: a thin line beside lines that were edited under a proposal."""

_Element = Scintilla.Element
_Common = Scintilla.StylesCommon
_Marker = Scintilla.MarkerOutline
_Symbol = Scintilla.MarkerSymbol

_FOLD_SYMBOLS = {
    _Marker.FolderOpen: _Symbol.ArrowDown,
    _Marker.Folder: _Symbol.Arrow,
    _Marker.FolderSub: _Symbol.Empty,
    _Marker.FolderTail: _Symbol.Empty,
    _Marker.FolderEnd: _Symbol.Arrow,
    _Marker.FolderOpenMid: _Symbol.ArrowDown,
    _Marker.FolderMidTail: _Symbol.Empty,
}


def apply_theme(surface: Surface, theme: Theme, settings: Settings, language: str | None) -> None:
    """Gives the surface the theme's colors, and the font of the settings, which is part of every style."""
    _default_style(surface, theme, settings)
    surface.styleClearAll()
    _margins(surface, theme)
    _caret_and_selection(surface, theme)
    surface.styleSetFore(DRAFT_STYLE, scintilla_color(theme.text))
    surface.styleSetBack(DRAFT_STYLE, scintilla_color(theme.accent_soft))
    color_syntax(surface, language, theme)
    define_indicators(surface, theme)


def apply_settings(surface: Surface, settings: Settings) -> None:
    """Takes over the settings that are not part of a style."""
    surface.setWrapMode(Scintilla.Wrap.Word if settings["editor.wrap"] else Scintilla.Wrap.None_)
    surface.setWrapIndentMode(Scintilla.WrapIndentMode.Same)
    surface.setTabWidth(settings["editor.tab_width"])
    surface.setIndent(0)  # as wide as a tab
    surface.setUseTabs(not settings["editor.use_spaces"])
    surface.setTabIndents(True)
    surface.setBackSpaceUnIndents(True)
    shown = Scintilla.WhiteSpace.VisibleAlways if settings["editor.show_whitespace"] else Scintilla.WhiteSpace.Invisible
    surface.setViewWS(shown)
    fit_line_numbers(surface, settings["editor.show_line_numbers"])


def fit_line_numbers(surface: Surface, shown: bool) -> None:
    """Makes the margin as wide as the largest line number needs."""
    digits = max(3, len(str(surface.lineCount())))
    surface.setMarginWidthN(LINE_NUMBERS, surface.textWidth(_Common.LineNumber, "9" * digits + "0") if shown else 0)


def prepare(surface: Surface) -> None:
    """What every surface has, whatever the theme and the settings."""
    surface.setMarginTypeN(LINE_NUMBERS, Scintilla.MarginType.Number)
    surface.setMarginTypeN(DRAFT_MARKS, Scintilla.MarginType.Symbol)
    surface.setMarginMaskN(DRAFT_MARKS, 1 << DRAFT_MARK | 1 << STALE_MARK)
    surface.setMarginWidthN(DRAFT_MARKS, 6)
    surface.setMarginTypeN(FOLDS, Scintilla.MarginType.Symbol)
    surface.setMarginMaskN(FOLDS, Scintilla.MaskFolders & 0xFFFFFFFF)
    surface.setMarginWidthN(FOLDS, 14)
    surface.setMarginSensitiveN(FOLDS, True)
    surface.setAutomaticFold(
        Scintilla.AutomaticFold.Show | Scintilla.AutomaticFold.Click | Scintilla.AutomaticFold.Change
    )
    surface.setMarginLeft(8)
    surface.setScrollWidthTracking(True)
    surface.setScrollWidth(1)
    surface.setEndAtLastLine(False)
    surface.setLayoutCache(Scintilla.LineCache.Page)
    surface.setBufferedDraw(False)
    surface.setFrameStyle(0)
    surface.usePopUp(Scintilla.PopUp.Never)
    surface.setMultipleSelection(True)
    surface.setAdditionalSelectionTyping(True)
    surface.setMultiPaste(Scintilla.MultiPaste.Each)
    surface.setPasteConvertEndings(True)
    surface.setYCaretPolicy(Scintilla.CaretPolicy.Slop | Scintilla.CaretPolicy.Even, 2)


def _default_style(surface: Surface, theme: Theme, settings: Settings) -> None:
    family = settings["editor.font_family"]
    if not family:
        family = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
    surface.styleSetFont(_Common.Default, family)
    surface.styleSetSize(_Common.Default, settings["editor.font_size"])
    surface.styleSetFore(_Common.Default, scintilla_color(theme.text))
    surface.styleSetBack(_Common.Default, scintilla_color(theme.background))
    surface.setExtraAscent(2)
    surface.setExtraDescent(2)


def _margins(surface: Surface, theme: Theme) -> None:
    margin = scintilla_color(theme.margin)
    surface.styleSetFore(_Common.LineNumber, scintilla_color(theme.margin_text))
    surface.styleSetBack(_Common.LineNumber, margin)
    surface.styleSetFore(_Common.IndentGuide, scintilla_color(theme.indent_guide))
    for number in (LINE_NUMBERS, DRAFT_MARKS, FOLDS):
        surface.setMarginBackN(number, margin)
    surface.setFoldMarginColour(True, margin)
    surface.setFoldMarginHiColour(True, margin)
    for marker, symbol in _FOLD_SYMBOLS.items():
        surface.markerDefine(marker, symbol)
        surface.markerSetFore(marker, scintilla_color(theme.margin_text))
        surface.markerSetBack(marker, scintilla_color(theme.margin_text))
    surface.markerDefine(DRAFT_MARK, _Symbol.LeftRect)
    surface.markerSetBack(DRAFT_MARK, scintilla_color(theme.proposal))
    surface.markerDefine(STALE_MARK, _Symbol.VLine)
    surface.markerSetFore(STALE_MARK, scintilla_color(theme.doubtful))
    surface.markerSetBack(STALE_MARK, scintilla_color(theme.doubtful))


def _caret_and_selection(surface: Surface, theme: Theme) -> None:
    surface.setCaretWidth(2)
    surface.setCaretLineVisibleAlways(True)
    for element, color in (
        (_Element.Caret, theme.caret),
        (_Element.CaretAdditional, theme.caret),
        (_Element.CaretLineBack, theme.caret_line),
        (_Element.SelectionBack, theme.selection),
        (_Element.SelectionAdditionalBack, theme.selection),
        (_Element.SelectionSecondaryBack, theme.selection),  # on X11 after an undo, or when another window selects
        (_Element.SelectionInactiveBack, theme.selection_inactive),
        (_Element.SelectionInactiveAdditionalBack, theme.selection_inactive),
        (_Element.WhiteSpace, theme.whitespace),
    ):
        set_element_color(surface, element, color)


def set_element_color(surface: Surface, element: int, color: QColor) -> None:
    """Colors one of Scintilla's elements; these take alpha too."""
    surface.setElementColour(element, scintilla_color(color) | color.alpha() << 24)
