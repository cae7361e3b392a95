"""Where the keyboard goes: in the order of the eye, and on when what it was on can't be used any more."""

from collections.abc import Sequence
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def visit_in_order(stops: Sequence[QWidget], before: QWidget) -> None:
    """Let the Tab key visit these one after the other, where it visited `before` until now.

    Widgets that were made later would else come last. `before` can be one of them.
    """
    anchor = before.previousInFocusChain()
    while anchor is not None and anchor is not before:
        if anchor not in stops and _can_be_a_stop(anchor):
            QWidget.setTabOrder(anchor, stops[0])
            break
        anchor = anchor.previousInFocusChain()
    for one, other in pairwise(stops):
        QWidget.setTabOrder(one, other)


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
    return widget.isVisible() and widget.isEnabled() and _can_be_a_stop(widget)


def _can_be_a_stop(widget: QWidget) -> bool:
    takes_tab = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    return takes_tab and widget.focusProxy() is None
