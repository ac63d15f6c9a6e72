"""What the user can set: each setting declared once, the values, and their file."""

from app.settings.declared import SETTINGS, Setting, SettingError, Unless, Value
from app.settings.store import Settings

__all__ = ["SETTINGS", "Setting", "SettingError", "Settings", "Unless", "Value"]
