"""What the user can set: each setting declared once, the values, and their file."""

from app.settings.declared import SETTINGS
from app.settings.presets import PRESETS, Preset
from app.settings.setting import Setting, SettingError, Unless, Value
from app.settings.store import Settings

__all__ = ["PRESETS", "SETTINGS", "Preset", "Setting", "SettingError", "Settings", "Unless", "Value"]
