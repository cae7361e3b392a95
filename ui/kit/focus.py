"""Where the keyboard goes when what it was on can't be used any more."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def pass_focus_back(leaving: QWidget) -> None:
    """Hand the focus, where `leaving` or a part of it has it, to what Tab visits just before.

    Qt would go on to what comes next, which after the last of a page is the window's first.
    """
    focused = leaving.window().focusWidget()
    if focused is None or not (focused is leaving or leaving.isAncestorOf(focused)):
        return
    before = focused.previousInFocusChain()
    while before is not None and before is not focused:
        outside = before is not leaving and not leaving.isAncestorOf(before)
        if outside and _is_a_stop(before):
            before.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        before = before.previousInFocusChain()


def _is_a_stop(widget: QWidget) -> bool:
    can_have_it = widget.isVisible() and widget.isEnabled() and widget.focusProxy() is None
    return can_have_it and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
