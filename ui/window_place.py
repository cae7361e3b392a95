"""Where the window stands: inside the part of the screen that is free."""

from PySide6.QtCore import QMargins, QRect, QSize
from PySide6.QtWidgets import QStyle, QWidget

USUAL = QSize(1280, 800)
SMALLEST = QSize(800, 440)
"""Full HD at 200 % is 960 × 540, and a task bar and the window's title take 80 of that."""


def fitted(wanted: QRect, free: QRect) -> QRect:
    """`wanted`, made smaller and moved where it reaches out of `free`."""
    size = wanted.size().boundedTo(free.size())
    left = min(max(wanted.left(), free.left()), free.right() + 1 - size.width())
    top = min(max(wanted.top(), free.top()), free.bottom() + 1 - size.height())
    return QRect(left, top, size.width(), size.height())


def place_in_the_middle(window: QWidget) -> None:
    """Give a window that is opened for the first time its usual size, in the middle of the screen."""
    usual = QRect(0, 0, USUAL.width(), USUAL.height()).marginsAdded(_frame(window))
    usual.moveCenter(window.screen().availableGeometry().center())
    window.setGeometry(usual.marginsRemoved(_frame(window)))
    keep_on_screen(window)


def keep_on_screen(window: QWidget) -> None:
    """Keep a window, with its frame, inside what its screen has free."""
    free = window.screen().availableGeometry()
    frame = _frame(window)
    window.setMinimumSize(SMALLEST.boundedTo(free.marginsRemoved(frame).size()))
    if window.isMaximized() or window.isFullScreen():
        return
    wanted = window.geometry().marginsAdded(frame)
    placed = fitted(wanted, free)
    if placed != wanted:
        window.setGeometry(placed.marginsRemoved(frame))


def _frame(window: QWidget) -> QMargins:
    """The frame around a window. How thick it is, is known when the window is shown; before, a title
    bar is reckoned with.
    """
    handle = window.windowHandle()
    if handle is not None and handle.isVisible():
        return handle.frameMargins()
    return QMargins(0, window.style().pixelMetric(QStyle.PixelMetric.PM_TitleBarHeight), 0, 0)
