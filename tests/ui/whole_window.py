"""The window as the program opens it, and all that it runs ended afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QCoreApplication, QEvent

from app.paths import Paths
from app.settings_file import SettingsFile
from ui.background import Background
from ui.main_window import MainWindow
from ui.theme import Theme


@contextmanager
def whole_window(theme: Theme, paths: Paths, settings: SettingsFile) -> Iterator[MainWindow]:
    background = Background()
    window = MainWindow(theme, background, paths, settings)
    window.resize(1280, 800)
    window.show()
    try:
        yield window
    finally:
        window.hide()
        window.stop_work()
        assert background.finish(10_000)
        window.close_services()
        window.deleteLater()
        background.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
