"""The mouse wheel over a control inside a page that scrolls."""

from PySide6.QtGui import QWheelEvent


class LeavesWheel:
    """Mixed into a control, before its Qt class: the wheel scrolls the page around the control.

    It never changes a value, even where the control has the focus: a person who scrolls doesn't look
    at what happens to lie below the pointer.
    """

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
