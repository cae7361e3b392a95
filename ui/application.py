"""The window's program: one Qt application, from its start to its end."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from app.logs import start_logging, stop_logging
from app.paths import Paths, default_paths
from app.settings_file import SettingsFile
from ui.background import Background
from ui.garbage import GarbageCollector
from ui.instance import FirstInstance, raise_running_window
from ui.kit.accessibility import install_accessibility
from ui.main_window import MainWindow
from ui.theme import Theme

CLOSE_MS = 5000


def run(arguments: Sequence[str]) -> int:
    """Open the window, with the model file among the arguments where there is one."""
    app = make_application()
    paths = default_paths()
    file = str(Path(arguments[0]).absolute()) if arguments else ""
    if raise_running_window(paths.home, file):
        return 0
    log = start_logging(paths.logs_folder)
    settings = SettingsFile(paths.settings_file)
    settings.load()
    theme = Theme(settings.current.theme)
    theme.apply(app)
    background = Background()
    window = MainWindow(theme, background, paths, settings)
    first = FirstInstance(paths.home, window)
    first.raised.connect(window.come_forward)
    # Queued: only afterwards is the window on another screen.
    app.screenRemoved.connect(window.keep_on_screen, Qt.ConnectionType.QueuedConnection)
    report_bugs_to(window, paths)
    GarbageCollector(window)
    # The collector's timer wakes the interpreter often enough to hear these.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: app.quit())
    window.open_with(file)
    window.show()
    code = app.exec()
    window.hide()
    first.close()
    window.stop_work()
    background.finish(CLOSE_MS)
    window.close_services()
    stop_logging(log)
    return code


def make_application() -> QApplication:
    """The QApplication, with what must be set before and after it exists."""
    QGuiApplication.setHighDpiScaleFactorRoundingPolicy(
        Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    )
    QCoreApplication.setApplicationName("causeway")
    QGuiApplication.setApplicationDisplayName("Causeway")
    QGuiApplication.setDesktopFileName("causeway")
    app = QApplication(sys.argv[:1])
    install_accessibility()
    return app


def report_bugs_to(window: MainWindow, paths: Paths) -> None:
    """An exception in a slot would otherwise pass unseen: Qt runs on as if nothing had happened."""

    def report(kind: type[BaseException], bug: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, bug, trace)
        from app.crash_reports import write_crash_report

        window.show_bug(write_crash_report(bug, paths.logs_folder))

    sys.excepthook = report
