"""The window as the program opens it, and all that it runs ended afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QCoreApplication, QEvent, QSize

from app.paths import Paths
from app.settings_file import SettingsFile
from ui.background import Background
from ui.main_window import MainWindow
from ui.theme import Theme
from ui.window_place import USUAL


@contextmanager
def whole_window(
    theme: Theme, paths: Paths, settings: SettingsFile, size: QSize | None = USUAL
) -> Iterator[MainWindow]:
    """`size` None: as the window finds it right."""
    background = Background()
    window = MainWindow(theme, background, paths, settings)
    if size is not None:
        window.resize(size)
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
