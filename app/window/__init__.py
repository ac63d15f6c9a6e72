"""The main window: tabs, menus, files, and what is shown around the text."""

from app.window.main_window import MainWindow

__all__ = ["MainWindow"]
