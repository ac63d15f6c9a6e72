"""The settings, beside the text: one row for each, grouped as they are declared."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from app.panels.model_row import ModelRow
from app.panels.seed_row import SeedRow
from app.panels.setting_row import SettingRow
from app.settings import SETTINGS, Settings
from engine.types import ModelInfo

_PAGES = (("Infill", ("infill", "engine")), ("Editor", ("appearance", "editor", "history")))
_ROWS = {"infill.seed": SeedRow, "engine.model": ModelRow}

_OF_RUNS = {"editor.show_generated", "history.enabled", "history.limit_mb", "history.keep_marks"}
"""Settings of the page about the editor that mean nothing without a model."""


class SettingsPanel(QWidget):
    """All settings in two pages.

    `refused` carries the sentence for a value that was not taken; `folder_asked` says that the user wants to choose the
    folder of a model.
    """

    refused = Signal(str)
    folder_asked = Signal()

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[str, SettingRow] = {}
        self._headings: dict[str, QLabel] = {}
        self.pages = QTabWidget()
        self.pages.setObjectName("pages")
        self.pages.setDocumentMode(True)
        self.pages.setAccessibleName("Groups of settings")
        for title, sections in _PAGES:
            self.pages.addTab(self._page(settings, sections), title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pages)
        self.setMinimumWidth(288)

    def show_model(self, info: ModelInfo) -> None:
        """Marks what the loaded model was trained with, and greys what it makes nothing of."""
        self._mark_trained(*info.trained_alpha_0)
        one_order = "This model reads the text around the place in one order only."
        self.rows["infill.context_order"].block(one_order if len(info.context_orders) < 2 else None)
        on_cpu = info.device.startswith("cpu")
        self.rows["engine.threads"].block(None if on_cpu else "Threads count only when the processor computes.")
        extent = f"This model holds {info.context_length:,} tokens."
        self.rows["infill.context_extent"].note = extent

    def _mark_trained(self, low: float, high: float) -> None:
        row = self.rows["infill.alpha_0"]
        if row.slider is not None:
            row.slider.mark(low, high)
        trained = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        row.note = f"The model was trained with {trained}."

    def show_infill(self, shown: bool) -> None:
        """Shows all that an infill depends on, or of it only the switch that turns the model on."""
        switch = self.rows["engine.enabled"]
        page = switch.parentWidget()
        assert page is not None
        for widget in page.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            widget.setVisible(shown or widget is switch)
        for key, row in self.rows.items():
            if key in _OF_RUNS:
                row.setVisible(shown)
        self._headings["history.enabled"].setVisible(shown)
        self.pages.setTabText(0, _PAGES[0][0] if shown else "Model")

    def focus_first(self) -> None:
        """Gives the keyboard to the first control that is on the screen."""
        for row in self.rows.values():
            if row.isVisible() and row.control.isEnabled():
                row.control.setFocus(Qt.FocusReason.TabFocusReason)
                return

    def _page(self, settings: Settings, sections: tuple[str, ...]) -> QWidget:
        page = QWidget()
        page.setObjectName("page")
        rows = QVBoxLayout(page)
        rows.setContentsMargins(16, 14, 16, 18)
        rows.setSpacing(14)
        for setting in (each for section in sections for each in SETTINGS if each.section == section):
            if setting.shown_with:
                continue
            if setting.heading:
                self._headings[setting.key] = _heading(setting.heading)
                rows.addWidget(self._headings[setting.key])
            row = self.rows[setting.key] = _ROWS.get(setting.key, SettingRow)(setting, settings)
            row.refused.connect(self.refused)
            if isinstance(row, ModelRow):
                row.folder_asked.connect(self.folder_asked)
            rows.addWidget(row)
        rows.addWidget(self._reset_button(settings, sections), 0, Qt.AlignmentFlag.AlignLeft)
        rows.addStretch(1)
        area = QScrollArea()
        area.setWidget(page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return area

    def _reset_button(self, settings: Settings, sections: tuple[str, ...]) -> QPushButton:
        button = QPushButton("Reset all")
        button.setObjectName("reset_all")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolTip("Give every setting of this page its default again")
        button.clicked.connect(lambda: settings.reset_all(*sections))
        return button


def _heading(title: str) -> QLabel:
    label = QLabel(title)
    label.setObjectName("heading")
    label.setIndent(0)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return label
