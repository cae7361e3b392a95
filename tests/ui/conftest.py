"""Window tests: a Qt warning fails the test, and so does a timer or an operation that outlives it."""

import gc
from collections.abc import Iterator
from functools import partial

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QThreadPool, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui.theme import Theme

WAIT_MS = 60_000

# Lines of the offscreen platform itself that say nothing about the program.
HARMLESS = ("This plugin does not support",)


@pytest.fixture(scope="session", autouse=True)
def modules_are_not_searched() -> Iterator[None]:
    """Keep what the imports made out of the search below: no timer is among it, and it is most of all."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def no_qt_leftovers(qapp: QApplication, qtlog: object) -> Iterator[None]:
    yield
    # The offscreen platform would free what a test copied after the interpreter has ended, and crash.
    QApplication.clipboard().clear()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()
    running = [found for found in gc.get_objects() if _runs(found)]
    assert not running, f"left running: {running}"
    warnings = [
        record.message
        for record in getattr(qtlog, "records", [])
        if record.type_name in ("QtWarningMsg", "QtCriticalMsg")
        and not record.message.startswith(HARMLESS)
    ]
    assert not warnings, f"Qt warned: {warnings}"


@pytest.fixture
def qtbot(qtbot: QtBot) -> QtBot:
    """What a test waits for comes at once where nothing else runs: a long wait costs nothing there.

    A shorter time may be given where something must not come.
    """
    for name in ("waitUntil", "waitSignal", "waitSignals", "waitActive", "waitExposed"):
        setattr(qtbot, name, partial(getattr(qtbot, name), timeout=WAIT_MS))
    return qtbot


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    """The light look, whatever the machine prefers."""
    theme = Theme("light")
    theme.apply(qapp)
    return theme


def _runs(found: object) -> bool:
    """Whether it is a timer that is active, or a pool with an operation in it."""
    try:
        if isinstance(found, QTimer):
            return found.isActive()
        return isinstance(found, QThreadPool) and found.activeThreadCount() > 0
    except RuntimeError:  # its C++ half is gone
        return False
