"""The settings of the program: what each is, declared once."""

from app.settings.checking import checked_setting
from app.settings.records import Choice, Setting, Settings, WindowValue
from app.settings.table import SETTINGS

__all__ = ["SETTINGS", "Choice", "Setting", "Settings", "WindowValue", "checked_setting"]
