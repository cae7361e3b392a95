"""Where the Tab key goes in a window."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def tab_stops(window: QWidget) -> list[QWidget]:
    """What the Tab key reaches now, in its order."""
    stops: list[QWidget] = []
    widget = window.nextInFocusChain()
    while widget is not window:
        if (
            widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            and widget.isVisibleTo(window)
            and widget.isEnabled()
            and widget.focusProxy() is None  # the line of a number field is one stop with it
        ):
            stops.append(widget)
        widget = widget.nextInFocusChain()
    return stops


def names(stops: list[QWidget]) -> list[str]:
    return [stop.accessibleName() for stop in stops]
