"""The settings, beside the text: one row for each, grouped as they are declared."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QTabWidget, QVBoxLayout, QWidget

from app.panels.setting_row import SettingRow
from app.settings import SETTINGS, Settings

_PAGES = (
    ("Infill", (("", "infill"), ("Engine", "engine"))),
    ("Editor", (("", "appearance"), ("Text", "editor"), ("History", "history"))),
)


class SettingsPanel(QWidget):
    """All settings in two pages. `refused` carries the sentence for a value that was not taken."""

    refused = Signal(str)

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[str, SettingRow] = {}
        self.pages = QTabWidget()
        self.pages.setObjectName("pages")
        self.pages.setDocumentMode(True)
        self.pages.setAccessibleName("Groups of settings")
        for title, groups in _PAGES:
            self.pages.addTab(self._page(settings, groups), title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pages)
        self.setMinimumWidth(288)

    def mark_trained(self, low: float, high: float) -> None:
        """Marks the diffusion shares that the loaded model was trained with."""
        slider = self.rows["infill.alpha_0"].slider
        if slider is not None:
            slider.mark(low, high)
            trained = f"{low:g}" if low == high else f"{low:g} to {high:g}"
            self.rows["infill.alpha_0"].note = f"The model was trained with {trained}."

    def focus_first(self) -> None:
        """Gives the keyboard to the first control that is on the screen."""
        for row in self.rows.values():
            if row.isVisible() and row.control.isEnabled():
                row.control.setFocus(Qt.FocusReason.TabFocusReason)
                return

    def _page(self, settings: Settings, groups: tuple[tuple[str, str], ...]) -> QWidget:
        page = QWidget()
        page.setObjectName("page")
        rows = QVBoxLayout(page)
        rows.setContentsMargins(16, 14, 16, 18)
        rows.setSpacing(14)
        for title, section in groups:
            if title:
                rows.addWidget(_heading(title))
            for setting in SETTINGS:
                if setting.section == section:
                    row = SettingRow(setting, settings)
                    row.refused.connect(self.refused)
                    self.rows[setting.key] = row
                    rows.addWidget(row)
        rows.addStretch(1)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return area


def _heading(title: str) -> QLabel:
    label = QLabel(title)
    label.setObjectName("heading")
    label.setIndent(0)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return label
