"""Window tests: a Qt warning fails the test, and so does a timer or window that outlives it."""

import gc
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication

from ui.theme import Theme

# Lines of the offscreen platform itself that say nothing about the program.
HARMLESS = ("This plugin does not support",)


@pytest.fixture(autouse=True)
def no_qt_leftovers(qapp: QApplication, qtlog: object) -> Iterator[None]:
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()
    timers = [timer for timer in gc.get_objects() if isinstance(timer, QTimer) and _runs(timer)]
    assert not timers, f"timers left running: {timers}"
    warnings = [
        record.message
        for record in getattr(qtlog, "records", [])
        if record.type_name in ("QtWarningMsg", "QtCriticalMsg")
        and not record.message.startswith(HARMLESS)
    ]
    assert not warnings, f"Qt warned: {warnings}"


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    """The light look, whatever the machine prefers."""
    theme = Theme("light")
    theme.apply(qapp)
    return theme


def _runs(timer: QTimer) -> bool:
    try:
        return timer.isActive()
    except RuntimeError:  # its C++ half is gone
        return False
