"""The look of all widgets: Fusion, a palette and one style sheet, made from the colors of a theme."""

from __future__ import annotations

from string import Template

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from app.theme import Theme

_SHEET = Template("""
* { outline: 0; }
QMainWindow, QMainWindow::separator { background: $window; }
QMainWindow::separator { width: 1px; height: 1px; background: $border; }
QToolTip { color: $ui_text; background: $panel; border: 1px solid $border; padding: 4px 6px; }

QMenuBar { background: $window; color: $ui_text; padding: 2px 6px; border: 0; }
QMenuBar::item { padding: 5px 9px; border-radius: 5px; background: transparent; }
QMenuBar::item:selected { background: $hover; }
QMenuBar::item:pressed { background: $pressed; }
QMenu { background: $panel; color: $ui_text; border: 1px solid $border; border-radius: 8px; padding: 5px; }
QMenu::item { padding: 5px 26px 5px 24px; border-radius: 5px; }
QMenu::item:selected { background: $accent; color: $accent_text; }
QMenu::item:disabled { color: $ui_text_disabled; background: transparent; }
QMenu::separator { height: 1px; background: $border; margin: 5px 8px; }

QTabWidget::pane { border: 0; }
QTabBar { qproperty-drawBase: 0; background: $window; }
QTabBar::tab { color: $ui_text_dim; background: transparent; padding: 7px 12px; border: 0;
    border-bottom: 2px solid transparent; }
QTabBar::tab:hover { color: $ui_text; background: $hover; }
QTabBar::tab:selected { color: $ui_text; border-bottom-color: $accent; }
QTabWidget#documents > QTabBar::tab { padding: 7px 8px 7px 14px; min-width: 70px; max-width: 240px; }
QTabWidget#documents > QTabBar::tab:selected { background: $background; }
QTabWidget#pages > QTabBar::tab { padding: 8px 14px; }
QTabBar QToolButton { background: $window; border: 0; color: $ui_text_dim; }
QToolButton#close { background: transparent; color: $ui_text_dim; border: 0; border-radius: 4px; padding: 0;
    font-size: 14px; }
QToolButton#close:hover { color: $ui_text; background: $pressed; }

QDockWidget { color: $ui_text; }
SettingsPanel, InfillStrip, QTabWidget#pages, QTabWidget#pages > QTabBar, QWidget#page,
 QScrollArea { background: $panel; }
QLabel#title { color: $ui_text; font-weight: 600; }
QListWidget#history { background: $panel; color: $ui_text; border: 0; border-top: 1px solid $border;
    border-bottom: 1px solid $border; }
QLabel#help { color: $ui_text_dim; font-size: ${small}pt; }
QLabel#heading { color: $ui_text; font-weight: 600; padding-top: 8px; border-top: 1px solid $border; }
QPushButton#segment { border-radius: 0; padding: 4px 6px; color: $ui_text_dim; background: $field; border-right: 0; }
QPushButton#segment[place="first"] { border-top-left-radius: 6px; border-bottom-left-radius: 6px; }
QPushButton#segment[place="last"] { border-top-right-radius: 6px; border-bottom-right-radius: 6px;
    border-right: 1px solid $border_strong; }
QPushButton#segment:hover { color: $ui_text; background: $hover; }
QPushButton#segment:focus { color: $accent; }
QPushButton#segment:checked { color: $ui_text; background: $accent_soft; font-weight: 600; }
QPushButton#reset_all { margin-top: 6px; }
QToolButton#drawn { border: 0; border-radius: 5px; background: transparent; }
QToolButton#drawn:hover, QToolButton#drawn:focus { background: $hover; }
QToolButton#reset { color: $accent; border: 0; border-radius: 4px; padding: 0 4px; }
QToolButton#reset:hover { background: $accent_soft; }

QTextEdit#words { color: $ui_text; background: $field; border: 1px solid $border_strong; border-radius: 5px;
    selection-background-color: $selection; selection-color: $text; }
QTextEdit#words:focus { border-color: $accent; }
QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox { color: $ui_text; background: $field; padding: 2px 7px;
    border: 1px solid $border_strong; border-radius: 5px; min-height: 20px;
    selection-background-color: $selection; selection-color: $text; }
QSpinBox::up-button, QSpinBox::down-button, QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {
    subcontrol-origin: border; width: 0; height: 0; border: 0; }
QAbstractSpinBox QLineEdit { border: 0; border-radius: 0; padding: 0; background: transparent; min-height: 0; }
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus { border-color: $accent; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled { color: $ui_text_disabled;
    background: transparent; border-color: $border; }
QComboBox::drop-down { border: 0; width: 22px; }
QComboBox::down-arrow { image: none; }
QComboBox QAbstractItemView { color: $ui_text; background: $panel; border: 1px solid $border; padding: 4px;
    selection-background-color: $accent; selection-color: $accent_text; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $pressed; }
QSlider::sub-page:horizontal { height: 4px; border-radius: 2px; background: $accent; }
QSlider::handle:horizontal { width: 14px; height: 14px; margin: -5px 0; border-radius: 7px; background: $accent; }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { background: $accent_hover; }
QSlider::sub-page:horizontal:disabled, QSlider::handle:horizontal:disabled { background: $ui_text_disabled; }

QPushButton { color: $ui_text; background: $field; border: 1px solid $border_strong; border-radius: 6px;
    padding: 5px 14px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $pressed; }
QPushButton:focus, QPushButton:default { border-color: $accent; }
QPushButton:disabled { color: $ui_text_disabled; border-color: $border; background: transparent; }
QPushButton#primary { color: $accent_text; background: $accent; border-color: $accent; font-weight: 600; }
QPushButton#primary:hover { background: $accent_hover; }
QPushButton#primary:disabled { color: $ui_text_disabled; background: $hover; border-color: $hover; }

QStatusBar { background: $window; border-top: 1px solid $border; min-height: 30px; }
QStatusBar::item { border: 0; }
QStatusBar QLabel { color: $ui_text_dim; }
QStatusBar QLabel[state="ready"] { color: $success; }
QStatusBar QLabel[state="busy"] { color: $ui_text; }
QStatusBar QLabel[state="failed"] { color: $danger; }
QFrame#separator { background: $border; border: 0; }
QToolButton#choice { color: $ui_text_dim; background: transparent; border: 0; border-radius: 4px; padding: 3px 6px; }
QToolButton#choice:hover, QToolButton#choice:focus { color: $ui_text; background: $hover; }
QToolButton#choice::menu-indicator { image: none; width: 0; }
QPushButton#stop { padding: 2px 12px; border-radius: 5px; }
QPushButton#stop:enabled { color: $danger; border-color: $danger; font-weight: 600; }
QPushButton#stop:enabled:hover { color: $background; background: $danger; }
QProgressBar { background: $pressed; border: 0; border-radius: 2px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }

QFrame#popup { background: $panel; border: 1px solid $border_strong; border-radius: 8px; }
QFrame#popup QPushButton#link { color: $ui_text; background: transparent; border: 0; padding: 0; text-align: left;
    font-weight: 600; }
QFrame#popup QPushButton#link[quiet="true"] { color: $ui_text_dim; font-weight: 400; }
QFrame#popup QPushButton#link:hover, QFrame#popup QPushButton#link:focus { color: $accent; }

QFrame#find { background: $panel; border: 0; border-top: 1px solid $border; }
QFrame#find QPushButton { padding: 3px 12px; }
QFrame#find QLabel#count { color: $ui_text_dim; }
QFrame#find QLabel#count[state="none"] { color: $ui_text; }
QFrame#find QLabel#count[state="wrong"] { color: $danger; }
QFrame#find QLineEdit[state="wrong"] { border-color: $danger; }
QToolButton#toggle { border: 1px solid transparent; border-radius: 5px; background: transparent; }
QToolButton#toggle:hover { background: $hover; }
QToolButton#toggle:focus { border-color: $accent; }
QToolButton#toggle:checked { background: $accent_soft; border-color: $accent; }

QFrame#notice { background: $accent_soft; border: 0; border-bottom: 1px solid $border; }
QFrame#notice QLabel { color: $ui_text; }
QFrame#notice QToolButton { color: $ui_text; border: 0; border-radius: 4px; padding: 2px 7px; }
QFrame#notice QToolButton:hover { background: $pressed; }
QFrame#notice QPushButton { padding: 3px 10px; }

QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $thumb; border-radius: 3px; margin: 3px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::handle:hover { background: $border_strong; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; }
""")


def apply(app: QApplication, theme: Theme) -> None:
    """Gives all widgets of the application the theme's look."""
    app.setPalette(palette(theme))
    app.setStyleSheet(style_sheet(theme, max(8.0, app.font().pointSizeF() - 1)))


def palette(theme: Theme) -> QPalette:
    """The theme's colors in Qt's roles."""
    roles = QPalette.ColorRole
    made = QPalette()
    colors = {
        roles.Window: theme.window, roles.WindowText: theme.ui_text, roles.Base: theme.field,
        roles.AlternateBase: theme.panel, roles.Text: theme.ui_text, roles.Button: theme.panel,
        roles.ButtonText: theme.ui_text, roles.BrightText: theme.danger, roles.ToolTipBase: theme.panel,
        roles.ToolTipText: theme.ui_text, roles.Highlight: theme.accent, roles.HighlightedText: theme.accent_text,
        roles.Link: theme.link, roles.LinkVisited: theme.link, roles.PlaceholderText: theme.ui_text_dim,
        roles.Mid: theme.border_strong, roles.Midlight: theme.hover, roles.Light: theme.field,
        roles.Dark: theme.border_strong, roles.Shadow: theme.border, roles.Accent: theme.accent,
    }  # fmt: skip
    for role, color in colors.items():
        made.setColor(role, color)
    for role in (roles.WindowText, roles.Text, roles.ButtonText, roles.HighlightedText):
        made.setColor(QPalette.ColorGroup.Disabled, role, theme.ui_text_disabled)
    return made


def style_sheet(theme: Theme, small: float = 9.0) -> str:
    """The style sheet in the theme's colors; `small` is the size of side notes in points."""
    colors = {name: value.name() for name, value in vars(theme).items() if isinstance(value, QColor)}
    thumb = theme.pressed if theme.is_dark else QColor("#cfd1dc")
    return _SHEET.substitute(colors, small=f"{small:g}", thumb=thumb.name())
