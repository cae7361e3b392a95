"""Windows in processes of their own: a bare one, and the program's. Run by the window benchmarks.

    python -m benchmarks.window_process bare|causeway

Prints one line of JSON when the window has been painted for the first time, a second one when it
has come to rest (the program: when its chat is shown), and ends when its stdin does.
"""

import json
import sys
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSocketNotifier, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow

FORBIDDEN = ("llama_cpp", "huggingface_hub", "numpy")
REST_MS = 400


def tell(what: str) -> None:
    print(
        json.dumps({"event": what, "heavy": [m for m in FORBIDDEN if m in sys.modules]}), flush=True
    )


class FirstPaint(QObject):
    """Waits for the first frame of a main window."""

    def __init__(self, then: Callable[[QMainWindow], None]) -> None:
        super().__init__()
        self._then: Callable[[QMainWindow], None] | None = then

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and isinstance(watched, QMainWindow) and self._then:
            # After this event, its children have been painted too.
            QTimer.singleShot(0, watched, self._tell_for(watched, self._then))
            self._then = None
            QApplication.instance().removeEventFilter(self)
        return False

    def _tell_for(
        self, window: QMainWindow, then: Callable[[QMainWindow], None]
    ) -> Callable[[], None]:
        def go() -> None:
            tell("painted")
            then(window)

        return go


def end_with_stdin(app: QApplication) -> QSocketNotifier:
    notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read, app)
    notifier.activated.connect(app.quit)
    return notifier


def bare() -> int:
    app = QApplication([])
    from ui.theme import Theme

    # The same fonts and colours; nothing else of the program.
    Theme("light").apply(app)
    paint = FirstPaint(lambda window: QTimer.singleShot(REST_MS, window, lambda: tell("rested")))
    app.installEventFilter(paint)
    end_with_stdin(app)
    window = QMainWindow()
    window.resize(1280, 800)
    window.setCentralWidget(QLabel("Causeway"))
    window.show()
    return app.exec()


def causeway() -> int:
    from ui import application
    from ui.main_window import MainWindow

    def wait_for_pages(window: MainWindow) -> None:
        if window.is_ready:
            QTimer.singleShot(REST_MS, window, lambda: tell("rested"))
        else:
            QTimer.singleShot(10, window, lambda: wait_for_pages(window))

    make = application.make_application

    def make_watched() -> QApplication:
        app = make()
        app.paint = FirstPaint(wait_for_pages)
        app.installEventFilter(app.paint)
        end_with_stdin(app)
        return app

    application.make_application = make_watched
    return application.run([])


if __name__ == "__main__":
    raise SystemExit({"bare": bare, "causeway": causeway}[sys.argv[1]]())
