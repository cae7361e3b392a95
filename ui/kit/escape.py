"""Esc is a shortcut of the window, for stopping an answer. What it closes by itself asks for it first."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent


def offers_escape(event: QEvent) -> bool:
    """Whether the window asks if Esc is wanted here. Whoever accepts the event gets the key."""
    return (
        isinstance(event, QKeyEvent)
        and event.type() == QEvent.Type.ShortcutOverride
        and event.key() == Qt.Key.Key_Escape
    )


def keep_escape(event: QEvent) -> bool:
    """For `event` of a widget that Esc closes: takes the key, and says whether that was the offer."""
    offered = offers_escape(event)
    if offered:
        event.accept()
    return offered
