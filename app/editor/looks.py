"""How a text and the preview over it look: language, theme, settings."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from app.editor import appearance, highlighting
from app.editor.preview import Preview
from app.editor.surface import Surface
from app.settings import Settings
from app.theme import Theme


class Looks(QObject):
    """Gives a surface its looks, and its preview the same whenever that takes a copy."""

    def __init__(
        self, surface: Surface, preview: Preview, settings: Settings, theme: Theme, language: str | None
    ) -> None:
        super().__init__(surface)
        self._surface, self._preview = surface, preview
        self._settings, self._theme, self._language = settings, theme, language
        for each in (surface, preview):
            appearance.prepare(each)
        self.take_language(language)
        appearance.apply_settings(surface, settings)
        preview.copied.connect(self._style_preview)

    def take_theme(self, theme: Theme) -> None:
        """Takes over another theme."""
        self._theme = theme
        appearance.apply_theme(self._surface, theme, self._settings, self._language)
        self._follow()

    def take_settings(self) -> None:
        """Takes over the settings as they are now."""
        appearance.apply_theme(self._surface, self._theme, self._settings, self._language)
        appearance.apply_settings(self._surface, self._settings)
        self._follow()

    def take_language(self, name: str | None) -> None:
        """Colors the text as another language."""
        self._language = name
        highlighting.set_language(self._surface, name)
        self.take_theme(self._theme)

    @Slot()
    def fit_line_numbers(self, *_: object) -> None:
        """There may be more lines, or fewer."""
        appearance.fit_line_numbers(self._surface, self._settings["editor.show_line_numbers"])

    def _follow(self) -> None:
        if self._preview.is_open:
            self._style_preview()

    @Slot()
    def _style_preview(self) -> None:
        highlighting.set_language(self._preview, self._language)
        appearance.apply_theme(self._preview, self._theme, self._settings, self._language)
        appearance.apply_settings(self._preview, self._settings)
